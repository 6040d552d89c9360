"""The header Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_DIGITS = 9
"""Of a delay in seconds: the first digits of a longer number are 30 years or more."""


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> int | None:
    """Return the delay that a vendor requests, in whole seconds, rounded up; None if it requests none.

    A date in the past is 0. A date counts from the response's own Date, because the vendor's clock may differ from
    `now`. The names of `headers` have to be found in any case.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return int(text[:MOST_DIGITS])
    until = _moment(text)
    if until is None:
        return None
    return max(math.ceil((until - (_moment(headers.get("Date", "")) or now)).total_seconds()), 0)


def _moment(text: str) -> datetime | None:
    """Return an HTTP date in any of its three forms; None if the text is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
