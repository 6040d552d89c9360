"""Readers: small objects that check one value and describe what they accept as JSON Schema.

A reader is called with the path of a field and its value. It returns the value, converted if need be, or raises
`InvalidRequest`, which names the path. Request bodies, provider options and stack settings are tables of readers, so
that an API document can be generated from the same tables.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from recording_insights.bounded import parse_bounded
from recording_insights.errors import InvalidRequest

T = TypeVar("T")
U = TypeVar("U")
Schema = Mapping[str, Any]
"""A fragment of JSON Schema, draft 2020-12."""

LONGEST_URL = 2048


@dataclass(frozen=True)
class Reader(Generic[T]):
    """Checks and converts one value: `reader(path, value)`; `schema` describes the values that it accepts.

    `path` is where the value lies, such as `transcoding.layout[0].x`. It is empty for a whole body.
    """

    read: Callable[[str, Any], T]
    schema: Schema

    def __call__(self, path: str, value: Any) -> T:
        """Return the value, converted.

        Raises:
            InvalidRequest: the value is not allowed; names `path`, or the field below it that is wrong.
        """
        return self.read(path, value)

    def accepts(self, value: Any) -> bool:
        """Whether the value is allowed."""
        try:
            self.read("", value)
        except InvalidRequest:
            return False
        return True

    def mapped(self, convert: Callable[[T], U]) -> "Reader[U]":
        """The same check, with the value converted afterwards."""
        return Reader(lambda path, value: convert(self.read(path, value)), self.schema)

    def with_detail(self, detail: str) -> "Reader[T]":
        """The same check, where every fault, also of a nested value, is reported on the whole value with `detail`."""

        def read(path: str, value: Any) -> T:
            try:
                return self.read(path, value)
            except InvalidRequest:
                raise InvalidRequest(path, detail) from None

        return Reader(read, self.schema)


def checked(fits: Callable[[Any], bool], detail: str, schema: Schema) -> Reader[Any]:
    """A reader that returns the value unchanged if it fits, and otherwise refuses it with `detail`."""

    def read(path: str, value: Any) -> Any:
        if not fits(value):
            raise InvalidRequest(path, detail)
        return value

    return Reader(read, schema)


def text(longest: int) -> Reader[str]:
    """A text of 1 to `longest` characters."""
    return checked(
        lambda value: isinstance(value, str) and 0 < len(value) <= longest,
        f"must be a text of 1 to {longest} characters",
        {"type": "string", "minLength": 1, "maxLength": longest},
    )


def phrase(longest: int) -> Reader[str]:
    """A text that is not blank, of at most `longest` characters without the blanks around it."""
    return checked(
        lambda value: isinstance(value, str) and 0 < len(value.strip()) <= longest,
        f"must be a text of 1 to {longest} characters",
        {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"\S"},
    )


def matching(pattern: str, detail: str) -> Reader[str]:
    """A text that matches the whole of a pattern, which has to mean the same to Python and to ECMA-262."""
    form = re.compile(pattern)
    return checked(
        lambda value: isinstance(value, str) and form.fullmatch(value) is not None,
        detail,
        {"type": "string", "pattern": f"^(?:{pattern})$"},
    )


def one_of(*allowed: T) -> Reader[T]:
    """One of some texts, or one of some whole numbers."""
    kind = type(allowed[0])
    return checked(
        lambda value: type(value) is kind and value in allowed,
        f"must be one of {', '.join(map(str, allowed))}",
        {"type": "string" if kind is str else "integer", "enum": list(allowed)},
    )


def whole_number(lowest: int, highest: int = 2**31 - 1) -> Reader[int]:
    """A whole number in a range, both ends included."""
    return checked(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest,
        f"must be a whole number from {lowest} to {highest}",
        {"type": "integer", "minimum": lowest, "maximum": highest},
    )


def number(lowest: float, highest: float) -> Reader[float]:
    """A number in a range, both ends included."""
    return checked(
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest,
        f"must be a number from {lowest} to {highest}",
        {"type": "number", "minimum": lowest, "maximum": highest},
    )


def link(*schemes: str) -> Reader[str]:
    """An absolute URL of one of the schemes, without user name and password."""
    beginnings = tuple(f"{scheme}://" for scheme in schemes)

    def fits(value: Any) -> bool:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
            return False
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError:  # the port is no number, or an IPv6 address is not closed
            return False
        return value.startswith(beginnings) and bool(host) and "@" not in parts.netloc and len(value) <= LONGEST_URL

    return checked(
        fits,
        f"must be an {' or '.join(schemes)} URL of at most {LONGEST_URL} characters, without user and password",
        {"type": "string", "format": "uri", "pattern": f"^(?:{'|'.join(schemes)})://", "maxLength": LONGEST_URL},
    )


def list_of(item: Reader[T], *, fewest: int = 1, most: int | None = None, of: str) -> Reader[list[T]]:
    """A list, each entry read by `item`; a faulty entry is named as `path[0]`. `of` names the entries in messages."""

    def read(path: str, value: Any) -> list[T]:
        if not isinstance(value, list) or len(value) < fewest or (most is not None and len(value) > most):
            raise InvalidRequest(path, f"must be a list of {fewest} {'or more' if most is None else f'to {most}'} {of}")
        return [item(f"{path}[{index}]", entry) for index, entry in enumerate(value)]

    longest = {} if most is None else {"maxItems": most}
    return Reader(read, {"type": "array", "items": item.schema, "minItems": fewest, **longest})


def distinct(items: Reader[list[T]], detail: str) -> Reader[list[T]]:
    """A list without repeats; `detail` is what a repeat is refused with."""

    def read(path: str, value: Any) -> list[T]:
        entries = items(path, value)
        if len(set(entries)) < len(entries):
            raise InvalidRequest(path, detail)
        return entries

    return Reader(read, {**items.schema, "uniqueItems": True})


def some_of(*allowed: str) -> Reader[list[str]]:
    """A list of one or more different names out of `allowed`."""
    names = list_of(one_of(*allowed), of="names").with_detail(f"must be a list of one or more of {', '.join(allowed)}")
    return distinct(names, "must not name anything twice")


def phrases(*, most: int) -> Reader[list[str]]:
    """A list of up to `most` words or phrases of at most 100 characters."""
    detail = f"must be a list of up to {most} words or phrases"
    return list_of(phrase(100), fewest=0, most=most, of="words or phrases").with_detail(detail)


def object_of(readers: Mapping[str, Reader[Any]], *, required: Sequence[str] = ()) -> Reader[dict[str, Any]]:
    """An object with some fields, each read by its own reader, in the order of `readers`; a faulty field is named."""

    def read(path: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise InvalidRequest(path, f"must be an object with {', '.join(readers)}")
        for name in value:
            if name not in readers:
                raise InvalidRequest(_member(path, name), f"unknown; the fields are {', '.join(readers)}")
        fields = {}
        for name, reader in readers.items():
            if name in value:
                fields[name] = reader(_member(path, name), value[name])
            elif name in required:
                raise InvalidRequest(_member(path, name), "is required")
        return fields

    properties = {name: reader.schema for name, reader in readers.items()}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return Reader(read, {**schema, "required": list(required)} if required else schema)


def map_of(
    keys: Reader[str], values: Reader[T], *, fewest: int = 0, most: int | None = None, detail: str
) -> Reader[dict[str, T]]:
    """An object with any keys that `keys` accepts; `detail` is for a value that is no object, or has a wrong size."""

    def read(path: str, value: Any) -> dict[str, T]:
        if not isinstance(value, Mapping) or len(value) < fewest or (most is not None and len(value) > most):
            raise InvalidRequest(path, detail)
        return {keys(_member(path, key), key): values(_member(path, key), entry) for key, entry in value.items()}

    schema = {"type": "object", "propertyNames": keys.schema, "additionalProperties": values.schema}
    largest = {} if most is None else {"maxProperties": most}
    return Reader(read, {**schema, "minProperties": fewest, **largest})


def or_null(reader: Reader[T]) -> Reader[T | None]:
    """The same reader for values that may be null."""
    return Reader(
        lambda path, value: None if value is None else reader(path, value), {"anyOf": [reader.schema, {"type": "null"}]}
    )


def names_in_text(*allowed: str) -> Reader[list[str]]:
    """Different names out of `allowed`, separated by commas, as a query has them."""
    names = some_of(*allowed)
    return Reader(lambda path, value: names(path, value.split(",")), names.schema)


def from_text(parse: Callable[[str], Any], reader: Reader[T]) -> Reader[T]:
    """The same reader for values that may come as text, as on a command line; `schema` is that of the parsed value.

    `parse` raises ValueError for a text that it cannot parse. `reader` then gets the text itself, and refuses it.
    """

    def read(path: str, value: Any) -> T:
        if isinstance(value, str):
            try:
                value = parse(value)
            except ValueError:
                return reader(path, value)
        return reader(path, value)

    return Reader(read, reader.schema)


def whole_number_in_text(lowest: int, highest: int) -> Reader[int]:
    """A whole number in a range, as a query has it: digits, as many as `highest` has at most."""

    def parse(digits: str) -> int:
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(highest))):
            raise ValueError(digits)
        return int(digits)

    return from_text(parse, whole_number(lowest, highest))


def from_json(reader: Reader[T]) -> Reader[T]:
    """The same reader for values that may come as JSON text."""
    return from_text(parse_bounded, reader)


def _read_moment(path: str, value: Any) -> str:
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError(value)
        return read.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):
        raise InvalidRequest(path, "must be a time with its zone, such as 2026-03-12T09:30:00Z") from None


moment = Reader(_read_moment, {"type": "string", "format": "date-time"})
"""A time in ISO 8601; read as rows hold it, in UTC with microseconds."""


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


flag: Reader[bool] = checked(lambda value: isinstance(value, bool), "must be true or false", {"type": "boolean"})
"""True or false."""

colour = matching("#[0-9A-Fa-f]{6}", "must be a colour such as #FF8800")
"""A colour as `#RRGGBB`."""

language = matching("[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", "must be a language tag such as en or en-US")
"""A BCP 47 tag of a language, with a script and a region if wanted."""

RECORDING_ID = "[0-9a-f]{32}"
"""The pattern of a recording's id."""

recording_id = matching(RECORDING_ID, "must be the id of a recording")
"""The id of a recording, in the form that this service gives it."""
