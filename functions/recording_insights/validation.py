"""Fields of a request that become Agora's: reading one checks it and says it in Agora's words.

A table of fields describes an object; what nests, nests as a field whose reader reads a table of its own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from recording_insights.errors import InvalidRequest

Read = Callable[[str, Any], Any]
"""(the field's path, its value) → Agora's value, or `InvalidRequest` that names the path."""

LARGEST_UID = 2**32 - 1
MOST_UIDS = 32
EVERYBODY = "all"
AGORAS_EVERYBODY = "#allstream#"

_DIGITS = re.compile(r"[1-9][0-9]{0,9}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_LONGEST_LINK = 2048


@dataclass(frozen=True)
class Field:
    """`agora` is its name there; None if what is read is an object of Agora's fields itself."""

    agora: str | None
    read: Read
    required: bool = False


Fields = Mapping[str, Field]


def read_fields(fields: Fields, given: Any, path: str = "") -> dict[str, Any]:
    """Agora's form of an object that lies at `path`, which is empty or ends in a dot.

    Raises:
        InvalidRequest: names the field that is missing, unknown or wrong, such as `transcoding.layout[0].x`.
    """
    if not isinstance(given, Mapping):
        raise InvalidRequest(path.rstrip("."), f"must be an object with {', '.join(fields)}")
    for name in given:
        if name not in fields:
            raise InvalidRequest(f"{path}{name}", f"unknown; the fields are {', '.join(fields)}")
    told: dict[str, Any] = {}
    for name, field in fields.items():
        if name in given:
            value = field.read(f"{path}{name}", given[name])
            told |= value if field.agora is None else {field.agora: value}
        elif field.required:
            raise InvalidRequest(f"{path}{name}", "is required")
    return told


def objects(fields: Fields, *, most: int) -> Read:
    """A list of 1 to `most` such objects."""

    def read(path: str, value: Any) -> Any:
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise InvalidRequest(path, f"must be a list of 1 to {most} objects with {', '.join(fields)}")
        return [read_fields(fields, entry, f"{path}[{index}].") for index, entry in enumerate(value)]

    return read


def one_of(**numbers: Any) -> Read:
    """A word; Agora has a value for each, mostly a number."""

    def read(path: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in numbers:
            raise InvalidRequest(path, f"must be one of {', '.join(numbers)}")
        return numbers[value]

    return read


def whole_number(lowest: int, highest: int = 2**31 - 1) -> Read:
    """A whole number in a range, both ends included."""

    def read(path: str, value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise InvalidRequest(path, f"must be a whole number from {lowest} to {highest}")
        return value

    return read


def share(path: str, value: Any) -> Any:
    """A part of the whole, 0 to 1; Agora reads six decimals."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise InvalidRequest(path, "must be a number from 0 to 1")
    return round(value, 6)


def flag(path: str, value: Any) -> Any:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidRequest(path, "must be true or false")
    return value


def uid(path: str, value: Any) -> str:
    """A uid of the channel, a number or its digits; in digits for Agora."""
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(digits, str) or not _DIGITS.fullmatch(digits) or int(digits) > LARGEST_UID:
        raise InvalidRequest(path, f"must be a whole number from 1 to {LARGEST_UID}")
    return digits


def uids(path: str, value: Any) -> list[str]:
    """A list of different uids, or "all"."""
    if value == EVERYBODY:
        return [AGORAS_EVERYBODY]
    if isinstance(value, list):
        return few_uids(path, value)
    raise InvalidRequest(path, f'must be a list of 1 to {MOST_UIDS} uids, or "{EVERYBODY}"')


def few_uids(path: str, value: Any) -> list[str]:
    """A list of different uids."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_UIDS:
        raise InvalidRequest(path, f"must be a list of 1 to {MOST_UIDS} uids")
    read = [uid(f"{path}[{index}]", entry) for index, entry in enumerate(value)]
    if len(set(read)) < len(read):
        raise InvalidRequest(path, "must not name a uid twice")
    return read


def colour(path: str, value: Any) -> Any:
    """A colour as `#RRGGBB`."""
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise InvalidRequest(path, "must be a colour such as #FF8800")
    return value


def link(*schemes: str) -> Read:
    """An absolute URL of one of the schemes, without a user's name or password in it."""
    wrong = f"must be an {' or '.join(schemes)} URL of at most {_LONGEST_LINK} characters, without user and password"
    beginnings = tuple(f"{scheme}://" for scheme in schemes)

    def read(path: str, value: Any) -> Any:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
            raise InvalidRequest(path, wrong)
        try:
            parts = urlsplit(value)
            fits = value.startswith(beginnings) and parts.hostname and "@" not in parts.netloc and (parts.port or 1)
        except ValueError:  # a port that is none, half of an IPv6 address
            fits = False
        if not fits or len(value) > _LONGEST_LINK:
            raise InvalidRequest(path, wrong)
        return value

    return read
