"""JSON of vendors."""

import json
import re
from decimal import Decimal
from typing import Any

_HALF_PAIR = re.compile(
    r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}", re.IGNORECASE
)


def parse_json(body: bytes) -> Any:
    """JSON as DynamoDB takes it; raises ValueError.

    Numbers are exact, NaN and Infinity are None, and half a surrogate pair, which is what an emoji becomes when a
    text is cut inside of it, is the replacement character.
    """
    text = _HALF_PAIR.sub(r"\\ufffd", body.decode("utf-8-sig"))
    return json.loads(text, parse_float=Decimal, parse_constant=lambda _: None)
