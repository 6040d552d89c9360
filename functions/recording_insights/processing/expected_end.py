"""When a job is expected to end: the provider's built-in pace, corrected by the latest finished jobs of its kind."""

from datetime import datetime
from math import floor, inf, log
from zlib import crc32

from recording_insights.processing.progress import Progress
from recording_insights.providers.pacing import Estimate, Finished, Pace, next_wait
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow


def kind_of(row: MediaRow) -> str:
    """Return the kind of media that jobs are compared within: the format, and the length to a factor of four.

    `mp4 4` is an MP4 of four to sixteen minutes. A share of the length alone would be wrong for short or long media.
    """
    key = row["prepared"]["key"] if "prepared" in row else row["key"]
    suffix = key.rpartition(".")[2].lower()[:8]
    media_ms = row.get("duration_ms")
    minutes = None if media_ms is None else 4 ** max(floor(log(max(media_ms / 60_000, 1), 4)), 0)
    return f"{suffix} {minutes or 'unknown'}"


def expect_end(row: MediaRow, pace: Pace, *, store: MediaStore) -> Estimate:
    """Return when the job of a media object ends, which is about to be placed with the provider of `row`."""
    finished = store.finished_jobs.newest(row["provider"], kind_of(row))
    usable = [Finished(job["ratio"], job["at_first_poll"]) for job in finished if job["ratio"] > 0]
    return Estimate.of(pace.seconds_for(row.get("duration_ms")), usable)


def estimate_of(row: MediaRow, pace: Pace) -> Estimate:
    """Return the estimate that was made when the provider accepted the job; the built-in pace if there is none.

    Jobs of earlier versions have none, nor have those that a callback has confirmed.
    """
    seconds, spread = row.get("expected_seconds"), row.get("expected_spread")
    if (
        isinstance(seconds, (int, float))
        and isinstance(spread, (int, float))
        and 0 < seconds < inf
        and 1 < spread < inf
    ):
        return Estimate(seconds, spread)
    return Estimate.of(pace.seconds_for(row.get("duration_ms")))


def seconds_until_poll(progress: Progress, estimate: Estimate, elapsed_seconds: float) -> int:
    """Return the whole seconds until the next poll of a job."""
    place = crc32(f"{progress.media_id} {progress.attempt}".encode()) / 2**32
    return next_wait(estimate, elapsed_seconds=elapsed_seconds, place=place)


def learn(progress: Progress, row: MediaRow, pace: Pace, *, store: MediaStore, now: datetime) -> None:
    """Store how long a job took that has succeeded, unless that is not known.

    A callback tells the end. Otherwise it lies between the last two polls: their middle counts. After a fault the last
    poll says nothing, and a job of an earlier try ended before this one. If the end is before the begin, a clock was
    set back.
    """
    if "began_from" in row or "reason" in row:
        return
    began = datetime.fromisoformat(row["submitted_at"])
    if "callback_at" in row:
        seconds, at_first_poll = (datetime.fromisoformat(row["callback_at"]) - began).total_seconds(), False
    else:
        seconds = progress.elapsed_seconds(row["submitted_at"], now)
        at_first_poll = progress.attempt <= 1
        seconds -= 0 if at_first_poll else progress.wait_seconds / 2
    if seconds < 0:
        return
    ratio = round(max(seconds, 1.0) / pace.seconds_for(row.get("duration_ms")), 4)
    store.finished_jobs.keep(row["provider"], kind_of(row), row["media_id"], ratio=ratio, at_first_poll=at_first_poll)
