"""Checks of single parameters, as strict as Agora's: names are case-sensitive, and a number is not a text."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit


class BadParameter(Exception):
    """A parameter is missing, has the wrong type, or is out of range. The message is Agora's `reason`."""


Check = Callable[[Any], bool]

_DIGITS = re.compile(r"[1-9][0-9]{0,9}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_MOST_UIDS = 32
EVERYBODY = ["#allstream#"]


def integer(low: int, high: int = (1 << 31) - 1) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def share(value: Any) -> bool:
    """A relative value: 0 to 1."""
    return type(value) in (int, float) and 0 <= value <= 1


def boolean(value: Any) -> bool:
    return isinstance(value, bool)


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def an_object(value: Any) -> bool:
    return isinstance(value, dict)


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def one_of(*allowed: str) -> Check:
    return lambda value: isinstance(value, str) and value in allowed


def uid(value: Any) -> bool:
    """A quoted integer, 1 to 2^32-1."""
    return isinstance(value, str) and _DIGITS.fullmatch(value) is not None and int(value) < 1 << 32


def uids(value: Any) -> bool:
    """Up to 32 uids, or everybody."""
    return value == EVERYBODY or (texts(value) and 0 < len(value) <= _MOST_UIDS and all(map(uid, value)))


def colour(value: Any) -> bool:
    return isinstance(value, str) and _COLOUR.fullmatch(value) is not None


def url(value: Any) -> bool:
    return _address(value, "http", "https")


def rtmp_url(value: Any) -> bool:
    return _address(value, "rtmp", "rtmps")


def salt(value: Any) -> bool:
    """32 bytes in base64."""
    try:
        return isinstance(value, str) and len(base64.b64decode(value, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def fields(given: Any, where: str, checks: Mapping[str, Check]) -> None:
    """Check that every parameter of an object is known and valid. Raises BadParameter."""
    if not isinstance(given, dict):
        raise BadParameter(f"{where} must be an object")
    for name, value in given.items():
        if name not in checks:
            raise BadParameter(f"{where}.{name} is not a parameter")
        if not checks[name](value):
            raise BadParameter(f"{where}.{name} is invalid")


def require(given: Mapping[str, Any], where: str, *names: str) -> None:
    """Check that an object has all these parameters. Raises BadParameter."""
    missing = [name for name in names if name not in given]
    if missing:
        raise BadParameter(f"{where}.{missing[0]} is required")


def _address(value: Any, *schemes: str) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    except ValueError:  # half of an IPv6 address
        return False
    return parts.scheme in schemes and bool(parts.hostname)
