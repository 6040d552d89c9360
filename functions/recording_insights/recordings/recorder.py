"""What a recording's row says about its recorder: whether it may still run, and whether Agora has reported its id."""

from recording_insights.errors import Conflict
from recording_insights.store.rows import RecordingRow

FAILED_STARTS = frozenset({"start_failed", "start_interrupted", "recorder_not_started"})
"""The reason codes of recordings whose recorder never joined its channel."""


def may_run(recording: RecordingRow) -> bool:
    """Return whether a recorder may still be in the channel.

    The status cannot tell: the first part of a long recording may be `done` while the recorder goes on. False for
    files that were dropped by hand, once the end is on the row, and for a start that failed.
    """
    if "channel" not in recording or "stopped_at" in recording:
        return False
    return recording["status"] != "failed" or "sid" in recording


def may_run_recorder(recording: RecordingRow) -> bool:
    """Return whether a recording that is being erased may have a recorder in its channel.

    Its status no longer tells whether its start failed: a failed one without an id left its reason.
    """
    if "channel" not in recording or "stopped_at" in recording:
        return False
    return "sid" in recording or recording.get("reason_code") not in FAILED_STARTS


def is_named(recording: RecordingRow) -> bool:
    """Return whether Agora has reported the recorder's id, which every call to the recorder needs."""
    return "sid" in recording and "resource_id" in recording


def check_named(recording: RecordingRow) -> None:
    """Raise `Conflict` if Agora has not reported the recorder's id yet."""
    if not is_named(recording):
        raise Conflict("the recorder has not reported its id yet; try again in a few seconds")
