"""The end of a watch: a recording whose recorder has left is complete once no more files are expected."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil

from recording_insights.model.media_object import is_made_of_segments
from recording_insights.model.reasons import because_of_recorder
from recording_insights.recordings.end import UNDER_WAY
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecordingChanges, RecordingRow
from recording_insights.watch.progress import Watch

RACE_SECONDS = 5
"""Until the next check after another writer was first."""


def is_over(recording: RecordingRow, media: list[MediaRow]) -> bool:
    """Return whether the row tells how the recording ended, and no file is expected."""
    if recording["status"] in ("failed", "empty") and not media:
        return True
    # Agora may report the upload as complete before the first file has arrived here.
    return "complete_at" in recording and bool(media)


def complete(
    watch: Watch, recording: RecordingRow, media: list[MediaRow], *, store: RecordingStore, late_minutes: int
) -> Watch:
    """Declare a recording that has ended complete once no file has arrived for `late_minutes`.

    Returns the watch with its wait for files, or ended. Its outcome is "recover" if the folder is to be looked through
    first, for files without a row and for lost parts. Only after that does a recording without any file fail.
    """
    if is_over(recording, media):
        recovers = "complete_at" in recording and not watch.looked_at_slices
        return watch.recover() if recovers else watch.end()
    # A track that waits for segments counts with the newest of them.
    arrivals = [item.get("quiet_since") or item["arrived_at"] for item in media if "recovered" not in item]
    since = max([recording["stopped_at"], *arrivals])
    if (watch.phase, watch.since) != ("ended", since):
        watch = replace(watch.enter("ended", since), looked_at_slices=False)
    left = late_minutes * 60 - watch.elapsed_seconds(since, store.now())
    if left > 0:
        return watch.await_files(ceil(left))
    completed: RecordingChanges = {"complete_at": store.timestamp, "watch_reason": None}
    if media:
        store.update(watch.recording_id, completed, only_without="complete_at")
    if not watch.looked_at_slices:
        return watch.recover()
    if media:
        return watch.end()
    verdict: RecordingChanges = {**completed, **_without_files(watch, recording, late_minutes)}
    if store.update(watch.recording_id, verdict, only_in=(*UNDER_WAY, "stopping")):
        return watch.end()
    return watch.await_files(RACE_SECONDS)  # the first file has arrived since the row was read


def end_waits(media: list[MediaRow], *, store: MediaStore, end_wait: Callable[[str], None]) -> None:
    """End the waits for the ends of tracks: after the end of their recording, a playlist may stay open for ever."""
    for item in media:
        if not is_made_of_segments(item) or item["status"] not in ("waiting", "preparing"):
            continue
        noted = store.note_going_on(item["recording_id"], item["media_id"])
        if noted and "task_token" in noted:
            end_wait(noted["task_token"])


def _without_files(watch: Watch, recording: RecordingRow, late_minutes: int) -> RecordingChanges:
    """Return status and reason of a recording that has ended without any file."""
    within = f"within {late_minutes} minutes of the end"
    if watch.names_files or recording.get("ended_by") == "stop":
        return {"status": "failed", **because_of_recorder("no_file_came", f"Agora recorded, but no file came {within}")}
    known = recording.get("reason", "the recorder left by itself")
    return {"status": "empty", **because_of_recorder("nothing_recorded", f"{known}, and no file came {within}")}
