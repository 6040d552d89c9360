"""Uploads whose file never came."""

from functools import partial

from recording_insights.deadline import Deadline
from recording_insights.recordings.await_upload import end_upload
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.recordings import RecordingStore
from recording_insights.sweep.step import RESERVE_SECONDS, Step


def end_missing_uploads(*, store: RecordingStore, after: str, deadline: Deadline) -> Step:
    """End each recording whose uploaded file did not come in time, newest first."""
    step = Step(cursor=after)
    end = partial(end_upload, store=store)
    for recording, place in recordings_with(store, "starting", after=after):
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
        step.attempt(end, recording)
        step.cursor = place
    return Step(step.counts)
