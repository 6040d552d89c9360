"""The JSON schemas that Bedrock takes: a subset of Draft 2020-12 for structured output, any valid one for tools.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html ("Schema validation"). Claude also
counts: https://platform.claude.com/docs/en/build-with-claude/structured-outputs ("Schema complexity limits"). The
documentation has no number for the size of a grammar: both bounds of it are ours.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

MOST_OPTIONAL = 24
MOST_UNIONS = 16
DEEPEST = 12
MOST_NODES = 400

_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)
_ANYWHERE = frozenset({"type", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "definitions", "default"})
_NOTES = frozenset({"title", "description", "$schema", "$id", "$comment", "examples"})
_KEYWORDS = _ANYWHERE | _NOTES | {"properties", "required", "additionalProperties", "items", "minItems", "format"}
_KEYWORDS |= {"pattern"}
_COLLECTIONS = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf")
_NO_SCHEMA = "JSON schema is invalid. It must match JSON Schema draft 2020-12"


class UnsupportedSchema(Exception):
    """Structured output does not take this schema. The message says why."""


def check_tool_schema(schema: Any) -> None:
    """Check the schema of a tool's input. Raises UnsupportedSchema if it is no valid one."""
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        raise UnsupportedSchema(_NO_SCHEMA) from None
    if any(referenced(schema, reference) is None for reference in _references(schema) if reference.startswith("#")):
        raise UnsupportedSchema(_NO_SCHEMA)


def check_output_schema(schema: Any) -> None:
    """Check the schema of structured output. Raises UnsupportedSchema."""
    check_tool_schema(schema)
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise UnsupportedSchema("the root of the schema must be an object")
    nodes = list(_nodes(schema, 0))
    if len(nodes) > MOST_NODES or max(depth for _, depth in nodes) > DEEPEST:
        raise UnsupportedSchema(
            "The compiled grammar is too large, which would cause performance issues. Simplify your schema."
        )
    for node, _ in nodes:
        _check_node(node)
    _check_references(schema, nodes)
    _check_counts([node for node, _ in nodes])


def _nodes(schema: Any, depth: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Each schema in a schema, with its depth. Only DEEPEST levels are looked at."""
    if not isinstance(schema, dict):
        return
    yield schema, depth
    if depth > DEEPEST:
        return
    children = [child for name in _COLLECTIONS for child in schema.get(name, {}).values()]
    children += [child for name in _LISTS for child in schema.get(name, [])]
    children += [schema["items"]] if "items" in schema else []
    for child in children:
        yield from _nodes(child, depth + 1)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _references(entry)


def _check_node(node: Mapping[str, Any]) -> None:
    kinds = node.get("type", [])
    kind = kinds if isinstance(kinds, str) else "/".join(kinds)
    if unknown := sorted(node.keys() - _KEYWORDS):
        raise UnsupportedSchema(f"For '{kind}' type, property '{unknown[0]}' is not supported")
    if "object" in (kinds if isinstance(kinds, list) else [kinds]) and node.get("additionalProperties") is not False:
        raise UnsupportedSchema("For 'object' type, 'additionalProperties' must be explicitly set to false")
    if node.get("minItems", 0) not in (0, 1):
        raise UnsupportedSchema("For 'array' type, 'minItems' values other than 0 or 1 are not supported")
    if "format" in node and node["format"] not in _FORMATS:
        raise UnsupportedSchema(f"For 'string' type, 'format' value '{node['format']}' is not supported")
    if any(isinstance(value, dict | list) for value in node.get("enum", [])):
        raise UnsupportedSchema("Complex types within 'enum' are not supported")
    if any("$ref" in part for part in node.get("allOf", []) if isinstance(part, dict)):
        raise UnsupportedSchema("'allOf' with '$ref' is not supported")


def _check_references(schema: Mapping[str, Any], nodes: list[tuple[Mapping[str, Any], int]]) -> None:
    for node, _ in nodes:
        if "$ref" in node:
            _follow(schema, node["$ref"], ())


def _follow(schema: Mapping[str, Any], reference: str, seen: tuple[str, ...]) -> None:
    if not reference.startswith(("#/$defs/", "#/definitions/")):
        raise UnsupportedSchema(f"External reference '{reference}' is not supported")
    if reference in seen:
        raise UnsupportedSchema(f"Circular reference detected in schema definitions: {' -> '.join([*seen, reference])}")
    for node, _ in _nodes(referenced(schema, reference), 0):
        if "$ref" in node:
            _follow(schema, node["$ref"], (*seen, reference))


def referenced(root: Mapping[str, Any], reference: str) -> Any:
    """Return the definition that an internal reference of this schema names, None if there is none."""
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _check_counts(nodes: list[Mapping[str, Any]]) -> None:
    optional = sum(len(node.get("properties", {}).keys() - set(node.get("required", []))) for node in nodes)
    if optional > MOST_OPTIONAL:
        raise UnsupportedSchema(
            f"Schemas contains too many optional parameters ({optional}), which would make grammar compilation "
            f"inefficient. Reduce the number of optional parameters in your schemas (limit: {MOST_OPTIONAL})."
        )
    unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes)
    if unions > MOST_UNIONS:
        raise UnsupportedSchema(
            f"Schemas contains too many parameters with union types ({unions} parameters with type arrays or anyOf) "
            f"(limit: {MOST_UNIONS} parameters with unions)."
        )
