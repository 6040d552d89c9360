"""Tables of fields: our name and Agora's name of each, and the reader that checks a value and converts it to Agora's.

A nested object is a field whose reader reads a table of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recording_insights.validation import Reader, list_of, object_of, one_of


@dataclass(frozen=True)
class Field:
    """One field of a request, by Agora's name of it.

    `agora` is None where the reader returns an object of Agora's fields, which is merged into the result.
    """

    agora: str | None
    read: Reader[Any]
    required: bool = False


Fields = Mapping[str, Field]
"""By our name of each field."""


def read_fields(fields: Fields, given: Any, path: str = "") -> dict[str, Any]:
    """Return Agora's form of the object that lies at `path`.

    Raises:
        InvalidRequest: names the field that is missing, unknown or wrong, such as `transcoding.layout[0].x`.
    """
    return agora_object(fields)(path, given)


def agora_object(fields: Fields) -> Reader[dict[str, Any]]:
    """A reader of an object; returns Agora's form of it."""
    readers = {name: field.read for name, field in fields.items()}
    required = [name for name, field in fields.items() if field.required]
    return object_of(readers, required=required).mapped(lambda values: _translate(fields, values))


def agora_objects(fields: Fields, *, most: int) -> Reader[list[dict[str, Any]]]:
    """A reader of a list of 1 to `most` objects; returns Agora's form of each."""
    return list_of(agora_object(fields), most=most, of=f"objects with {', '.join(fields)}")


def named_value(**values: Any) -> Reader[Any]:
    """A reader of a name; returns Agora's value for it, mostly a number."""
    return one_of(*values).mapped(lambda name: values[name])


def _translate(fields: Fields, values: Mapping[str, Any]) -> dict[str, Any]:
    translated: dict[str, Any] = {}
    for name, value in values.items():
        agora = fields[name].agora
        translated |= value if agora is None else {agora: value}
    return translated
