"""JSON from vendors, and the fields that their APIs promise.

The text of each error is the second half of "The reply does not match its contract: it has no field results".
"""

import re
from collections.abc import Mapping
from typing import Any

from recording_insights.bounded import parse_bounded

_HALF_OR_OTHER = re.compile(
    r"(?P<other>(?:[^\\]++|\\(?:[^u]|u(?!d[89a-f])|ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}))++)"
    r"|\\ud[89a-f][0-9a-f]{2}",
    re.IGNORECASE | re.DOTALL,
)
"""Half of a surrogate pair, or all that is before the next: one match for each other escape would take gigabytes.

An escape is taken whole: the second backslash of `\\\\ud83d` begins none.
"""
_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def parse_json(body: bytes) -> Any:
    """Parse the JSON of a vendor to plain Python values.

    NaN and Infinity become None. A number too large for a float, such as 1e999, becomes infinity. Half of a surrogate
    pair becomes the replacement character: vendors produce one when they cut a text in the middle of an emoji.

    Raises:
        ValueError: the body is no UTF-8 or no JSON, is nested too deeply, or has too many values or a number of
            thousands of digits.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not JSON") from None
    if _SURROGATE.search(text):
        text = _HALF_OR_OTHER.sub(lambda match: match["other"] or r"\ufffd", text)
    return parse_bounded(text, parse_constant=lambda _: None)


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a reply that must be a JSON object; raises ValueError like `parse_json`, and for any other JSON value."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def promised_object(parent: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return the object in a field; raises ValueError, which names the field, if the field is absent or no object."""
    value = promised(parent, field)
    if not isinstance(value, dict):
        raise ValueError(f"its field {field} is no object")
    return value


def promised_list(parent: Mapping[str, Any], field: str) -> list[Any]:
    """Return the list in a field; raises ValueError, which names the field, if the field is absent or no list."""
    value = promised(parent, field)
    if not isinstance(value, list):
        raise ValueError(f"its field {field} is no list")
    return value


def promised(parent: Mapping[str, Any], field: str) -> Any:
    """Return the value of a field; raises ValueError, which names the field, if it is absent."""
    if field not in parent:
        raise ValueError(f"it has no field {field}")
    return parent[field]
