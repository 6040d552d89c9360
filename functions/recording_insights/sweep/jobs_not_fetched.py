"""Jobs that were paid for and whose results nobody fetched: they are asked for once more, a day later."""

from collections.abc import Callable
from datetime import timedelta

from recording_insights.deadline import Deadline
from recording_insights.model.moments import utc_text
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow
from recording_insights.sweep.step import RESERVE_SECONDS, Step

KEPT = timedelta(days=30)
"""Recordings that began longer ago are left alone: no provider promises to keep a result for longer."""
NOT_FETCHED = frozenset({"no_result", "reply_gone"})
"""Reason codes of media objects whose jobs may have finished all the same."""


def fetch_forgotten_jobs(
    *,
    store: RecordingStore,
    retry: Callable[[MediaRow], object],
    after: str,
    deadline: Deadline,
    age: timedelta,
) -> Step:
    """Have each job fetched that was accepted, and whose media object failed so long ago for want of a result.

    `retry` begins another try from the job. It marks the row with `swept_at`, so that this happens once.
    """
    step = Step(cursor=after)
    now = store.now()
    failed_before, created_since = utc_text(now - age), utc_text(now - KEPT)
    for status in ("failed", "partial"):
        began, _, place = after.partition("/")
        if after and began == "partial" and status == "failed":
            continue
        for recording, here in recordings_with(store, status, after=place if began == status else ""):
            if deadline.seconds_left < RESERVE_SECONDS:
                return step
            if recording["created_at"] < created_since:
                break
            for row in store.media_rows(recording["recording_id"]):
                if _is_forgotten(row, failed_before):
                    step.attempt(_outcome, retry, row)
            step.cursor = f"{status}/{here}"
    return Step(step.counts)


def _outcome(retry: Callable[[MediaRow], object], row: MediaRow) -> str | None:
    return "fetched" if retry(row) else None


def _is_forgotten(row: MediaRow, failed_before: str) -> bool:
    return (
        row.get("status") == "failed"
        and bool(row.get("job"))
        and "swept_at" not in row
        and row.get("reason_code") in NOT_FETCHED
        and row.get("finished_at", failed_before) <= failed_before
    )
