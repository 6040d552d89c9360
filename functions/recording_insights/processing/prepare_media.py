"""State "Prepare media": wait until a track has arrived, then make one file of it that providers take.

The same state prepares what a recorder's segments hold beyond its MP4s. Of a file in a format that the provider does
not take, it makes one that the provider takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from recording_insights.errors import MediaObjectGone
from recording_insights.media.track import Track
from recording_insights.media.track_gaps import what_is_missing
from recording_insights.model.media_object import is_made_of_segments
from recording_insights.model.moments import utc_text
from recording_insights.model.reasons import NO_REASON, because
from recording_insights.processing.file_conversion import FileConversion
from recording_insights.processing.late_files import (
    NOT_AWAITED_SECONDS,
    LateFiles,
    ended_at,
    is_being_written,
    seconds_until_next_check,
)
from recording_insights.processing.prepared_file import FilePreparation, Remux, TrackFolder
from recording_insights.processing.progress import Counted, Outcome, Progress
from recording_insights.processing.take_over import take_over
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaChanges, MediaRow, RecordingRow


def prepare_media(
    progress: Progress,
    *,
    store: MediaStore,
    folder: TrackFolder,
    remux: Remux,
    conversion: FileConversion,
    late_minutes: int,
    is_running: Callable[[str], bool],
    now: Callable[[], datetime],
) -> Progress:
    """Check the track. Prepare the file once the track is complete, or no more of it arrived for `late_minutes`.

    While a track is being recorded, the event of its closed playlist ends the wait. After that the checks become rarer,
    as polls do. Segments that never arrived are left out, keep their length as silence, and are named in the row. A
    track without segments ends as empty, a track without sound as failed. If more of the track arrives while the file
    is made, the track is checked once more: no other execution would process that.

    A file is converted at once, and its media object waits for the provider again. If the file cannot be converted, the
    row says why, and "Submit recording" decides what follows.
    """
    progress, row = take_over(progress, store=store, is_running=is_running)
    if row is None:
        return progress
    if not is_made_of_segments(row):
        return _convert(progress, row, store, conversion, now)
    return _Check(progress, store, folder, FilePreparation(folder, remux), late_minutes, now).run(row)


def _convert(
    progress: Progress,
    row: MediaRow,
    store: MediaStore,
    conversion: FileConversion,
    now: Callable[[], datetime],
) -> Progress:
    reason = f"its sound is being converted to a format that {row['provider']} takes"
    why = because("preparation", "awaiting_conversion", reason)
    store.note(progress.recording_id, progress.media_id, status="preparing", **why)
    store.recordings.settle(progress.recording_id)
    try:
        made = conversion.conclude(row)
    except MediaObjectGone as error:
        return progress.end("failed", str(error), "media_gone")
    counted, since = progress.counted, utc_text(now())
    changes: MediaChanges = {**made, "status": "waiting", "waiting_since": since, **NO_REASON, **counted}
    store.note(progress.recording_id, progress.media_id, **changes)
    store.recordings.settle(progress.recording_id)
    return progress.restart("submit")


@dataclass(frozen=True)
class _Check:
    """One call of the state for one media object."""

    progress: Progress
    store: MediaStore
    folder: TrackFolder
    preparation: FilePreparation
    late_minutes: int
    now: Callable[[], datetime]

    def run(self, row: MediaRow) -> Progress:
        """Return how the execution continues; `row` is the media object as it was just read."""
        recording_id, media_id = self.progress.recording_id, self.progress.media_id
        prepared_from, changes = None, MediaChanges()
        while True:
            if row["status"] not in ("waiting", "preparing") or "prepared" in row:
                return self._continue_after(row)
            recording = self.store.recordings.find(recording_id) or RecordingRow()
            if "went_on" in row:  # before the playlist is read: an event after that ends the wait that follows
                self.store.note(recording_id, media_id, went_on=None)
            if not ended_at(recording) and is_being_written(row["key"], self.folder, self.now()):
                return self._await_end(self.progress, row, "the track is still being recorded")
            # Files that arrive before this write are in what is read below. Files that arrive after it are noted in
            # the row, and the conclusion is not written.
            run_id = uuid4().hex
            self.store.note(recording_id, media_id, being_made=run_id, went_on=None)
            track = Track.read(row["key"], self.folder, continues_at_ms=row.get("continues_at_ms", 0))
            if wait := self._wait_for_late_files(track, row, recording):
                return wait
            if track != prepared_from:
                changes = self.preparation.conclude(track, row, utc_text(self.now()))
                prepared_from = track
            counted: MediaChanges = {**changes, **self._counted(changes)}
            if self.store.conclude(recording_id, media_id, run_id, **counted):
                return self._continue_after(changes)
            row = self.store.get(recording_id, media_id)

    def _counted(self, concluded: MediaChanges) -> Counted:
        """The counts, with those of the states that follow if the media object has ended: none of them can add any."""
        progress = self.progress
        if concluded.get("status") == "failed":
            progress = progress.count(transitions=3, calls=1)
        elif concluded.get("empty"):
            progress = progress.count(transitions=2, calls=0)
        return progress.counted

    def _wait_for_late_files(self, track: Track, row: MediaRow, recording: RecordingRow) -> Progress | None:
        """Return the wait for what is missing; None if nothing is missing, or the patience is at its end."""
        missing = what_is_missing(track)
        if missing is None:
            return None
        late = LateFiles(track, row, recording, self.late_minutes)
        progress, since = self.progress, late.quiet_since
        if since != row.get("quiet_since"):
            progress = progress.restart("prepare")
            self.store.note(progress.recording_id, progress.media_id, quiet_since=since)
        quiet_seconds = progress.elapsed_seconds(since, self.now())
        if quiet_seconds >= late.patience.total_seconds() or late.nothing_will_follow:
            return None
        if late.is_recorded:
            return self._await_end(progress, row, missing)
        self._note_wait(row, missing)
        return progress.wait(
            seconds_until_next_check(
                quiet_seconds=quiet_seconds,
                waiting_seconds=(self.now() - late.awaited_since).total_seconds(),
            )
        )

    def _await_end(self, progress: Progress, row: MediaRow, missing: str) -> Progress:
        """Note what is missing, and wait for the end of the playlist."""
        self._note_wait(row, missing)
        return progress.await_end(NOT_AWAITED_SECONDS)

    def _note_wait(self, row: MediaRow, missing: str) -> None:
        """Write that a track waits. What went on since it was read stays noted: it ends a wait that begins now."""
        why = because("preparation", "awaiting_files", f"waiting for files: {missing}")
        counted = self.progress.counted
        self.store.wait(row, status="preparing", being_made=None, task_token=None, **why, **counted)

    def _continue_after(self, concluded: MediaRow | MediaChanges) -> Progress:
        """Return where a media object leads that needs no more checks."""
        self.store.recordings.settle(self.progress.recording_id)
        if concluded.get("empty") or concluded["status"] == "failed":
            outcome: Outcome = "empty" if "empty" in concluded else "failed"
            return self.progress.end(outcome, concluded.get("reason") or "", concluded.get("reason_code") or "")
        return self.progress.restart("submit")
