"""A batch of arrivals: no object keeps the others of its batch from being admitted."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.errors import AwsUnavailable
from recording_insights.media.probe.ranged_object import RangeReader

PROBE_SECONDS = 20.0
"""Time for the reads of one object. A read that began within it may take another 9 s."""
RESERVE_SECONDS = 30.0
"""Time that must be left when an object's turn comes: that of its reads, and of the calls after them."""

_logger = logging.getLogger(__name__)


def admit_batch(
    messages: Iterable[Mapping[str, Any]], *, admit: Callable[[str], object], deadline: Deadline
) -> list[str]:
    """Admit the objects of SQS messages, and return the ids of those that were not admitted: they come again.

    `admit` gets the body of a message. A message for which too little time is left is among those that come again.
    """
    failed = []
    for message in messages:
        try:
            if deadline.seconds_left < RESERVE_SECONDS:
                raise AwsUnavailable("the objects before it in the batch took the time")
            admit(message["body"])
        except Exception:
            _logger.exception("message %s was not admitted, it will come again", message["messageId"])
            failed.append(message["messageId"])
    return failed


def read_until(deadline: Deadline, read: RangeReader) -> RangeReader:
    """Return a reader that raises `AwsUnavailable` after the deadline: S3 is slow, or the object asks for too much."""

    def read_in_time(first: int, last: int) -> bytes:
        if deadline.seconds_left <= 0:
            raise AwsUnavailable("S3 took too long to return the object's bytes")
        return read(first, last)

    return read_in_time
