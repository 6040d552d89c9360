"""Rows of media objects that somebody changed by hand so that they cannot be processed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from recording_insights.store.rows import MediaRow

_STATUSES = ("waiting", "preparing", "submitted", "done", "failed")
_TEXTS = ("provider", "bucket", "key", "etag")
_MOMENTS = ("arrived_at", "waiting_since", "submitted_at", "not_found_at", "quiet_since")
_MAPS = ("job", "callback_job", "options", "prepared")
_NUMBERS = ("size", "try_number", "job_number", "executions", "renewals", "repeats", "duration_ms")
_ALWAYS = ("status", "provider", "bucket", "key", "etag", "size", "arrived_at", "waiting_since")
_ONCE_SUBMITTED = ("job", "submitted_at")


def why_malformed(row: MediaRow) -> str | None:
    """Return what is wrong with the first malformed attribute of a media object, as a sentence; None if none is."""
    values: Mapping[str, Any] = row
    needed = (*_ALWAYS, *_ONCE_SUBMITTED) if row.get("status") == "submitted" else _ALWAYS
    for name in needed:
        if name not in values:
            return f"its row has no {name}"
    return next((f"{name} in its row is not {form}" for name, form in _wrong(values)), None)


def _wrong(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the malformed attributes, each with the form that it must have."""
    kinds: tuple[tuple[tuple[str, ...], type[Any], str], ...] = (
        (_TEXTS, str, "a text"),
        (_MAPS, Mapping, "a map"),
        (_NUMBERS, int, "a whole number"),
    )
    wrong = [] if values["status"] in _STATUSES else [("status", f"one of {', '.join(_STATUSES)}")]
    for names, kind, form in kinds:
        wrong += [(name, form) for name in names if name in values and not isinstance(values[name], kind)]
    return wrong + [(name, "a moment") for name in _MOMENTS if name in values and not _is_moment(values[name])]


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
