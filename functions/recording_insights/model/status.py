"""Statuses: the status of a recording follows from those of its media objects."""

from collections.abc import Sequence
from typing import cast

from recording_insights.model.parts import continuation_suffix, newer_versions, newest_per_key
from recording_insights.store.rows import MediaRow, RecordingChanges, RecordingRow, Summary

RECORDING_STATUSES = ("starting", "recording", "stopping", "processing", "done", "partial", "failed", "empty")
FINAL = ("done", "failed")
"""The terminal statuses of a media object."""
LONGEST_REASON = 2000
"""Upper bound on the reason of a recording, in characters."""


def settled(recording: RecordingRow, media: Sequence[MediaRow], *, sid: str | None = None) -> RecordingChanges:
    """Return what changes in a recording because of its media objects; empty if nothing changes.

    Covers the status, the reason, the summaries of the media objects, and the sid if the recording has none. None
    removes an attribute.
    """
    status, reason = derive_status(recording["status"], media)
    after: RecordingChanges = {
        "status": status,
        "reason": reason,
        "media": {row["media_id"]: _summary(row) for row in media},
    }
    if sid and "sid" not in recording:
        after["sid"] = sid
    return cast(RecordingChanges, {name: value for name, value in after.items() if recording.get(name) != value})


def _summary(row: MediaRow) -> Summary:
    summary: Summary = {"key": row["key"], "status": row["status"]}
    if "reason" in row:
        summary["reason"] = row["reason"]
    return summary


def derive_status(present: str, media: Sequence[MediaRow]) -> tuple[str, str | None]:
    """Return the status and the reason that follow from the media objects; without any, the present status.

    A newer version of an object replaces the older one: if a failed part is uploaded again, the last upload counts. A
    newer version that fails while an older one is `done` leaves the recording `partial`.
    """
    if not media:
        return present, None
    latest = [*newest_per_key(media), *newer_versions(media)]
    reason = _reason(latest)
    if any(row["status"] not in FINAL for row in latest):
        return "processing", reason
    recorded = [row for row in latest if not row.get("empty")]
    if not recorded:
        return "empty", reason
    if all(row["status"] == "failed" for row in recorded):
        return "failed", reason
    return ("done" if all(map(_is_whole, recorded)) else "partial"), reason


def _reason(latest: Sequence[MediaRow]) -> str | None:
    given = [(row, row.get(name)) for row in latest for name in ("incomplete", "reason")]
    named = [f"{row['key']}{continuation_suffix(row)}: {text}" for row, text in given if text]
    return "; ".join(named)[:LONGEST_REASON] or None


def _is_whole(row: MediaRow) -> bool:
    return row["status"] == "done" and not row.get("missing") and not row.get("incomplete")
