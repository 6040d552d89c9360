"""JSON from vendors, and their messages made fit for rows and logs."""

import json
import re
from typing import Any

_LONGEST_MESSAGE = 500
# In JSON a link may be written with escapes: https:\/\/host\/key?a=1\u0026b=2.
_QUERY = re.compile(r"(https?:(?:\\?/){2}(?:[^\s\"'?\\]|\\/)+)\?(?:[^\s\"'\\]|\\/|\\u[0-9a-fA-F]{4})+")
_TOKEN = re.compile(r"(/webhooks(?:\\?/[^\s\"'/\\]+){2}\\?/)[0-9a-f]{64}")
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


def redact_links(text: str) -> str:
    """Remove the query strings of URLs and the tokens of our webhooks: vendors repeat what they were sent."""
    return _TOKEN.sub(r"\1redacted", _QUERY.sub(r"\1?redacted", text))


def vendor_message(value: Any) -> str:
    """Make a vendor's message fit for a row: one line, links without their query, at most 500 characters."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return redact_links(" ".join(text.split()))[:_LONGEST_MESSAGE]
