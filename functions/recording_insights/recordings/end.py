"""Write the end of a recording, once: after a stop, another start, a check of the watch, or a notification."""

from datetime import datetime
from typing import Literal

from recording_insights.agora.recorder import Stopped
from recording_insights.model.reasons import because_of_recorder
from recording_insights.model.status import READY
from recording_insights.recordings.request import claimed_name
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

UNDER_WAY = ("starting", "recording")
LOST_SECONDS = 100
"""While a recorder moves to another host, Agora cannot find it for 30 to 90 s."""


def end_by_stop(
    stopped: Stopped, recording: RecordingRow, *, store: RecordingStore, who: str | None = None
) -> RecordingRow | None:
    """Write what a stop came to; if the recorder leaves, write the end and release the channel.

    A stop for which Agora found no recorder is only noted: the watch repeats it. `who` asked for the stop; where
    nobody did, who asked before stays on the row. Returns the recording as it is then, or None if that was written
    before.
    """
    recording_id = recording["recording_id"]
    if stopped.lost:
        return _note_stop(recording, store=store, who=who)
    if stopped.left:
        after = end_left(recording_id, store=store, why=stopped.reason or "Agora no longer finds it")
    else:
        after = end_stopped(recording_id, store=store, who=who, empty=stopped.reason if stopped.empty else None)
    free_channel(recording, store=store)
    return after


def _note_stop(recording: RecordingRow, *, store: RecordingStore, who: str | None) -> RecordingRow | None:
    """Write since when a stop waits for proof that the recorder leaves; the first such stop counts."""
    if "stop_requested_at" in recording:
        return None
    recording_id = recording["recording_id"]
    noted: RecordingChanges = {"stop_requested_at": store.timestamp, "stopped_by": who}
    return store.update(
        recording_id, {**noted, "status": "stopping"}, only_in=UNDER_WAY, only_without="stopped_at"
    ) or store.update(recording_id, noted, only_without="stopped_at")


def withdraw_stop(recording_id: str, *, store: RecordingStore) -> RecordingRow | None:
    """Forget a stop that waits for proof; returns the recording as it is then, or None if it has ended."""
    forgotten: RecordingChanges = {"stop_requested_at": None, "stopped_by": None}
    return store.update(
        recording_id, {**forgotten, "status": "recording"}, only_in=("stopping",), only_without="stopped_at"
    ) or store.update(recording_id, forgotten, only_without="stopped_at")


def lost_since_stop(recording: RecordingRow, *, store: RecordingStore) -> bool:
    """Whether a stop found no recorder so long ago that one which is still not found has left."""
    noted = recording.get("stop_requested_at")
    return noted is not None and (store.now() - datetime.fromisoformat(noted)).total_seconds() >= LOST_SECONDS


def end_stopped(
    recording_id: str, *, store: RecordingStore, empty: str | None, who: str | None = None
) -> RecordingRow | None:
    """Write that we stopped the recorder for `who`; `empty` is the reason why no file will ever arrive.

    Returns the recording as it is then, or None if its end was written before.
    """
    if empty is None:
        return _end(recording_id, {"status": "stopping"}, by="stop", store=store, who=who)
    why = because_of_recorder("nothing_recorded", empty)
    ending: RecordingChanges = {**why, "status": "empty", "complete_at": store.timestamp}
    return _end(recording_id, ending, by="stop", store=store, who=who)


def end_left(recording_id: str, *, store: RecordingStore, why: str) -> RecordingRow | None:
    """Write that the recorder left without a stop from us; returns what `end_stopped` returns."""
    left = because_of_recorder("recorder_left", f"the recorder left by itself ({why})")
    ending: RecordingChanges = {**left, "status": "stopping"}
    return _end(recording_id, ending, by="recorder", store=store)


def free_channel(recording: RecordingRow, *, store: RecordingStore) -> None:
    """Release the claim on the recording's channel, if the channel still belongs to this recording."""
    channel = claimed_name(recording["channel"], recording.get("mode", "mix"))
    store.claims.release(channel, recording["recording_id"])


def derive_after_end(recording: RecordingRow, *, store: RecordingStore) -> None:
    """Have a model read the transcript if it was ready before the recorder left. A repeated call changes nothing.

    The watch calls this too: whoever wrote the end may have broken off behind it.
    """
    if "derivation" in recording and "insights" not in recording and recording["status"] in READY:
        store.settle(recording["recording_id"])


def _end(
    recording_id: str,
    ending: RecordingChanges,
    *,
    by: Literal["stop", "recorder"],
    store: RecordingStore,
    who: str | None = None,
) -> RecordingRow | None:
    ended: RecordingChanges = {"stopped_at": store.timestamp, "ended_by": by, "stop_requested_at": None}
    if who:
        ended["stopped_by"] = who
    # If the first files have arrived already, the status follows from them: only the end is written.
    after = store.update(
        recording_id, {**ended, **ending}, only_in=(*UNDER_WAY, "stopping"), only_without="stopped_at"
    ) or store.update(recording_id, ended, only_without="stopped_at")
    if after is not None:
        derive_after_end(after, store=store)
    return after
