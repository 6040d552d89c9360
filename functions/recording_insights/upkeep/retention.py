"""Retention: what is older than the settings allow, and the beginning of its deletion.

Only recordings that have ended are looked at. What may delete objects is the state machine that erases.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from recording_insights.model.moments import utc_text
from recording_insights.model.status import ENDED, FINAL
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.upkeep.erase import MOST_RUNS, Executions, begin_erase

Kind = Literal["insights", "media", "segments"]
"""What goes: the whole recording, its media with all that was made of them, or its segments and playlists alone."""
WHO = "retention"
"""Who has erased a recording that was too old."""


@dataclass(frozen=True)
class Retention:
    """The days of each kind, counted from when recording and processing had ended; None keeps it."""

    media_days: int | None = None
    segments_days: int | None = None
    insights_days: int | None = None

    def cutoffs(self, now: datetime) -> dict[Kind, str]:
        """Return the moments before which a recording must have ended, by kind, the one that takes most first."""
        days: dict[Kind, int | None] = {
            "insights": self.insights_days,
            "media": self.media_days,
            "segments": self.segments_days,
        }
        return {kind: utc_text(now - timedelta(days=of)) for kind, of in days.items() if of is not None}


def may_be_due(recording: RecordingRow, kind: Kind, cutoff: str) -> bool:
    """Return whether a recording may be due, as far as its row tells: most are not, and cost no query."""
    if recording["status"] not in ENDED or max(_ends_of(recording)) >= cutoff:
        return False
    if "prefix" in recording and "file" not in recording and not recording.keys() & {"complete_at", "stopped_at"}:
        return False  # its recorder may still run
    # Nothing has changed since it was deleted, and the deletion is over.
    begun = deleted_at(recording, kind)
    return not begun or is_begun(recording, kind) or recording["updated_at"] > begun


def is_due(recording: RecordingRow, media: Sequence[MediaRow], kind: Kind, cutoff: str) -> bool:
    """Return whether a recording that may be due is: all of its media objects ended before, some since a deletion."""
    if any(row.get("status") not in FINAL for row in media):
        return False
    if is_begun(recording, kind):
        return True
    ended_at = max((row.get("finished_at", "") for row in media), default="")
    return ended_at < cutoff and not _nothing_came_since(recording, media, kind)


def begin_retention(recording: RecordingRow, kind: Kind, *, store: RecordingStore, executions: Executions) -> bool:
    """Mark a recording that is due, and start the deletion; return whether an execution was started.

    Nothing happens if the recording has changed since it was read. A deletion that was broken off gets a successor.
    """
    if kind == "insights":
        marked = store.erasures.mark(recording["recording_id"], uuid4().hex, WHO, version=recording["version"])
        return marked is not None and begin_erase(marked, store=store, executions=executions)
    if not is_begun(recording, kind):
        changed = store.mark_deletion(recording, kind)
        if changed is None:
            return False
        recording = changed
    return _begin_deletion(recording, kind, store=store, executions=executions)


def _begin_deletion(recording: RecordingRow, kind: Kind, *, store: RecordingStore, executions: Executions) -> bool:
    recording_id = recording["recording_id"]
    present = int(recording[f"{kind}_runs"])  # type: ignore[literal-required]
    # A later deletion of the same recording has other names.
    begun = "".join(filter(str.isdigit, deleted_at(recording, kind)))[:14]
    if present and executions.is_running(f"{recording_id}-{kind}-{begun}-{present}"):
        return False
    state = json.dumps({"recording_id": recording_id, "phase": kind})
    for run in range(present + 1, MOST_RUNS):
        if executions.start(name=f"{recording_id}-{kind}-{begun}-{run}", state=state):
            store.note_deletion(recording_id, kind, runs=run)
            return True
    return False


def deleted_at(recording: RecordingRow, kind: Kind) -> str:
    """Return since when a kind is deleted; empty if it is there. Segments go with the media."""
    segments = recording.get("segments_deleted_at", "") if kind == "segments" else ""
    return max(recording.get("media_deleted_at", ""), segments) if kind != "insights" else ""


def is_begun(recording: RecordingRow, kind: Kind) -> bool:
    """Return whether a deletion has begun and is not over."""
    return f"{kind}_runs" in recording


def _nothing_came_since(recording: RecordingRow, media: Sequence[MediaRow], kind: Kind) -> bool:
    begun = deleted_at(recording, kind)
    return bool(begun) and all(row["arrived_at"] <= begun for row in media)


def _ends_of(recording: RecordingRow) -> Iterator[str]:
    yield recording["created_at"]
    yield recording.get("complete_at", "")
    yield recording.get("stopped_at", "")
