"""Retry-After in the forms that RFC 9110 allows."""

from datetime import UTC, datetime

import pytest
from requests.structures import CaseInsensitiveDict

from recording_insights.providers.toolkit.retry_after import retry_after_seconds

NOW = datetime(2026, 10, 21, 7, 27, 29, 500_000, UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17),
        (" 0 ", 0),
        ("9" * 5_000, 999_999_999),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 31),
        ("Wednesday, 21-Oct-26 07:28:00 GMT", 31),
        ("Wed Oct 21 07:28:00 2026", 31),
        ("Wed, 21 Oct 2026 09:28:00 +0200", 31),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        *((text, None) for text in ("", "-1", "1.5", "٣", "soon", "Wed, 99 Oct 2026 07:28:00 GMT", "9" * 5 + " Oct")),
    ],
)
def test_a_delay_is_read_from_seconds_and_from_dates(text: str, seconds: int | None) -> None:
    assert retry_after_seconds(CaseInsensitiveDict({"retry-after": text}), NOW) == seconds


def test_a_date_counts_from_the_clock_of_the_vendor() -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:27:00 GMT"}
    assert retry_after_seconds(headers, NOW.replace(hour=9)) == 60


def test_without_the_header_there_is_no_delay() -> None:
    assert retry_after_seconds({}, NOW) is None
