"""Vendors' texts made fit for rows, logs and items."""

import json
import re
from decimal import Decimal
from typing import Any

_LONGEST_MESSAGE = 500
# In JSON a link may be written with escapes: https:\/\/host\/key?a=1\u0026b=2.
_QUERY = re.compile(r"(https?:(?:\\?/){2}(?:[^\s\"'?\\]|\\/)+)\?(?:[^\s\"'\\]|\\/|\\u[0-9a-fA-F]{4})+")
_TOKEN = re.compile(r"(/webhooks(?:\\?/[^\s\"'/\\]+){2}\\?/)[0-9a-f]{64}")
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


def redact_links(text: str) -> str:
    """The text without the query strings of URLs and the tokens of our webhooks: vendors echo what they were given."""
    return _TOKEN.sub(r"\1redacted", _QUERY.sub(r"\1?redacted", text))


def vendor_message(value: Any) -> str:
    """A vendor's message fit for a row: one line, no link's query, at most 500 characters."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return redact_links(" ".join(text.split()))[:_LONGEST_MESSAGE]
