"""Wait for the insights of a recording, so that a caller without webhooks need not ask again and again."""

from collections.abc import Mapping

from recording_insights.deadline import Deadline
from recording_insights.model.status import ENDED, ERASING
from recording_insights.store.recordings import RecordingStore
from recording_insights.validation import whole_number_in_text

LONGEST_WAIT = 25
"""In seconds. API Gateway gives up after 30.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
WAIT = whole_number_in_text(1, LONGEST_WAIT)
"""The query parameter: how many seconds to wait at the longest."""
_PAUSE_SECONDS = 1.0
_RESERVE_SECONDS = 3.0
"""To read the insights afterwards."""


def await_end(recording_id: str, query: Mapping[str, str], *, store: RecordingStore, deadline: Deadline) -> None:
    """Return when a recording has ended, when there is none, or when the seconds of the parameter `wait` are over.

    Without the parameter it returns at once.

    Raises:
        InvalidRequest: the parameter is no number of seconds.
    """
    if "wait" not in query:
        return
    seconds = WAIT("wait", query["wait"])
    until = max(deadline.seconds_left - seconds, _RESERVE_SECONDS)
    while deadline.seconds_left > until:
        recording = store.find(recording_id)
        if recording is None or recording["status"] in (*ENDED, ERASING):
            return
        if not deadline.pause(min(_PAUSE_SECONDS, deadline.seconds_left - until), reserve=_RESERVE_SECONDS):
            return
