"""Checks of providers' options: what a value may be, in words that a caller can act on."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], str | None]
"""Says what is wrong with a value, None if nothing."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")


def one_of(*allowed: str) -> Check:
    """A name out of `allowed`."""

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value in allowed else f"must be one of {', '.join(allowed)}"

    return check


def one_or_more_of(*allowed: str) -> Check:
    """A non-empty list of different names out of `allowed`."""

    def check(value: Any) -> str | None:
        if isinstance(value, list) and value and all(isinstance(v, str) and v in allowed for v in value):
            return None if len(set(value)) == len(value) else "must not name anything twice"
        return f"must be a list of one or more of {', '.join(allowed)}"

    return check


def words(*, most: int) -> Check:
    """A list of up to `most` non-empty texts of at most 100 characters."""

    def check(value: Any) -> str | None:
        texts = isinstance(value, list) and all(isinstance(v, str) and 0 < len(v.strip()) <= 100 for v in value)
        return None if texts and len(value) <= most else f"must be a list of up to {most} words or phrases"

    return check


def whole_number(lowest: int, highest: int) -> Check:
    """A whole number in a range, both ends included."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
        return None if fits else f"must be a whole number from {lowest} to {highest}"

    return check


def number(lowest: float, highest: float) -> Check:
    """A number in a range, both ends included."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest
        return None if fits else f"must be a number from {lowest} to {highest}"

    return check


def flag(value: Any) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be true or false"


def text(value: Any) -> str | None:
    """A non-empty text of at most 200 characters."""
    return None if isinstance(value, str) and 0 < len(value.strip()) <= 200 else "must be a text of 1 to 200 characters"


def language(value: Any) -> str | None:
    """A BCP 47 tag of language and, perhaps, script and region."""
    fits = isinstance(value, str) and _LANGUAGE.fullmatch(value)
    return None if fits else "must be a language tag such as en or en-US"


def objects(fields: Mapping[str, Check], *, most: int) -> Check:
    """A list of up to `most` objects that have exactly `fields`, each with its own check."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list) or not 0 < len(value) <= most:
            return f"must be a list of 1 to {most} objects with {', '.join(fields)}"
        for entry in value:
            if not isinstance(entry, dict) or entry.keys() != fields.keys():
                return f"must be a list of objects with {', '.join(fields)}"
            for name, check_field in fields.items():
                if fault := check_field(entry[name]):
                    return f"{name} {fault}"
        return None

    return check
