"""Moments as text, as rows and API responses hold them."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with microseconds, which sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
