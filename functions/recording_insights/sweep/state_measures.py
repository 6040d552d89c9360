"""What a sweep measures of the state of the whole: the age of the oldest open recording, slots, queues and health."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from recording_insights.measures import measure
from recording_insights.model.moments import utc_text
from recording_insights.model.status import ERASING
from recording_insights.recordings.await_upload import awaited_until
from recording_insights.recordings.request import MOST_HOURS
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow
from recording_insights.store.turns import TurnStore

OPEN = ("starting", "stopping", "processing", ERASING)
"""Recordings that somebody waits for. One with the status `recording` is as old as its call is long."""
SEEN = 100
"""Of the open recordings with a status, so many are looked at: those that began first."""
MADE_GOOD = frozenset(
    ("moved_back", "handled", "admitted", "fetched", "noted", "left_queue", "freed", "probers", "woken", "erases_begun")
)
"""Counts of steps that say that something was lost before. The others say that something was looked at."""


def measure_state(providers: Iterable[str], *, recordings: RecordingStore, turns: TurnStore) -> None:
    """Measure open recordings by status, whether none begin, and each provider: slots, queue, whether it is closed."""
    now = recordings.now()
    for status in OPEN:
        waits = [0.0]
        for row in recordings.oldest(status, SEEN):
            with suppress(TypeError, ValueError):  # somebody has edited a moment into nonsense
                waits.append((now - _open_since(row)).total_seconds())
        measure("OldestOpenSeconds", max(waits), status=status)
    measure("Quiet", int(_is_quiet(recordings)))
    for provider in providers:
        standing = turns.read(provider)
        held = [slot for slot in standing.slots.values() if "holder" in slot and slot["until"] > now.timestamp()]
        measure("SlotsUsed", len(held), provider=provider)
        measure("QueueLength", turns.length(provider), provider=provider)
        measure("ProviderClosed", int(standing.health is not None), provider=provider)


def measure_found(counts: Mapping[str, Any]) -> None:
    """Measure what each step of a sweep made good, from the counts of the steps."""
    for step, found in counts.items():
        if isinstance(found, Mapping):  # beside the steps, a sweep says whether it was busy or is unfinished
            measure("SweepFound", sum(number for name, number in found.items() if name in MADE_GOOD), step=step)


def _open_since(recording: RecordingRow) -> datetime:
    """Return since when somebody waits for an open recording, however long its call is.

    That is its stop, the request to erase it, or the moment at which a recorder that is still in its channel has to
    leave. A file that was put by hand has no recorder, and neither has one that a caller uploads.
    """
    if recording["status"] == ERASING:
        return datetime.fromisoformat(recording["erasing_since"])
    if recording["status"] == "starting" and "upload_expires_at" in recording:
        # Until then it is the caller's to send the file.
        return awaited_until(recording)
    began = datetime.fromisoformat(recording["created_at"])
    if stop := recording.get("stopped_at") or recording.get("stop_requested_at"):
        return datetime.fromisoformat(stop)
    if recording["status"] == "starting" or "channel" not in recording:
        return began
    return began + timedelta(hours=recording.get("max_hours", MOST_HOURS))


def _is_quiet(recordings: RecordingStore) -> bool:
    """Return whether no recording began for a day, although one did on that day a week ago.

    A week, because many stages have quiet weekends.
    """
    return not _any_began(recordings, days_ago=1) and _any_began(recordings, days_ago=8)


def _any_began(recordings: RecordingStore, *, days_ago: int) -> bool:
    """Return whether a recording began on the day that began so many days ago."""
    begin = recordings.now() - timedelta(days=days_ago)
    newest = recordings.newest(None, 1, before=(utc_text(begin + timedelta(days=1)), ""))
    return any(row["created_at"] >= utc_text(begin) for row in newest)
