"""The OpenAPI document."""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from infra.openapi.answers import GATEWAY_MESSAGE, PROBLEM
from infra.openapi.operations import OPERATIONS, OPTIONS, Operation
from infra.openapi.schemas import Shape
from infra.openapi.words import DOCS, words
from recording_insights.http.problems import CONTENT_TYPE
from recording_insights.providers.registry import PROVIDERS
from recording_insights.validation import Schema, object_of

VERSION = "1.0.0"
"""Of the contract: major if a client may break, minor if something was added, patch for words."""
PUBLISHED = DOCS / "openapi.json"
RELEASED = DOCS / "openapi-released.json"
"""The document of the last release, against which a change is checked."""
EXAMPLES = DOCS / "openapi-examples.json"
"""What a deployed stack answered, by operation and status, with the requests.

`RECORD=1 pytest tests/e2e/test_contract.py` writes it.
"""

_BY_GATEWAY = (401, 403, 429)
_ALWAYS = (400, 500, 503)
_RETRY_AFTER: Schema = {
    "description": "Seconds after which another try may help.",
    "schema": {"type": "integer", "minimum": 1},
}
_LOCATION: Schema = {"description": "The path of the recording.", "schema": {"type": "string"}}
_DESCRIPTION = """Records calls in Agora channels, and returns their transcripts and insights.

Answers may get more fields in later versions: a client ignores fields that it does not know. Fields with
`x-extensible-enum` may get more values. Webhooks of vendors are not part of this document."""


def openapi_document() -> dict[str, Any]:
    """Return the document as JSON data."""
    summaries = words("api.md", "# HTTP API", column=1)
    examples = read(EXAMPLES)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(
            operation, summaries[operation.route], examples
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Recording Insights", "version": VERSION, "description": _DESCRIPTION},
        "servers": [
            {
                "url": "{api}",
                "description": "The output ApiUrl of the stack.",
                "variables": {"api": {"default": "https://example.execute-api.eu-central-1.amazonaws.com"}},
            }
        ],
        "security": [{"signature": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {shape.name: shape.schema for shape in _shapes()} | _options(),
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "SigV4, service execute-api. It holds unless the stack has a jwtIssuer.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of the stack's jwtIssuer.",
                },
            },
        },
    }


def text_of(document: Mapping[str, Any]) -> str:
    """The document as it is written to a file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    """Return a written document."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _operation(operation: Operation, summary: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    accepted = [examples.get(f"{operation.route} {status}", {}) for status in operation.answers]
    example = next(({"example": each["request"]} for each in accepted if "request" in each), {})
    content = {"application/json": {"schema": operation.body, **example}}
    body = {"requestBody": {"required": not operation.may_lack_body, "content": content}} if operation.body else {}
    return {
        "operationId": operation.name,
        "summary": summary,
        "parameters": list(_parameters(operation)),
        **body,
        "responses": {str(status): response for status, response in sorted(_responses(operation, examples))},
    }


def _parameters(operation: Operation) -> Iterator[Schema]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    meanings = words("api.md", f"### {operation.route}")
    for name, reader in operation.parameters.items():
        style = {"style": "form", "explode": False} if reader.schema.get("type") == "array" else {}
        meaning = {"description": meanings[name]} if name in meanings else {}
        yield {"name": name, "in": "query", **meaning, "schema": reader.schema, **style}
    yield from operation.headers


def _responses(operation: Operation, examples: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    for status, shape in operation.answers.items():
        example = examples.get(f"{operation.route} {status}")
        content = {"schema": shape.reference, **({"example": example["answer"]} if example else {})}
        files = {kind: {"schema": {"type": "string"}} for kind in operation.files}
        response: dict[str, Any] = {"description": shape.description, "content": {"application/json": content, **files}}
        if operation.name in ("start_recording", "open_upload"):
            response["headers"] = {"Location": _LOCATION}
        if operation.links and status == next(iter(operation.answers)):
            response["links"] = {name: _link(name, *where) for name, where in operation.links.items()}
        yield status, response
    for status in {*_ALWAYS, *operation.problems, *((413,) if operation.body else ())}:
        yield status, _problem(status)
    for status in _BY_GATEWAY:
        yield status, _refused_by_gateway(status)


def _link(operation: str, name: str, pointer: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {name: f"$response.body#{pointer}"}}


def _problem(status: int) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": PROBLEM.reference}}
    if status in (404, 413, 500, 503):
        content["application/json"] = {"schema": GATEWAY_MESSAGE.reference}
    headers = {"headers": {"Retry-After": _RETRY_AFTER}} if status == 503 else {}
    return {"description": HTTPStatus(status).phrase, "content": content, **headers}


def _refused_by_gateway(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": GATEWAY_MESSAGE.reference}}
    return {"description": f"{HTTPStatus(status).phrase}, by API Gateway", "content": content}


def _shapes() -> list[Shape]:
    found: dict[str, Shape] = {}

    def add(shape: Shape) -> None:
        if shape.name not in found:
            found[shape.name] = shape
            for part in shape.parts:
                add(part)

    for operation in OPERATIONS:
        for shape in operation.answers.values():
            add(shape)
    for shape in (PROBLEM, GATEWAY_MESSAGE):
        add(shape)
    return sorted(found.values(), key=lambda shape: shape.name)


def _options() -> dict[str, Schema]:
    return {
        f"{OPTIONS}Of_{name}": {**object_of(entry.options).schema, "description": f"Options of {name}."}
        for name, entry in PROVIDERS.items()
    }
