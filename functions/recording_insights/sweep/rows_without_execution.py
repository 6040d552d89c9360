"""Media objects that are not finished, and that no execution may be working on any more."""

from collections.abc import Callable
from datetime import timedelta

from recording_insights.deadline import Deadline
from recording_insights.model.moments import utc_text
from recording_insights.model.status import FINAL
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow
from recording_insights.sweep.step import RESERVE_SECONDS, Step


def begin_rows_without_execution(
    *,
    store: RecordingStore,
    begin: Callable[[MediaRow], str | None],
    after: str,
    deadline: Deadline,
    age: timedelta,
) -> Step:
    """Begin each unfinished media object of the recordings that have not changed for so long, newest first.

    `begin` starts an execution only if none works on the media object; it returns None for one that has ended since.
    """
    step = Step(cursor=after)
    quiet_since = utc_text(store.now() - age)
    for recording, place in recordings_with(store, "processing", after=after):
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
        if recording.get("updated_at", "") <= quiet_since:
            for row in store.media_rows(recording["recording_id"]):
                if row.get("status") not in FINAL:
                    step.attempt(_outcome, begin, row)
        step.cursor = place
    return Step(step.counts)


def _outcome(begin: Callable[[MediaRow], str | None], row: MediaRow) -> str:
    return "unfinished" if begin(row) else "ended"
