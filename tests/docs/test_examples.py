"""Every example of the pages in JSON or TOML is what the code takes and returns."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from infra.settings import StackSettings
from infra.stage_file import read_stage_file
from recording_insights.agora.client import SECRET_KEYS
from recording_insights.errors import InvalidRequest
from recording_insights.http.problems import PROBLEMS, problem_of
from recording_insights.model.insights import Utterance
from recording_insights.recordings.exports.captions import write_srt
from tests.docs.commands import request_in
from tests.docs.examples import (
    attributes_of,
    check_request,
    fields_in,
    full_answer,
    matching_route,
    parse,
)
from tests.docs.pages import Fence, all_pages, page

KINDS = ("request", "answer", "problem", "row", "secret", "policy", "trust", "mapping", "event")

_INVOKED = r"arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/\$default/(?P<route>[A-Z]+/[a-z/*]+)"
"""The ARN of routes. Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html"""


def examples(language: str = "json") -> list[Any]:
    """Every example of a language as a test's parameter."""
    return [
        pytest.param(fence, id=f"{read.name}:{fence.line}")
        for read in all_pages()
        for fence in read.fences
        if fence.language == language
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


def test_the_captions_are_those_of_the_transcript_above() -> None:
    fences = page("docs/api.md").fences
    route = "GET /recordings/{recording_id}/insights"
    [answer] = [parse(each.text) for each in fences if " ".join(each.info) == f"json answer 200 {route}"]
    [captions] = [each.text for each in fences if each.info == ("text", "srt")]
    assert write_srt(answer).strip() == captions.strip()


@examples_of("problem")
def test_a_problem_is_one_of_the_codes(fence: Fence) -> None:
    document = parse(fence.text)
    [kind] = fence.info[2:]
    assert document["type"] == f"urn:recording-insights:problem:{kind}"
    assert (document["status"], kind, document["title"]) in PROBLEMS.values()
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


@pytest.mark.parametrize("fence", examples("toml"))
def test_settings_are_those_of_a_stages_file(fence: Fence, tmp_path: Path) -> None:
    [kind] = fence.info[1:]
    head = {"stage": "", "settings": 'account = "111122223333"\nregion = "eu-central-1"\n[settings]\n'}[kind]
    (tmp_path / "dev.toml").write_text(head + fence.text)
    file = read_stage_file(tmp_path, "dev")
    assert file is not None
    StackSettings.from_context({"stage": "dev", "provider": "assemblyai", **file.settings})


def test_the_mapping_of_an_import_names_what_the_outputs_refer_to(template: dict[str, Any]) -> None:
    [mapping] = [parse(example.text) for example in page("docs/deploy.md").fences if "mapping" in example.info]
    outputs = ("RecordingsBucketName", "RepliesBucketName", "InsightsTableName")
    assert list(mapping) == [template["Outputs"][name]["Value"]["Ref"] for name in outputs]
    assert [*map(list, mapping.values())] == [["BucketName"], ["BucketName"], ["TableName"]]


def test_each_route_with_a_sign_in_is_in_one_of_the_callers_policies(routes: list[str]) -> None:
    policies = {
        example.info[2]: parse(example.text)
        for example in page("docs/deploy.md").fences
        if "policy" in example.info and "execute-api:" in example.text
    }
    assert set(policies) == {"reader", "writer", "operator", "erase"}
    patterns = [(name, pattern) for name, policy in policies.items() for pattern in _invoked(policy)]
    found = {
        route: [pattern for pattern in patterns if fnmatchcase(route.replace(" ", ""), pattern[1])] for route in routes
    }
    for route, matching in found.items():
        assert len(matching) == (0 if "/webhooks/" in route else 1), route
    assert {pattern for matching in found.values() for pattern in matching} == set(patterns), "each ARN is of a route"


def _invoked(policy: dict[str, Any]) -> list[str]:
    """The patterns of methods and paths, such as "GET/recordings/*", that a policy allows to call."""
    [statement] = policy["Statement"]
    assert (policy["Version"], statement["Effect"], statement["Action"]) == (
        "2012-10-17",
        "Allow",
        "execute-api:Invoke",
    )
    resources = statement["Resource"]
    found = [re.fullmatch(_INVOKED, arn) for arn in ([resources] if isinstance(resources, str) else resources)]
    return [match["route"] for match in found if match] if all(found) else []
