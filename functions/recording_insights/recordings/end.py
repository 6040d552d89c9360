"""The end of a recording, noted once, whoever learns of it first: a stop, another start, the watch, a notification."""

from typing import Literal

from recording_insights.recordings.request import claimed_name
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

UNDER_WAY = ("starting", "recording")


def end_stopped(recording_id: str, *, store: RecordingStore, empty: str | None) -> RecordingRow | None:
    """Note that the recorder was told to leave; `empty` says why no file will ever come.

    Returns the recording as it is then, None if its end was noted before.
    """
    if empty is None:
        return _end(recording_id, {"status": "stopping"}, by="stop", store=store)
    ending: RecordingChanges = {"status": "empty", "reason": empty, "complete_at": store.timestamp}
    return _end(recording_id, ending, by="stop", store=store)


def end_left(recording_id: str, *, store: RecordingStore, why: str) -> RecordingRow | None:
    """Note that the recorder has left without having been told by us; returns as `end_stopped`."""
    ending: RecordingChanges = {"status": "stopping", "reason": f"the recorder left by itself ({why})"}
    return _end(recording_id, ending, by="recorder", store=store)


def free_channel(recording: RecordingRow, *, store: RecordingStore) -> None:
    """Give the recording's channel up, if it still belongs to it."""
    channel = claimed_name(recording["channel"], recording.get("mode", "mix"))
    store.claims.release(channel, recording["recording_id"])


def _end(
    recording_id: str, ending: RecordingChanges, *, by: Literal["stop", "recorder"], store: RecordingStore
) -> RecordingRow | None:
    ended: RecordingChanges = {"stopped_at": store.timestamp, "ended_by": by}
    # Its first files may be here already; then its status follows from them.
    return store.update(
        recording_id, {**ended, **ending}, only_in=UNDER_WAY, only_without="stopped_at"
    ) or store.update(recording_id, ended, only_without="stopped_at")
