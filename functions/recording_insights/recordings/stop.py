"""Stop a recording."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from recording_insights.deadline import Deadline
from recording_insights.recordings.end import end_by_stop, lost_since_stop
from recording_insights.recordings.recorder import check_named, may_run
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient


def stop_recording(
    recording_id: str,
    *,
    store: RecordingStore,
    agora: "AgoraClient",
    deadline: Deadline,
    watch_stop: Callable[[RecordingRow], None],
    who: str | None = None,
) -> RecordingRow:
    """Make the recorder leave its channel; returns the recording as it is then. Repeating it changes nothing.

    If Agora finds no recorder, the recorder may be moving to another host. The recording is `stopping`, its channel
    stays claimed, and `watch_stop` starts the watch that stops the recorder once it is found. Until the end is proven,
    a repeat calls Agora. `who` is the caller's name, for the row.

    A recording that the API did not start, or whose start failed, has nothing to stop: its row is returned.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased, or is being erased.
        Conflict: Agora has not reported the recorder's id yet, so the recorder cannot be stopped.
        SecretUnusable, AgoraError: the recorder may still be in the channel.
        WatchUnavailable: Agora finds no recorder, and AWS did not start the watch: a repeat starts it.
    """
    recording = store.get_changeable(recording_id)
    if not may_run(recording):
        return recording
    check_named(recording)
    stopped = agora.stop(recording, deadline)
    if stopped.lost and lost_since_stop(recording, store=store):
        stopped = replace(stopped, lost=False, left=True)
    after = end_by_stop(stopped, recording, store=store, who=who) or store.get(recording_id)
    if stopped.lost and "stop_requested_at" in after and "stopped_at" not in after:
        watch_stop(after)
    return after
