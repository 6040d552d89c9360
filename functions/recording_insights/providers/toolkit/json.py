"""JSON from vendors."""

import json
import re
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
    text = body.decode("utf-8-sig")
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(_whole, text)
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python's own words mean nothing to an operator
        raise ValueError("one of its numbers has too many digits") from None


def _whole(escape: re.Match[str]) -> str:
    is_half = escape["half"] or (escape["high"] and not escape["low"])
    return r"\ufffd" if is_half else escape[0]
