"""Stop a recording."""

from typing import TYPE_CHECKING

from recording_insights.deadline import Deadline
from recording_insights.recordings.end import end_left, end_stopped, free_channel
from recording_insights.recordings.recorder import check_named, may_run
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient


def stop_recording(
    recording_id: str, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> RecordingRow:
    """Make the recorder leave its channel; returns the recording as it is then. Repeating it changes nothing.

    A recording that the API did not start, or whose start failed, has nothing to stop: its row is returned.

    Raises:
        NotFound: there is no such recording.
        Conflict: Agora has not reported the recorder's id yet, so the recorder cannot be stopped.
        SecretUnusable, AgoraError: the recorder may still be in the channel.
    """
    recording = store.get(recording_id)
    if not may_run(recording):
        return recording
    check_named(recording)
    stopped = agora.stop(recording, deadline)
    if stopped.left:
        after = end_left(recording_id, store=store, why=stopped.reason or "Agora no longer finds it")
    else:
        after = end_stopped(recording_id, store=store, empty=stopped.reason if stopped.empty else None)
    free_channel(recording, store=store)
    return after or store.get(recording_id)
