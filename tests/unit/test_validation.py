"""Every reader: the values that it returns, the faults that it names, and the schema that describes it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.settings import SETTINGS
from recording_insights.agora.fields.decryption import DECRYPTION
from recording_insights.agora.fields.layout import LAYOUT, REGION, TRANSCODING, USER_BACKGROUND
from recording_insights.agora.fields.recorder import MODES, UPDATE, fields_of
from recording_insights.agora.fields.translation import Field, Fields, agora_object, agora_objects, named_value
from recording_insights.agora.fields.uids import uid, uid_list, uids_or_all
from recording_insights.errors import InvalidRequest
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.list import LIST_PARAMETERS
from recording_insights.recordings.request import request_readers
from recording_insights.validation import (
    Reader,
    checked,
    colour,
    distinct,
    flag,
    from_json,
    from_text,
    language,
    link,
    list_of,
    map_of,
    matching,
    number,
    object_of,
    one_of,
    phrase,
    phrases,
    recording_id,
    some_of,
    text,
    whole_number,
)

POINT = object_of({"x": whole_number(0, 9), "y": whole_number(0, 9)}, required=["x"])
POINT_SCHEMA = {
    "type": "object",
    "properties": {
        "x": {"type": "integer", "minimum": 0, "maximum": 9},
        "y": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "additionalProperties": False,
    "required": ["x"],
}
NO_MAPS: list[Any] = [{}, {"a": 1, "b": 1, "c": 1}, [], None]
NAMES = map_of(matching("[a-z]+", "must be a name"), whole_number(0, 9), fewest=1, most=2, detail="must be an object")
RENAMED: Fields = {
    "fit": Field("mode", named_value(no=0, yes=1)),
    "both": Field(None, flag.mapped(lambda on: {"b": on})),
}
RENAMED_SCHEMA = {
    "type": "object",
    "properties": {"fit": {"type": "string", "enum": ["no", "yes"]}, "both": {"type": "boolean"}},
    "additionalProperties": False,
}

READERS: list[tuple[str, Reader[Any], dict[str, Any], list[tuple[Any, Any]], list[tuple[Any, str]]]] = [
    (
        "checked",
        checked(lambda value: value == 1, "must be 1", {"const": 1}),
        {"const": 1},
        [(1, 1)],
        [(2, "field: must be 1")],
    ),
    (
        "text",
        text(3),
        {"type": "string", "minLength": 1, "maxLength": 3},
        [("abc", "abc"), (" ", " ")],
        [(value, "field: must be a text of 1 to 3 characters") for value in ("", "abcd", 1, None, ["a"])],
    ),
    (
        "phrase",
        phrase(3),
        {"type": "string", "minLength": 1, "maxLength": 3, "pattern": r"\S"},
        [("abc", "abc"), (" abc ", " abc ")],
        [(value, "field: must be a text of 1 to 3 characters") for value in ("", "  ", "abcd", 1)],
    ),
    (
        "matching",
        matching("a|b", "must be a or b"),
        {"type": "string", "pattern": "^(?:a|b)$"},
        [("a", "a"), ("b", "b")],
        [(value, "field: must be a or b") for value in ("ab", "a\n", "", 1, None)],
    ),
    (
        "one_of texts",
        one_of("a", "b"),
        {"type": "string", "enum": ["a", "b"]},
        [("b", "b")],
        [(value, "field: must be one of a, b") for value in ("c", "", None, ["a"], {"a": 1})],
    ),
    (
        "one_of numbers",
        one_of(1, 7),
        {"type": "integer", "enum": [1, 7]},
        [(7, 7)],
        [(value, "field: must be one of 1, 7") for value in (2, "7", 7.0, True)],
    ),
    (
        "whole_number",
        whole_number(1, 5),
        {"type": "integer", "minimum": 1, "maximum": 5},
        [(1, 1), (5, 5)],
        [(value, "field: must be a whole number from 1 to 5") for value in (0, 6, 2.0, "2", True, None)],
    ),
    (
        "number",
        number(0.5, 1),
        {"type": "number", "minimum": 0.5, "maximum": 1},
        [(0.5, 0.5), (1, 1)],
        [(value, "field: must be a number from 0.5 to 1") for value in (0.4, 1.1, "1", True, float("nan"))],
    ),
    ("flag", flag, {"type": "boolean"}, [(True, True)], [(1, "field: must be true or false"), ("true", "field: ")]),
    (
        "colour",
        colour,
        {"type": "string", "pattern": "^(?:#[0-9A-Fa-f]{6})$"},
        [("#FF88aa", "#FF88aa")],
        [(value, "field: must be a colour such as #FF8800") for value in ("FF8800", "#FF880", "#GG8800", 7)],
    ),
    (
        "language",
        language,
        {"type": "string", "pattern": "^(?:[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?)$"},
        [("en", "en"), ("zh-Hans-CN", "zh-Hans-CN"), ("es-419", "es-419")],
        [(value, "field: must be a language tag such as en or en-US") for value in ("EN", "en_US", "", None)],
    ),
    (
        "recording_id",
        recording_id,
        {"type": "string", "pattern": "^(?:[0-9a-f]{32})$"},
        [("0a" * 16, "0a" * 16)],
        [(value, "field: must be the id of a recording") for value in ("0A" * 16, "0a" * 15, "", 7)],
    ),
    (
        "link",
        link("https", "http"),
        {"type": "string", "format": "uri", "pattern": "^(?:https|http)://", "maxLength": 2048},
        [("http://localhost:80/a?b=c", "http://localhost:80/a?b=c")],
        [
            (value, "field: must be an https or http URL of at most 2048 characters, without user and password")
            for value in ("ftp://a", "https://", "https://u:p@a", "https://a b", "https://a:x", "https://[", "", 7)
        ],
    ),
    (
        "list_of",
        list_of(whole_number(1, 5), most=2, of="numbers"),
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 5},
            "minItems": 1,
            "maxItems": 2,
        },
        [([1, 1], [1, 1])],
        [
            ([], "field: must be a list of 1 to 2 numbers"),
            ([1, 2, 3], "field: must be a list of 1 to 2 numbers"),
            ("1", "field: must be a list of 1 to 2 numbers"),
            ([1, 6], "field[1]: must be a whole number from 1 to 5"),
        ],
    ),
    (
        "list_of without an end",
        list_of(flag, of="flags"),
        {"type": "array", "items": {"type": "boolean"}, "minItems": 1},
        [([True], [True])],
        [([], "field: must be a list of 1 or more flags")],
    ),
    (
        "distinct",
        distinct(list_of(one_of("a", "b"), most=2, of="names"), "must not repeat"),
        {
            "type": "array",
            "items": {"type": "string", "enum": ["a", "b"]},
            "minItems": 1,
            "maxItems": 2,
            "uniqueItems": True,
        },
        [(["b", "a"], ["b", "a"])],
        [(["a", "a"], "field: must not repeat"), (["a", []], "field[1]: must be one of a, b")],
    ),
    (
        "some_of",
        some_of("a", "b"),
        {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 1, "uniqueItems": True},
        [(["a"], ["a"])],
        [
            *((value, "field: must be a list of one or more of a, b") for value in ([], ["c"], [["a"]], "a")),
            (["a", "a"], "field: must not name anything twice"),
        ],
    ),
    (
        "phrases",
        phrases(most=2),
        {"type": "array", "items": dict(phrase(100).schema), "minItems": 0, "maxItems": 2},
        [([], []), (["a b"], ["a b"])],
        [(value, "field: must be a list of up to 2 words or phrases") for value in (["a"] * 3, [" "], [1], "a")],
    ),
    (
        "object_of",
        POINT,
        POINT_SCHEMA,
        [({"y": 2, "x": 1}, {"x": 1, "y": 2}), ({"x": 1}, {"x": 1})],
        [
            ([], "field: must be an object with x, y"),
            ({"y": 1}, "field.x: is required"),
            ({"x": 1, "z": 1}, "field.z: unknown; the fields are x, y"),
            ({"x": 10}, "field.x: must be a whole number from 0 to 9"),
        ],
    ),
    (
        "map_of",
        NAMES,
        {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": "^(?:[a-z]+)$"},
            "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 9},
            "minProperties": 1,
            "maxProperties": 2,
        },
        [({"a": 1}, {"a": 1})],
        [
            *((value, "field: must be an object") for value in NO_MAPS),
            ({"A": 1}, "field.A: must be a name"),
            ({"a": 10}, "field.a: must be a whole number from 0 to 9"),
        ],
    ),
    (
        "from_text",
        from_text(int, whole_number(1, 5)),
        {"type": "integer", "minimum": 1, "maximum": 5},
        [("5", 5), (5, 5)],
        [(value, "field: must be a whole number from 1 to 5") for value in ("6", "x", "", 1.5)],
    ),
    (
        "from_json",
        from_json(POINT),
        POINT_SCHEMA,
        [('{"x": 1}', {"x": 1}), ({"x": 1}, {"x": 1})],
        [("{", "field: must be an object with x, y"), ('{"x": "1"}', "field.x: must be a whole number from 0 to 9")],
    ),
    ("mapped", flag.mapped(int), {"type": "boolean"}, [(True, 1)], [(1, "field: must be true or false")]),
    (
        "with_detail",
        POINT.with_detail("must be a point"),
        POINT_SCHEMA,
        [({"x": 1}, {"x": 1})],
        [(value, "field: must be a point") for value in ({"x": 10}, {}, 7)],
    ),
    (
        "uid",
        uid,
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 4294967295},
                {"type": "string", "pattern": "^[1-9][0-9]{0,9}$"},
            ]
        },
        [(7, "7"), ("7", "7")],
        [(value, "field: must be a whole number from 1 to 4294967295") for value in (0, "07", 2**32, True, 1.0, "a")],
    ),
    (
        "uid_list",
        uid_list,
        {"type": "array", "items": dict(uid.schema), "minItems": 1, "maxItems": 32, "uniqueItems": True},
        [([7, "8"], ["7", "8"])],
        [
            ([], "field: must be a list of 1 to 32 uids"),
            ([7, "7"], "field: must not name a uid twice"),
            ([7, 0], "field[1]: must be a whole number from 1 to 4294967295"),
        ],
    ),
    (
        "uids_or_all",
        uids_or_all,
        {"anyOf": [{"const": "all"}, dict(uid_list.schema)]},
        [("all", ["#allstream#"]), ([7], ["7"])],
        [("some", 'field: must be a list of 1 to 32 uids, or "all"'), ([], "field: must be a list of 1 to 32 uids")],
    ),
    (
        "agora_object",
        agora_object(RENAMED),
        RENAMED_SCHEMA,
        [({"fit": "yes", "both": True}, {"mode": 1, "b": True}), ({}, {})],
        [({"fit": 1}, "field.fit: must be one of no, yes"), ({"mode": 1}, "field.mode: unknown; the fields are ")],
    ),
    (
        "agora_objects",
        agora_objects(RENAMED, most=2),
        {"type": "array", "items": RENAMED_SCHEMA, "minItems": 1, "maxItems": 2},
        [([{"fit": "no"}], [{"mode": 0}])],
        [
            ([], "field: must be a list of 1 to 2 objects with fit, both"),
            ([{}, {"fit": 1}], "field[1].fit: must be one of no, yes"),
        ],
    ),
]
NAMED = pytest.mark.parametrize(
    ("reader", "schema", "accepted", "refused"), [row[1:] for row in READERS], ids=[row[0] for row in READERS]
)


@NAMED
def test_a_reader_returns_the_value_or_names_the_fault(
    reader: Reader[Any], schema: dict[str, Any], accepted: list[Any], refused: list[Any]
) -> None:
    for value, read in accepted:
        assert reader("field", value) == read
        assert reader.accepts(value)
    for value, fault in refused:
        assert not reader.accepts(value)
        with pytest.raises(InvalidRequest, match=f"^{re.escape(fault)}"):
            reader("field", value)


@NAMED
def test_a_reader_describes_what_it_accepts(
    reader: Reader[Any], schema: dict[str, Any], accepted: list[Any], refused: list[Any]
) -> None:
    assert reader.schema == schema
    assert list(schema_faults(reader.schema)) == []


def test_the_fields_of_a_whole_body_have_no_prefix() -> None:
    with pytest.raises(InvalidRequest, match=r"^x: is required"):
        POINT("", {})


TABLES: dict[str, Mapping[str, Reader[Any]]] = {
    "query of the list": LIST_PARAMETERS,
    **{
        name: {field: one.read for field, one in fields.items()}
        for name, fields in {
            **{f"start, {mode}": fields_of(mode) for mode in MODES},
            **{f"update, {mode}": UPDATE[mode] for mode in MODES},
            "layout": LAYOUT,
            "transcoding": TRANSCODING,
            "region": REGION,
            "background": USER_BACKGROUND,
            "decryption": DECRYPTION,
        }.items()
    },
    **{f"request, {mode}": request_readers(mode, tuple(PROVIDERS)) for mode in MODES},
    **{f"options, {name}": row.options for name, row in PROVIDERS.items()},
    "settings": {key: setting.read for key, setting in SETTINGS.items()},
}


@pytest.mark.parametrize("table", TABLES)
def test_every_reader_of_every_table_has_a_valid_schema(table: str) -> None:
    assert TABLES[table]
    for name, reader in TABLES[table].items():
        assert isinstance(reader, Reader), name
        assert reader.schema, name
        assert list(schema_faults(reader.schema)) == [], name


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"minimum": "1"},
        {"minLength": -1},
        {"pattern": "["},
        {"enum": []},
        {"items": 7},
        {"properties": {"a": {"kind": "string"}}},
        {"anyOf": []},
        {"required": "a"},
        {"uniqueItems": 1},
    ],
)
def test_the_check_of_schemas_finds_faults(schema: dict[str, Any]) -> None:
    assert list(schema_faults(schema))


def schema_faults(schema: Any, path: str = "#") -> Iterator[str]:
    """What in a schema is not JSON Schema 2020-12, as far as the keywords go that the readers use."""
    if not isinstance(schema, Mapping):
        yield f"{path} is not an object"
        return
    for keyword, value in schema.items():
        if keyword in ("items", "propertyNames"):
            yield from schema_faults(value, f"{path}/{keyword}")
        elif keyword == "additionalProperties":
            yield from () if isinstance(value, bool) else schema_faults(value, f"{path}/{keyword}")
        elif keyword == "properties":
            for name, inner in value.items():
                yield from schema_faults(inner, f"{path}/properties/{name}")
        elif keyword == "anyOf":
            yield from () if value else [f"{path}/anyOf is empty"]
            for index, inner in enumerate(value):
                yield from schema_faults(inner, f"{path}/anyOf/{index}")
        elif not KEYWORDS.get(keyword, lambda _: False)(value):
            yield f"{path}/{keyword} is unknown or has a wrong value"


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    # Not in ECMA-262: named groups as Python spells them, \A and \Z, possessive quantifiers.
    return not re.search(r"\(\?P|\\A|\\Z|[*+?]\+", value)


KEYWORDS = {
    "type": lambda value: value in ("string", "integer", "number", "boolean", "array", "object"),
    "enum": lambda value: isinstance(value, list) and len(set(value)) == len(value) > 0,
    "const": lambda value: True,
    "pattern": _is_pattern,
    "format": lambda value: value in ("uri", "date-time"),
    "contentEncoding": lambda value: value == "base64",
    "required": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "uniqueItems": lambda value: isinstance(value, bool),
    **dict.fromkeys(("minimum", "maximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count),
}
