"""Fills a JSON schema with findings. The names of properties, and else their descriptions, say what they want.

A property that wants nothing that was found gets the shortest value that its schema allows.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from sandbox.stand_ins.bedrock.errors import ConverseError
from sandbox.stand_ins.bedrock.findings import Finding, Findings
from sandbox.stand_ins.bedrock.schema_rules import referenced

Schema = Mapping[str, Any]

_KINDS = {
    "title": ("title", "headline", "subject"),
    "short_summary": ("shortsummary", "summaryshort", "brief", "abstract", "tldr"),
    "summary": ("summary", "longsummary", "summarylong", "detailedsummary", "overview"),
    "topics": ("topics", "topic", "keywords", "tags", "themes"),
    "chapters": ("chapters", "chapter", "sections", "segments"),
    "action_items": ("actionitems", "actions", "actionitem", "tasks", "todos"),
    "questions": ("questions", "question", "openquestions"),
    "follow_ups": ("followups", "followup", "nextsteps"),
    "decisions": ("decisions", "decision"),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
_IDS = frozenset(
    {"evidence", "ids", "id", "utteranceids", "utteranceid", "utterances", "sources", "citations", "cites", "proof"}
    | {"start", "startid", "startutterance", "startutteranceid", "firstutterance"}
)
_FIELDS: Mapping[str, Callable[[Finding], str]] = {
    **dict.fromkeys(("title", "name", "headline"), lambda finding: finding.title or finding.text),
    **dict.fromkeys(
        (
            *("text", "statement", "description", "summary", "question", "topic", "decision", "task", "action"),
            *("content", "item", "value", "keyword", "quote", "followup"),
        ),
        lambda finding: finding.text,
    ),
    **dict.fromkeys(("assignee", "owner", "assignedto", "who", "responsible"), lambda finding: finding.assignee),
    **dict.fromkeys(("due", "duedate", "deadline", "when", "dueby"), lambda finding: finding.due),
    **dict.fromkeys(("speaker", "askedby", "requestedby", "decidedby"), lambda finding: finding.speaker),
    **dict.fromkeys(("answer", "reply", "response"), lambda finding: finding.answer),
}
_OPTIONAL_FIELDS = frozenset({"assignee", "owner", "due", "duedate", "deadline", "answer", "reply"})
_DEEPEST = 12
_FORMATS = {
    "date": "1970-01-01",
    "date-time": "1970-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "a@example.com",
    "hostname": "example.com",
    "uri": "https://example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def filled(schema: Schema, findings: Findings) -> Any:
    """Return a value of this schema with what was found.

    Raises:
        ConverseError: no value that ends has this schema.
    """
    try:
        return _Filling(schema, findings).value(schema)
    except RecursionError:
        raise ConverseError("ModelErrorException", "No value that ends has the schema of the request.") from None


class _Filling:
    def __init__(self, root: Schema, findings: Findings) -> None:
        self._root = root
        self._findings = findings
        self._depth = 0

    def value(self, schema: Schema) -> Any:
        """The value of a schema that no finding belongs to yet: its properties name kinds."""
        schema = self._resolved(schema)
        if _type(schema) != "object":
            return self._shortest(schema)
        return {name: self._of_kind(name, part) for name, part in self._members(schema)}

    def _members(self, schema: Schema) -> Iterator[tuple[str, Schema]]:
        """The members to fill. A tool's schema may hold itself: far down only what is required is filled."""
        self._depth += 1
        for name, part in schema.get("properties", {}).items():
            if self._depth < _DEEPEST or name in schema.get("required", []):
                yield name, part if isinstance(part, dict) else {}
        self._depth -= 1

    def _of_kind(self, name: str, schema: Schema) -> Any:
        described = self._resolved(schema)
        kind = _kind(name, f"{schema.get('description', '')} {described.get('description', '')}")
        if kind is None:
            return self.value(described) if _type(described) == "object" else self._shortest(schema)
        found: Sequence[Finding] = getattr(self._findings, kind)
        match _type(described):
            case "array":
                most = described.get("maxItems", len(found))
                items = described.get("items", {})
                return [self._of(finding, items) for finding in found[:most]] or self._shortest(described)
            case "object" | "string":
                return self._of(_joined(found), described) if found else self._shortest(schema)
        return self._shortest(schema)

    def _of(self, finding: Finding, schema: Schema, name: str = "text") -> Any:
        """The value of a schema for one finding."""
        resolved = self._resolved(schema, nullable=_wants(name, finding) == "")
        match _type(resolved):
            case "object":
                return self._members_of(finding, resolved)
            case "array" | "string" if _simple(name) in _IDS:
                return self._ids(finding, resolved)
            case "string" if (text := _wants(name, finding)) and _allows(resolved, text):
                return text
        return self._shortest(resolved)

    def _members_of(self, finding: Finding, schema: Schema) -> dict[str, Any]:
        required = schema.get("required", [])
        members = {}
        for name, part in self._members(schema):
            is_left_out = _simple(name) in _OPTIONAL_FIELDS and name not in required
            if not (is_left_out and _wants(name, finding) == ""):
                members[name] = self._of(finding, part, _named(name, self._resolved(part)))
        return members

    def _ids(self, finding: Finding, schema: Schema) -> Any:
        """All ids for a list, the first one for a text; the shortest value if the schema does not take them."""
        ids = self._listed_ids(finding, schema) if _type(schema) == "array" else next(iter(finding.ids), "")
        known = {name: self._root[name] for name in ("$defs", "definitions") if name in self._root}
        return ids if Draft202012Validator({**known, **schema}).is_valid(ids) else self._shortest(schema)

    def _listed_ids(self, finding: Finding, schema: Schema) -> list[Any]:
        items = self._resolved(schema.get("items", {}))
        match _type(items):
            case "integer" | "number":
                return [int(utterance) for utterance in finding.ids if utterance.isdecimal()]
            case "object":
                return [self._of(Finding(finding.text, (utterance,)), items, "id") for utterance in finding.ids]
        return list(finding.ids[: schema.get("maxItems", len(finding.ids))])

    def _resolved(self, schema: Any, *, nullable: bool = False) -> Schema:
        """The schema behind references and unions: null where a union has it and `nullable`, else its first type."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            target = referenced(self._root, schema["$ref"])
            own = {name: part for name, part in schema.items() if name != "$ref"}
            return self._resolved({**(target if isinstance(target, dict) else {}), **own}, nullable=nullable)
        if "allOf" in schema:
            merged = dict(schema)
            for part in merged.pop("allOf"):
                merged = {**merged, **self._resolved(part)}
            return merged
        if isinstance(schema.get("type"), list):
            return {**schema, "type": _chosen(schema["type"], nullable)}
        for union in ("anyOf", "oneOf"):
            if options := [self._resolved(option) for option in schema.get(union, [])]:
                types = [_type(option) for option in options]
                return options[types.index(_chosen(types, nullable))]
        return schema

    def _shortest(self, schema: Schema) -> Any:
        schema = self._resolved(schema, nullable=True)
        if "const" in schema or schema.get("enum"):
            return schema["const"] if "const" in schema else schema["enum"][0]
        match _type(schema):
            case "object":
                required = schema.get("required", [])
                return {name: self._shortest(schema.get("properties", {}).get(name, {})) for name in required}
            case "array":
                return [self._shortest(schema.get("items", {}))] * schema.get("minItems", 0)
            case "string":
                return _FORMATS.get(schema.get("format", ""), "-" * schema.get("minLength", 0))
            case "integer" | "number":
                return schema.get("minimum", 0)
            case "boolean":
                return False
        return None


def _chosen(types: Sequence[str], nullable: bool) -> str:
    if nullable and "null" in types:
        return "null"
    return next((kind for kind in types if kind != "null"), "null")


def _type(schema: Schema) -> str:
    if "type" in schema:
        return str(schema["type"])
    if "properties" in schema:
        return "object"
    return "string" if "enum" in schema else "any"


def _simple(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _kind(name: str, description: str) -> str | None:
    if kind := _KIND_OF.get(_simple(name)):
        return kind
    words = _simple(description)
    return next((kind for word, kind in _KIND_OF.items() if len(word) > 5 and word in words), None)


def _named(name: str, schema: Schema) -> str:
    """The name of a member, or the one that its description uses."""
    if _simple(name) in _IDS or _simple(name) in _FIELDS:
        return name
    words = re.findall("[a-z]+", str(schema.get("description", "")).lower())
    if {"ids", "utterance", "utterances"} & set(words):
        return "ids"
    return next((word for word in words if word in _FIELDS), name)


def _wants(name: str, finding: Finding) -> str | None:
    """The text of a finding that a member of this name wants, None if it wants no text of it."""
    field = _FIELDS.get(_simple(name))
    return field(finding) if field else None


def _allows(schema: Schema, text: str) -> bool:
    if "enum" in schema or "const" in schema or "format" in schema:
        return text in schema.get("enum", [schema.get("const")])
    return bool(schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)))


def _joined(found: Sequence[Finding]) -> Finding:
    if len(found) == 1:
        return found[0]
    ids = tuple(dict.fromkeys(utterance for finding in found for utterance in finding.ids))
    return Finding(", ".join(finding.text for finding in found), ids)
