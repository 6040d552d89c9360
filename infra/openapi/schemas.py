"""JSON Schemas of Python types."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, dataclass, field, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from recording_insights.validation import Schema

_MOMENTS = ("since", "until", "as_of", "at")
_SIMPLE: Mapping[Any, Schema] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
}


@dataclass(frozen=True)
class Shape:
    """An object of an answer that has a name in the document.

    `fields` are Python types, other shapes, lists of one such, or JSON Schemas. `required` are the fields that are
    always there. `words` say what a field means.
    """

    name: str
    description: str
    fields: Mapping[str, Any]
    required: Collection[str] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_row(
        cls,
        name: str,
        row: type,
        *,
        without: Collection[str],
        more: Mapping[str, Any],
        required: Collection[str],
        words: Mapping[str, str],
    ) -> "Shape":
        """The attributes of a kind of row that the API shows, and `more` fields or other types of them."""
        shown = {attribute: kind for attribute, kind in get_type_hints(row).items() if attribute not in without}
        return cls(name, _first_line(row), {**shown, **more}, required, words)

    @classmethod
    def of_part(cls, part: type, *, without: Collection[str] = (), **more: Any) -> "Shape":
        """The fields of a dataclass that answers leave out where they have no value.

        `more` are beside them, or of another type.
        """
        kinds = {name: kind for name, kind in get_type_hints(part).items() if name not in without}
        required = [each.name for each in fields(part) if each.default is MISSING]
        return cls(part.__name__, _first_line(part), {**kinds, **more}, required)

    @property
    def reference(self) -> Schema:
        """The schema that refers to this shape."""
        return {"$ref": f"#/components/schemas/{self.name}"}

    @property
    def schema(self) -> Schema:
        """The schema itself. A client has to accept fields that it does not know."""
        properties = {name: self._described(name, kind) for name, kind in self.fields.items()}
        required = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "description": self.description, "properties": properties, **required}

    @property
    def parts(self) -> "Sequence[Shape]":
        """The shapes that the fields refer to."""
        inner = (kind[0] if isinstance(kind, list) else kind for kind in self.fields.values())
        return [kind for kind in inner if isinstance(kind, Shape)]

    def _described(self, name: str, kind: Any) -> Schema:
        schema = schema_of(kind)
        if schema == _SIMPLE[str] and (name.endswith("_at") or name in _MOMENTS):
            schema = {"type": "string", "format": "date-time"}
        return {**schema, "description": self.words[name]} if name in self.words else schema


def schema_of(kind: Any) -> Schema:
    """Return the schema of a Python type, of a shape, of a list with one of these, or a schema as it is.

    Raises:
        TypeError: there is no rule for the type.
    """
    if isinstance(kind, Shape):
        return kind.reference
    if isinstance(kind, dict):
        return kind
    if isinstance(kind, list):
        return {"type": "array", "items": schema_of(kind[0])}
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if is_typeddict(kind):
        properties = {name: schema_of(inner) for name, inner in get_type_hints(kind).items()}
        return {"type": "object", "properties": properties, "required": sorted(kind.__required_keys__)}
    return _schema_of_generic(kind)


def _schema_of_generic(kind: Any) -> Schema:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"type": "string", "enum": list(inner)}
    if origin in (Union, UnionType):
        values = [schema_of(each) for each in inner if each is not NoneType]
        return values[0] if len(values) == 1 else _one_number_or_any(values)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence | AbstractSet):
        return {"type": "array", "items": schema_of(inner[0])}
    raise TypeError(f"no JSON Schema for {kind}")


def _one_number_or_any(values: list[Schema]) -> Schema:
    """A whole number is a number: `float | int` is one type."""
    if all(value.get("type") in ("integer", "number") for value in values):
        return _SIMPLE[float]
    return {"anyOf": values}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
