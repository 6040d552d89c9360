"""Vendors' texts made fit for rows, logs and items."""

import json
import re
from decimal import Decimal
from typing import Any

_LONGEST_MESSAGE = 500
_QUERY = re.compile(r"(https?://[^\s\"'?\\]+)\?[^\s\"'\\]+")


def parse_json(body: bytes) -> Any:
    """JSON with exact numbers, as DynamoDB takes them; raises ValueError."""
    return json.loads(body, parse_float=Decimal)


def redact_links(text: str) -> str:
    """The text without the query strings of URLs: vendors echo the presigned link that they were given."""
    return _QUERY.sub(r"\1?redacted", text)


def vendor_message(value: Any) -> str:
    """A vendor's message fit for a row: one line, no link's query, at most 500 characters."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return redact_links(" ".join(text.split()))[:_LONGEST_MESSAGE]
