"""JSON from vendors, and the fields that their APIs promise.

The text of each error is the second half of "The reply does not match its contract: it has no field results".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_ESCAPE = re.compile(
    r"\\u(?P<high>d[89ab][0-9a-f]{2})(?P<low>\\ud[c-f][0-9a-f]{2})?|\\u(?P<half>d[c-f][0-9a-f]{2})|\\.", re.IGNORECASE
)
"""An escape of JSON, whole: the second backslash of `\\\\ud83d` begins no escape."""
_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def parse_json(body: bytes) -> Any:
    """Parse the JSON of a vendor to plain Python values.

    NaN and Infinity become None. A number too large for a float, such as 1e999, becomes infinity. Half of a surrogate
    pair becomes the replacement character: vendors produce one when they cut a text in the middle of an emoji.

    Raises:
        ValueError: the body is no UTF-8 or no JSON, is nested too deeply, or has a number of thousands of digits.
    """
    try:
        text = body.decode("utf-8-sig")
        if _SURROGATE.search(text):
            text = _ESCAPE.sub(_whole, text)
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError("it is not JSON") from None
    except ValueError:
        raise ValueError("one of its numbers has too many digits") from None


def _whole(escape: re.Match[str]) -> str:
    is_half = escape["half"] or (escape["high"] and not escape["low"])
    return r"\ufffd" if is_half else escape[0]


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
