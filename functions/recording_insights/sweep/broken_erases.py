"""Recordings that are being erased, and that no execution may be working on any more."""

from datetime import timedelta

from recording_insights.deadline import Deadline
from recording_insights.model.moments import utc_text
from recording_insights.model.status import ERASING
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow
from recording_insights.sweep.step import RESERVE_SECONDS, Step
from recording_insights.upkeep.erase import Executions, begin_erase


def begin_broken_erases(
    *, store: RecordingStore, executions: Executions, after: str, deadline: Deadline, age: timedelta
) -> Step:
    """Begin each erase again whose recording has not changed for so long, unless its execution runs."""

    def begin(recording: RecordingRow) -> str:
        return "erases_begun" if begin_erase(recording, store=store, executions=executions) else "erasing"

    step = Step(cursor=after)
    quiet_since = utc_text(store.now() - age)
    for recording, place in recordings_with(store, ERASING, after=after):
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
        if recording.get("updated_at", "") <= quiet_since:
            step.attempt(begin, recording)
        step.cursor = place
    return Step(step.counts)
