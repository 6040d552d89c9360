"""Caps: how much is submitted of one recording, and on one day, before an operator decides on more.

A media object over a cap waits outside of the queue and without a slot. Nobody wakes it: it looks again within an hour.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zlib import crc32

from recording_insights.store.job_counts import JobCountStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow

LOOK_SECONDS = 3000
"""Between two looks, give or take `JITTER`. AWS ends an execution after 25,000 events, and each look is 16 of them.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
AFTER_MIDNIGHT_SECONDS = 300
"""Those that wait for the next day come within so many seconds after its begin, the oldest first."""
JITTER = 0.2


class Over(NamedTuple):
    """Why a cap holds a media object up: a reason code, a sentence, and the seconds until the next look."""

    code: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Caps:
    """The caps of the stack; None is no cap. Without a cap, no method calls AWS.

    `most_minutes` are minutes of media of one recording, and `most_jobs` its jobs, retries included. Both are counted
    from the moment on in which one of the two caps is set. Media of unknown length count as no minutes. A day is one
    of UTC.
    """

    recordings: RecordingStore
    counts: JobCountStore
    most_tracks: int | None = None
    most_minutes: int | None = None
    most_jobs: int | None = None
    most_jobs_per_day: int | None = None

    def why_over(self, row: MediaRow) -> Over | None:
        """Return why a media object must not be submitted now, or None if it may. Nothing is counted."""
        return self._over_tracks(row) or self._over_recording(row) or self._over_day(row)

    def count(self, row: MediaRow) -> Over | None:
        """Count the job that is about to be submitted; if other jobs have just reached a cap, return why it must wait.

        A job that the provider has not accepted is to be taken back.
        """
        recording_id, media_ms = row["recording_id"], row.get("duration_ms", 0)
        if self._counts_recordings:
            most_ms = None if self.most_minutes is None else self.most_minutes * 60_000
            limits = {"most_jobs": self.most_jobs, "most_ms": most_ms}
            if not self.counts.count_of_recording(recording_id, media_ms, **limits):
                return self._of_recording(row, "other jobs of the recording have just reached its cap")
        if self.most_jobs_per_day is None:
            return None
        if self.counts.count_of_day(self._today, media_ms, most_jobs=self.most_jobs_per_day):
            return None
        if self._counts_recordings:
            self.counts.take_back_of_recording(recording_id, media_ms)
        return self._of_day(row)

    def take_back(self, row: MediaRow) -> None:
        """Take the count of a job back that the provider has not accepted."""
        media_ms = row.get("duration_ms", 0)
        if self._counts_recordings:
            self.counts.take_back_of_recording(row["recording_id"], media_ms)
        if self.most_jobs_per_day is not None:
            self.counts.take_back_of_day(self._today, media_ms)

    @property
    def _counts_recordings(self) -> bool:
        return self.most_jobs is not None or self.most_minutes is not None

    @property
    def _today(self) -> str:
        return f"{self.counts.now().astimezone(UTC):%Y-%m-%d}"

    def _over_tracks(self, row: MediaRow) -> Over | None:
        if self.most_tracks is None or "uid" not in row:
            return None
        tracks = [each for each in self.recordings.media_rows(row["recording_id"]) if "uid" in each]
        # Parts of a track that goes on later belong to it. A track that was submitted keeps its place.
        uids = list(dict.fromkeys(each["uid"] for each in sorted(tracks, key=_place_of)))
        if row["uid"] in uids[: self.most_tracks]:
            return None
        text = f"the recording has {len(uids)} tracks, and mostTracksPerRecording is {self.most_tracks}"
        return self._of_recording(row, text)

    def _over_recording(self, row: MediaRow) -> Over | None:
        if not self._counts_recordings:
            return None
        counted = self.counts.of_recording(row["recording_id"])
        jobs, media_ms, mine = counted.get("jobs", 0), counted.get("media_ms", 0), row.get("duration_ms", 0)
        if self.most_jobs is not None and jobs >= self.most_jobs:
            text = f"as many jobs of the recording were submitted as mostJobsPerRecording allows: {self.most_jobs}"
            return self._of_recording(row, text)
        if self.most_minutes is not None and media_ms + mine > self.most_minutes * 60_000:
            submitted, more = f"{media_ms / 60_000:.1f} minutes of the recording were submitted", mine / 60_000
            text = f"{submitted} and {more:.1f} are to follow, and mostMinutesPerRecording is {self.most_minutes}"
            return self._of_recording(row, text)
        return None

    def _over_day(self, row: MediaRow) -> Over | None:
        if self.most_jobs_per_day is None:
            return None
        jobs = self.counts.of_day(self._today).get("jobs", 0)
        return self._of_day(row) if jobs >= self.most_jobs_per_day else None

    def _of_recording(self, row: MediaRow, reason: str) -> Over:
        return Over("over_recording_cap", reason, LOOK_SECONDS * _jitter(row))

    def _of_day(self, row: MediaRow) -> Over:
        now = self.counts.now().astimezone(UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        days = max((now - datetime.fromisoformat(row["waiting_since"])).total_seconds(), 0) / 86_400
        after_midnight = (midnight - now).total_seconds() + AFTER_MIDNIGHT_SECONDS / (1 + days) * _jitter(row)
        reason = f"as many jobs were submitted today as mostJobsPerDay allows: {self.most_jobs_per_day}"
        return Over("over_daily_cap", reason, min(after_midnight, LOOK_SECONDS * _jitter(row)))


def _jitter(row: MediaRow) -> float:
    """Return a factor around 1, another one for each media object: those of one moment do not look together."""
    return 1 - JITTER + 2 * JITTER * crc32(row["media_id"].encode()) / 2**32


def _place_of(track: MediaRow) -> tuple[bool, str, str]:
    is_paid = "submitted_at" in track or track.get("try_number", 0) > 0
    return not is_paid, track["arrived_at"], track["media_id"]
