"""Answers checked against the published contract, docs/openapi.json."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from infra.openapi.document import PUBLISHED, read


@cache
def published() -> Mapping[str, Any]:
    """The document."""
    return read(PUBLISHED)


def faults_of_answer(route: str, status: int, content: Any, *, kind: str = "application/json") -> list[str]:
    """Return how an answer differs from the contract: what is missing, of another type, or not in it.

    Clients accept fields that they do not know, so the contract allows them. Here each one is a fault.

    Raises:
        LookupError: the contract has no such answer.
    """
    method, _, path = route.partition(" ")
    schema = published()["paths"][path][method.lower()]["responses"][str(status)]["content"][kind]["schema"]
    schemas = {name: _closed(each) for name, each in published()["components"]["schemas"].items()}
    validator = Draft202012Validator({**schema, "components": {"schemas": schemas}})
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(content)]


def fields_of_answer(content: Any, path: str = "") -> Iterator[str]:
    """The path of each field of an answer, such as `media[].key`."""
    if isinstance(content, Mapping):
        for name, inner in content.items():
            yield f"{path}{name}"
            yield from fields_of_answer(inner, f"{path}{name}.")
    elif isinstance(content, list):
        for inner in content:
            yield from fields_of_answer(inner, f"{path.rstrip('.')}[].")


def _closed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**schema, "additionalProperties": False} if "properties" in schema else schema
