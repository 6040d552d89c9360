"""Which changes of the contract break a client, each way in which one may."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from infra.openapi.changes import breaking_changes, is_allowed
from infra.openapi.document import openapi_document

Change = Callable[[dict[str, Any]], object]


def answer(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"][name]
    return schema


def body(document: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = document["paths"]["/retries"]["post"]["requestBody"]["content"]["application/json"]
    properties: dict[str, Any] = content["schema"]["properties"]
    return properties


def request(document: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"][path][method]
    return operation


BREAKING: dict[str, Change] = {
    "an operation is gone": lambda d: d["paths"]["/retries"].pop("get"),
    "a success is gone": lambda d: request(d, "/retries", "post")["responses"].pop("200"),
    "a field of an answer is gone": lambda d: answer(d, "Recording")["properties"].pop("sid"),
    "a field is not always there": lambda d: answer(d, "Recording")["required"].remove("status"),
    "another type": lambda d: answer(d, "MediaObject")["properties"].update(size={"type": "string"}),
    "null where there was none": lambda d: answer(d, "Retry")["properties"].update(
        retry_id={"type": ["string", "null"]}
    ),
    "another value of an answer": lambda d: answer(d, "Recording")["properties"]["status"]["enum"].append("paused"),
    "a list of other things": lambda d: answer(d, "Retries")["properties"]["retries"].update(items={"type": "string"}),
    "a required field of a request": lambda d: request(d, "/media", "post")["requestBody"]["content"][
        "application/json"
    ]["schema"]["required"].append("why"),
    "a field of a request is gone": lambda d: body(d).pop("prefix"),
    "fewer values of a request": lambda d: body(d)["from"]["enum"].remove("job"),
    "a shorter text": lambda d: body(d)["prefix"].update(maxLength=10),
    "a pattern": lambda d: body(d)["prefix"].update(pattern="^[a-z]+$"),
    "a required parameter": lambda d: request(d, "/recordings", "get")["parameters"].append(
        {"name": "since", "in": "query", "required": True, "schema": {}}
    ),
    "a parameter is gone": lambda d: request(d, "/recordings", "get")["parameters"].pop(),
    "a body that was optional": lambda d: request(d, "/recordings/{recording_id}/retry", "post")["requestBody"].update(
        required=True
    ),
}
HARMLESS: dict[str, Change] = {
    "another operation": lambda d: d["paths"].update({"/exports": {}}),
    "another field of an answer": lambda d: answer(d, "Recording")["properties"].update(more={"type": "string"}),
    "a field is always there": lambda d: answer(d, "Recording")["required"].append("sid"),
    "another field of a request": lambda d: body(d).update(more={"type": "string"}),
    "more values of a request": lambda d: body(d)["from"]["enum"].append("words"),
    "a longer text": lambda d: body(d)["prefix"].update(maxLength=2000),
    "another parameter": lambda d: request(d, "/recordings", "get")["parameters"].append(
        {"name": "since", "in": "query", "schema": {}}
    ),
    "another code": lambda d: answer(d, "Recording")["properties"]["reason_code"]["x-extensible-enum"].append("new"),
    "other words": lambda d: answer(d, "Recording").update(description="A recording."),
}


def changed(change: Change, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    before = deepcopy(openapi_document())
    after = deepcopy(before)
    after["info"]["version"] = version
    change(after)
    return before, after


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_needs_a_new_major_version(name: str) -> None:
    before, after = changed(BREAKING[name], "1.9.0")

    assert breaking_changes(before, after)
    assert not is_allowed(before, after)
    after["info"]["version"] = "2.0.0"
    assert is_allowed(before, after)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_needs_a_higher_version(name: str) -> None:
    before, after = changed(HARMLESS[name], "1.0.0")

    assert breaking_changes(before, after) == []
    assert not is_allowed(before, after)
    after["info"]["version"] = "1.1.0"
    assert is_allowed(before, after)
