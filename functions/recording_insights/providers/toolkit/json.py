"""JSON from vendors."""

import json
import re
from typing import Any

_HALF_PAIR = re.compile(
    r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}", re.IGNORECASE
)


def parse_json(body: bytes) -> Any:
    """Parse the JSON of a vendor to plain Python values; raises ValueError if it is no UTF-8 or no JSON.

    NaN and Infinity become None. A number too large for a float, such as 1e999, becomes infinity. Half of a surrogate
    pair becomes the replacement character: vendors produce one when they cut a text in the middle of an emoji.
    """
    text = _HALF_PAIR.sub(r"\\ufffd", body.decode("utf-8-sig"))
    return json.loads(text, parse_constant=lambda _: None)
