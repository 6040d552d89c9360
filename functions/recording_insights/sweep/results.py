"""Results that providers delivered, and that no event reported: they lie in the replies bucket."""

from collections.abc import Callable, Iterable
from datetime import datetime

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.deadline import Deadline
from recording_insights.errors import NotFound
from recording_insights.sweep.step import RESERVE_SECONDS, Step


def receive_results(
    files: Iterable[StoredFile], *, receive: Callable[[str], str], modified_since: datetime, deadline: Deadline
) -> Step:
    """Receive each result that was stored since a moment, as its event would have, and return the key to go on after.

    `receive` takes the key of a result. It changes nothing if the row has the result already.
    """
    step = Step(cursor="")
    for file in files:
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
        if file.modified >= modified_since:
            step.attempt(_outcome, receive, file.key)
        step.cursor = file.key
    return Step(step.counts)


def _outcome(receive: Callable[[str], str], key: str) -> str:
    try:
        return receive(key)
    except NotFound:
        return "of no job"
