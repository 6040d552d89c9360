"""docs/openapi.json is what the code makes, and what the code answers."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.openapi.changes import breaking_changes, is_allowed
from infra.openapi.document import EXAMPLES, PUBLISHED, RELEASED, openapi_document, read, text_of
from infra.openapi.operations import OPERATIONS
from recording_insights.errors import InvalidRequest
from recording_insights.http.problems import problem_of
from tests.contract_schemas import faults_of_answer
from tests.docs.examples import DRY_RUN, full_answer
from tests.docs.pages import page

ANSWERED = [
    pytest.param(operation, status, id=f"{operation.name} {status}")
    for operation in OPERATIONS
    for status in operation.answers
]


def test_the_published_document_is_what_the_code_makes() -> None:
    assert PUBLISHED.read_text() == text_of(openapi_document()), "run `make openapi`"


def test_the_document_is_openapi() -> None:
    OpenAPIV31SpecValidator(openapi_document()).validate()


def test_every_route_of_callers_is_in_the_document(routes: list[str]) -> None:
    assert sorted(operation.route for operation in OPERATIONS) == sorted(
        route for route in routes if "/webhooks/" not in route
    )


def test_no_change_since_the_release_breaks_a_client_under_the_same_version() -> None:
    released, present = read(RELEASED), openapi_document()
    assert is_allowed(released, present), breaking_changes(released, present) or "raise the minor version"


@pytest.mark.parametrize(("operation", "status"), ANSWERED)
def test_an_answer_has_the_fields_of_the_document(operation: Any, status: int) -> None:
    """The fullest answer that the code makes has no field that the document lacks."""
    of_retries = {200: DRY_RUN, 202: full_answer("GET /retries/{retry_id}")}
    answer = of_retries[status] if operation.name == "retry_many" else full_answer(operation.route)
    unknown = [fault for fault in faults_of_answer(operation.route, status, answer) if "Additional" in fault]
    assert unknown == []


@pytest.mark.parametrize("name", read(EXAMPLES))
def test_a_recorded_answer_keeps_the_contract(name: str) -> None:
    route, _, status = name.rpartition(" ")
    kind = "application/json" if status.startswith("2") else "application/problem+json"
    assert faults_of_answer(route, int(status), read(EXAMPLES)[name]["answer"], kind=kind) == []


def test_every_success_has_a_recorded_answer() -> None:
    successes = {f"{operation.route} {status}" for operation in OPERATIONS for status in operation.answers}
    assert successes <= set(read(EXAMPLES))


def test_a_problem_has_the_fields_of_the_document() -> None:
    document = {**problem_of(InvalidRequest("uid", "must be a number")).document(), "request_id": "r"}
    assert faults_of_answer("POST /recordings", 400, document, kind="application/problem+json") == []
    assert faults_of_answer("POST /recordings", 400, {"title": 1}, kind="application/problem+json") != []


def test_every_field_of_a_request_is_explained() -> None:
    paths = openapi_document()["paths"]
    modes = paths["/recordings"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    unexplained = {name for mode in modes for name, schema in mode["properties"].items() if "description" not in schema}
    assert unexplained <= {"options"}


def test_the_page_of_the_api_names_the_document() -> None:
    assert "openapi.json" in page("docs/api.md").links
