"""Every JSON example of the pages is what the code takes and returns."""

from typing import Any

import pytest

from infra.settings import StackSettings
from recording_insights.agora.client import SECRET_KEYS
from recording_insights.errors import InvalidRequest
from recording_insights.http.problems import _KINDS, problem_of
from recording_insights.model.insights import Utterance
from tests.docs.commands import request_in
from tests.docs.examples import (
    attributes_of,
    check_request,
    fields_in,
    full_answer,
    matching_route,
    parse,
)
from tests.docs.pages import Fence, all_pages

KINDS = ("request", "answer", "problem", "row", "secret", "context")


def examples() -> list[Any]:
    """Every JSON example as a test's parameter."""
    return [
        pytest.param(fence, id=f"{read.name}:{fence.line}")
        for read in all_pages()
        for fence in read.fences
        if fence.language == "json"
    ]


def examples_of(kind: str) -> pytest.MarkDecorator:
    found = [example for example in examples() if example.values[0].info[1:2] == (kind,)]
    return pytest.mark.parametrize("fence", found)


@pytest.mark.parametrize("fence", examples())
def test_every_example_is_json_of_a_known_kind(fence: Fence) -> None:
    assert fence.info[1] in KINDS
    assert isinstance(parse(fence.text), dict)


@examples_of("request")
def test_a_request_is_one_that_the_api_takes(fence: Fence, routes: list[str]) -> None:
    method, path, *refused = fence.info[2:]
    route = matching_route(f"{method} {path}", routes)
    if refused:
        with pytest.raises(InvalidRequest):
            check_request(route, parse(fence.text))
    else:
        check_request(route, parse(fence.text))


def test_requests_with_a_request_line_are_ones_that_the_api_takes(routes: list[str]) -> None:
    requests = [request for read in all_pages() for fence in read.fences if (request := request_in(fence))]
    for line, body in requests:
        check_request(matching_route(line, routes), parse(body))


@examples_of("answer")
def test_an_answer_has_only_fields_that_the_code_returns(fence: Fence, routes: list[str]) -> None:
    status, method, path = fence.info[2:]
    route = matching_route(f"{method} {path}", routes)
    assert status in ("200", "201", "202")
    assert set(fields_in(parse(fence.text))) <= set(fields_in(full_answer(route)))


@examples_of("problem")
def test_a_problem_is_one_of_the_codes(fence: Fence) -> None:
    document = parse(fence.text)
    [kind] = fence.info[2:]
    assert document["type"] == f"urn:recording-insights:problem:{kind}"
    assert (document["status"], kind, document["title"]) in _KINDS.values()
    assert document.keys() >= {"detail", "request_id"}


def test_a_refused_request_is_followed_by_its_problem() -> None:
    for read in all_pages():
        for fence, following in zip(read.fences, read.fences[1:], strict=False):
            if fence.info[:2] != ("json", "request") or fence.info[-1] != "refused":
                continue
            with pytest.raises(InvalidRequest) as raised:
                check_request(" ".join(fence.info[2:4]), parse(fence.text))
            document = {**parse(following.text)}
            del document["request_id"]
            assert document == problem_of(raised.value).document()


@examples_of("row")
def test_a_row_has_only_attributes_of_its_table(fence: Fence) -> None:
    row = parse(fence.text)
    assert row.keys() <= set(attributes_of(fence.info[2]))
    assert {"pk", "sk"} <= row.keys()
    for utterance in row.get("utterances", ()):
        assert Utterance.from_map(utterance).to_map() == utterance


@examples_of("secret")
def test_a_secret_has_the_keys_that_are_read(fence: Fence) -> None:
    assert fence.info[2] == "agora"
    assert set(parse(fence.text)) == set(SECRET_KEYS)


@examples_of("context")
def test_a_context_is_one_that_the_stack_takes(fence: Fence) -> None:
    StackSettings.from_context({"stage": "dev", "provider": "assemblyai", **parse(fence.text)["context"]})
