"""Until when a recording waits for the file that a caller uploads, and its end if none comes."""

from datetime import datetime, timedelta

from recording_insights.model.reasons import because_of_upload
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

LATE = timedelta(hours=1)
"""How long after the end of its link a file may still be on its way: 5 GiB take an hour at 12 Mbit/s."""
_MISSING = "no file came within an hour after the end of the link"


def end_upload(recording: RecordingRow, *, store: RecordingStore) -> str | None:
    """End a recording whose file did not come in time, and return "missing"; None if there is nothing to end.

    A file that comes even later is processed: the recording goes on.
    """
    if not is_overdue(recording, store.now()):
        return None
    ended: RecordingChanges = {"status": "empty", **because_of_upload("upload_missing", _MISSING)}
    return "missing" if store.change(recording, ended) else None


def is_overdue(recording: RecordingRow, now: datetime) -> bool:
    """Return whether a recording waits for an uploaded file, although none can be on its way any more."""
    return recording["status"] == "starting" and awaits_file(recording) and now > awaited_until(recording)


def awaited_until(recording: RecordingRow) -> datetime:
    """Return until when the file of an upload may come."""
    return datetime.fromisoformat(recording["upload_expires_at"]) + LATE


def awaits_file(recording: RecordingRow) -> bool:
    """Return whether the file of an upload has not come yet."""
    is_open = recording["status"] in ("starting", "empty")
    return is_open and "upload_expires_at" in recording and "media_counts" not in recording
