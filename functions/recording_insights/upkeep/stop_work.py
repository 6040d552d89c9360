"""Stop what runs for a recording that is being erased: its recorder, its media objects, and what a model derives."""

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraError, SecretUnavailable, SecretUnusable
from recording_insights.model.status import FINAL
from recording_insights.recordings.end import LOST_SECONDS, free_channel
from recording_insights.recordings.recorder import is_named, may_run_recorder
from recording_insights.store.derivations import DerivationStore, turn_of
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

UNNAMED_SECONDS = 900
"""How long a start may take until the recorder's id is known. Without it nobody can stop the recorder."""


class AgoraStop(Enum):
    """What a stop came to. NONE: there was no recorder. LOST: Agora may find it again within 100 s."""

    NONE = auto()
    STOPPED = auto()
    LOST = auto()
    AWAY = auto()


def stop_recorder(
    recording: RecordingRow,
    *,
    store: RecordingStore,
    agora: "Callable[[], AgoraClient]",
    deadline: Deadline,
    waited_seconds: int,
) -> AgoraStop:
    """Make the recorder leave its channel, and release the channel. Repeating this changes nothing.

    `waited_seconds` is how long the stop was waited for until now.
    """
    if not may_run_recorder(recording):
        return AgoraStop.STOPPED if recording.get("stopped_at", "") >= recording["erasing_since"] else AgoraStop.NONE
    recording_id = recording["recording_id"]
    if not is_named(recording):
        if waited_seconds < UNNAMED_SECONDS:
            return AgoraStop.LOST
    else:
        try:
            stopped = agora().stop(recording, deadline)
        except (AgoraError, SecretUnavailable, SecretUnusable):
            return AgoraStop.AWAY
        if stopped.lost and waited_seconds < LOST_SECONDS:
            return AgoraStop.LOST
    store.erasures.note_recording(recording_id, stopped_at=store.timestamp, ended_by="stop", stop_requested_at=None)
    free_channel(recording, store=store)
    return AgoraStop.STOPPED


def stop_work(
    recording: RecordingRow,
    *,
    store: MediaStore,
    withdraw: Callable[[MediaRow], None],
    end_wait: Callable[[str], None],
    stop: Callable[[str], None],
) -> bool:
    """End every media object that has not ended, with its turn, its wait and its execution; return whether any was.

    A job that a provider accepts at this moment is still noted in the row: it has to be deleted there.
    """
    was_busy = False
    for row in store.recordings.media_rows(recording["recording_id"]):
        if row.get("status") not in FINAL:
            was_busy = True
            store.end_erased(row)
        elif row.get("finished_at", "") >= recording["erasing_since"]:
            was_busy = True  # it ended in a page that broke off, or by itself since
        if "provider" in row:
            withdraw(row)
        if "task_token" in row:
            end_wait(row["task_token"])
        if "execution" in row:
            stop(row["execution"])
    return was_busy


def stop_derivation(
    recording: RecordingRow,
    *,
    store: DerivationStore,
    withdraw: Callable[[MediaRow], None],
    stop: Callable[[str], None],
) -> bool:
    """End what a model derives from the recording, with its turn and its execution; return whether anything was."""
    row = store.find(recording["recording_id"])
    if row is not None and row["state"] == "pending":
        withdraw(turn_of(row))
        if "execution" in row:
            stop(row["execution"])
    # Without a row, the function that begins may be about to write it.
    return recording.get("insights") == "pending"
