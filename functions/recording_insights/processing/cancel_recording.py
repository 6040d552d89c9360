"""Cancel what a recording still waits for: its media objects fail with a code of their own, and can be retried."""

from collections.abc import Callable
from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict
from recording_insights.model.reasons import CANCELLED, because
from recording_insights.model.status import FINAL, stage_of
from recording_insights.processing.turns import Turns
from recording_insights.recordings.read import public
from recording_insights.recordings.recorder import may_run
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow

RESERVE_SECONDS = 6.0
"""Time that is left for the media object at work and for the answer."""


def cancel_recording(
    recording_id: str,
    *,
    store: MediaStore,
    turns: Turns,
    end_wait: Callable[[str], None],
    deadline: Deadline,
    who: str | None = None,
) -> dict[str, Any]:
    """End all media objects of a recording that have not ended, and return the recording.

    A repeated call does what this one had no time for, and changes nothing else. Each media object leaves the queue
    and gives its slot back, and the next one is woken. Its execution ends at its next look at the row. A job that runs
    at a provider is not stopped: a retry takes its result if it has one by then.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased, or is being erased.
        Conflict: the recorder may still run, or everything has ended otherwise.
    """
    recording = store.recordings.get_changeable(recording_id)
    if may_run(recording):
        raise Conflict("the recorder may still run: stop it first, then cancel what is left to process")
    media = store.recordings.media_rows(recording_id)
    unfinished = [row for row in media if row.get("status") not in FINAL]
    if not unfinished and not any(row.get("reason_code") == CANCELLED for row in media):
        raise Conflict(f"nothing is left to cancel: the recording is {recording['status']}")
    for number, row in enumerate(unfinished):
        if number and deadline.seconds_left < RESERVE_SECONDS:
            break
        _cancel(row, store=store, turns=turns, end_wait=end_wait, who=who)
    return public(store.recordings.find(recording_id) or recording)


def _cancel(
    row: MediaRow, *, store: MediaStore, turns: Turns, end_wait: Callable[[str], None], who: str | None
) -> None:
    by = f" by {who}" if who else ""
    why = because(stage_of(row), CANCELLED, f"it was cancelled{by}")
    store.finish(row["recording_id"], row["media_id"], "failed", canceled_by=who, **why)
    if "provider" in row:
        turns.withdraw(row)
    if "task_token" in row:
        end_wait(row["task_token"])
