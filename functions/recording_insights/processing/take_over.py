"""Taking over: the execution that works on a media object is the one that its row names."""

from collections.abc import Callable

from recording_insights.model.malformed import why_malformed
from recording_insights.model.status import FINAL
from recording_insights.processing.progress import Outcome, Progress
from recording_insights.processing.reopen import reopen
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow


def take_over(
    progress: Progress, *, store: MediaStore, is_running: Callable[[str], bool]
) -> tuple[Progress, MediaRow | None]:
    """Return the row if this execution works on the media object from now on; otherwise how the execution ends.

    An execution that somebody starts by hand takes over from one that has ended, and processes a failed media object
    again. `is_running` tells whether an execution runs, by its ARN.

    Raises:
        MediaMissing: there is no row.
    """
    progress, row = _take_over(progress, store, is_running)
    if row is not None and (fault := why_malformed(row)):
        return progress.end("failed", fault, "row_malformed"), None
    return progress, row


def _take_over(
    progress: Progress, store: MediaStore, is_running: Callable[[str], bool]
) -> tuple[Progress, MediaRow | None]:
    row = store.get(progress.recording_id, progress.media_id)
    is_other = bool(progress.execution) and row.get("execution") != progress.execution_name
    status = row.get("status")
    if status == "failed" and is_other:
        # Somebody decided to start it: that a retry may cost is known.
        reopened = reopen(row, store=store, force=True, execution=progress.execution_name)
        return progress, reopened
    if status in FINAL:
        # The function may have ended before the recording's status was settled.
        store.recordings.settle(progress.recording_id)
        reason = row.get("reason", f"the media object is already {status}")
        return progress.end(_end_of(row), reason, row.get("reason_code", "")), None
    if is_other:
        present = row.get("execution")
        if present and is_running(progress.other_execution(present)):
            return progress.end("over", f"execution {present} works on the media object"), None
        appointed = store.appoint(row, progress.execution_name)
        if appointed is None:
            return progress.end("over", "another execution has just taken the media object over"), None
        row = appointed
    return progress, row


def _end_of(row: MediaRow) -> Outcome:
    if row["status"] == "failed":
        return "failed"
    return "empty" if row.get("empty") else "over"
