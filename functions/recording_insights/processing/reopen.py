"""Processing a media object again that has ended, without paying twice for what is there."""

from collections.abc import Mapping
from typing import Any, Literal

from recording_insights.errors import Conflict
from recording_insights.model.media_object import is_made_of_segments
from recording_insights.model.status import FINAL
from recording_insights.model.tries import taken_over
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaChanges, MediaRow, TryRow

Start = Literal["saved", "job", "media"]
"""Where a new try begins: with the reply that is kept, with the job that is paid for, or with the media object."""
HAS_NO_RESULT = frozenset({"job_failed", "provider_fault", "job_unknown", "link_expired", "reply_too_large"})
"""Reason codes after which there is nothing to fetch from the job, or nothing that could be read."""


def reopen(
    row: MediaRow,
    *,
    store: MediaStore,
    start: Start | None = None,
    provider: str | None = None,
    options: Mapping[str, Any] | None = None,
    force: bool = False,
    execution: str | None = None,
    who: str | None = None,
) -> MediaRow:
    """Begin a new try of a media object that ended, and return the row as written; the caller starts the execution.

    Without a `start`, the try begins as late as it can: with the kept reply (unless the last try failed with it), else
    with the job, else with the media object. With another `provider` or other `options`, it begins with the media
    object. `execution` is the name of an execution that runs already, and `who` that of the caller, if there is one.

    Raises:
        Conflict: the media object is at work, is done (without `force`), is empty, has nothing to begin from, or was
            changed by somebody else, or its media were deleted by the retention.
    """
    what = f"media object {row['media_id']}"
    if row["status"] not in FINAL:
        raise Conflict(f"{what} is at work: its status is {row['status']}")
    if row["status"] == "done" and not force:
        raise Conflict(f"{what} is done; with force it is processed again, and a new job is paid for")
    if row.get("empty"):
        raise Conflict(f"{what} is empty: nothing was recorded")
    start = start or _latest_start(row, anew=bool(provider or options))
    # An execution that runs already meets the deletion itself, and ends with its code.
    if start == "media" and not execution and (deleted := _deleted_at(row, store.recordings)):
        raise Conflict(f"{what} cannot be processed from its media (media_gone): they were deleted at {deleted}")
    changes = _changes(row, start, what, store.timestamp)
    if provider:
        changes["provider"] = provider
    if options:
        changes["options"] = options
    if execution:
        changes["execution"] = execution
    if who:
        changes["retried_by"] = who
    reopened = store.begin_try(row, changes)
    if reopened is None:
        raise Conflict(f"{what} has just been changed by somebody else")
    return reopened


def _deleted_at(row: MediaRow, recordings: RecordingStore) -> str | None:
    """Return when the retention has deleted what a new try needs; None if it is there."""
    recording = recordings.find(row["recording_id"])
    if recording is None:
        return None
    deleted = [recording.get("media_deleted_at", "")]
    if is_made_of_segments(row) and "prepared" not in row:
        deleted.append(recording.get("segments_deleted_at", ""))
    return next((at for at in deleted if at >= row["arrived_at"]), None)


def reopen_with(
    row: MediaRow, earlier: MediaRow | TryRow, *, store: MediaStore, delivery: str | None, job: Mapping[str, Any]
) -> MediaRow | None:
    """Begin a new try of a failed media object with a late result of the job of a try; None if it was begun already.

    `delivery` is the key of the result if the callback brought it, and `job` what the callback says of the job.
    """
    changes: MediaChanges = {
        **taken_over(earlier),
        "status": "submitted",
        "began_from": "job",
        "submitted_at": store.timestamp,
        "callback_at": store.timestamp,
        "callback_job": dict(job),
        "reply": None,
        "missing": None,
    }
    if delivery is not None:
        changes["delivery"] = delivery
    changes["job"] = {**earlier.get("job", {}), **job}
    return store.begin_try(row, changes)


def _latest_start(row: MediaRow, *, anew: bool) -> Start:
    code = row.get("reason_code")
    if anew or row["status"] == "done":
        return "media"
    if "reply" in row and row.get("began_from") != "saved" and code != "reply_gone":
        return "saved"
    return "job" if "submitted_at" in row and "job" in row and code not in HAS_NO_RESULT else "media"


def _changes(row: MediaRow, start: Start, what: str, now: str) -> MediaChanges:
    """Return what changes in the row when a new try begins there."""
    if start == "media":
        waiting: MediaChanges = {"status": "waiting", "began_from": "media"}
        return waiting
    if start == "saved" and "reply" not in row:
        raise Conflict(f"{what} has no kept reply to begin from")
    if start == "job" and "job" not in row:
        raise Conflict(f"{what} has no job to begin from")
    taken = taken_over(row)
    since = row.get("submitted_at")
    if start == "job":
        # The ceiling counts anew.
        taken, since = {**taken, "reply": None, "missing": None}, now
    return {**taken, "status": "submitted", "began_from": start, "submitted_at": since}
