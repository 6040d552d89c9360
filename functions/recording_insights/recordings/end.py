"""Write the end of a recording, once: after a stop, another start, a check of the watch, or a notification."""

from typing import Literal

from recording_insights.recordings.request import claimed_name
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

UNDER_WAY = ("starting", "recording")


def end_stopped(recording_id: str, *, store: RecordingStore, empty: str | None) -> RecordingRow | None:
    """Write that we stopped the recorder; `empty` is the reason why no file will ever arrive.

    Returns the recording as it is then, or None if its end was written before.
    """
    if empty is None:
        return _end(recording_id, {"status": "stopping"}, by="stop", store=store)
    ending: RecordingChanges = {"status": "empty", "reason": empty, "complete_at": store.timestamp}
    return _end(recording_id, ending, by="stop", store=store)


def end_left(recording_id: str, *, store: RecordingStore, why: str) -> RecordingRow | None:
    """Write that the recorder left without a stop from us; returns what `end_stopped` returns."""
    ending: RecordingChanges = {"status": "stopping", "reason": f"the recorder left by itself ({why})"}
    return _end(recording_id, ending, by="recorder", store=store)


def free_channel(recording: RecordingRow, *, store: RecordingStore) -> None:
    """Release the claim on the recording's channel, if the channel still belongs to this recording."""
    channel = claimed_name(recording["channel"], recording.get("mode", "mix"))
    store.claims.release(channel, recording["recording_id"])


def _end(
    recording_id: str, ending: RecordingChanges, *, by: Literal["stop", "recorder"], store: RecordingStore
) -> RecordingRow | None:
    ended: RecordingChanges = {"stopped_at": store.timestamp, "ended_by": by}
    # If the first files have arrived already, the status follows from them: only the end is written.
    return store.update(
        recording_id, {**ended, **ending}, only_in=UNDER_WAY, only_without="stopped_at"
    ) or store.update(recording_id, ended, only_without="stopped_at")
