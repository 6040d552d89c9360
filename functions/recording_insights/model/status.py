"""Statuses: a recording's follows from those of its media objects."""

from collections.abc import Sequence
from typing import cast

from recording_insights.model.parts import newest_per_key, which_part
from recording_insights.store.rows import MediaRow, RecordingChanges, RecordingRow, Summary

RECORDING_STATUSES = ("starting", "recording", "stopping", "processing", "done", "partial", "failed", "empty")
FINAL = ("done", "failed")
"""The terminal statuses of a media object."""
LONGEST_REASON = 2000


def settled(recording: RecordingRow, media: Sequence[MediaRow], *, sid: str | None = None) -> RecordingChanges:
    """Return what changes of a recording by its media objects: status, reason, their summaries, and the sid if unknown.

    Empty if nothing changes. None removes an attribute.
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
    """Return a recording's status and reason from its media objects; without any, the status it has.

    A later version of a key replaces the earlier one: a part that failed and was uploaded again is judged by the last.
    """
    if not media:
        return present, None
    latest = newest_per_key(media)
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
    return "; ".join(f"{row['key']}{which_part(row)}: {text}" for row, text in given if text)[:LONGEST_REASON] or None


def _is_whole(row: MediaRow) -> bool:
    return row["status"] == "done" and not row.get("missing") and not row.get("incomplete")
