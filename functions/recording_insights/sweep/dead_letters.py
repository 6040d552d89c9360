"""Dead letters that have lain for a while: what hindered them may be mended by now."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from recording_insights.aws.dead_letters import DeadLetter, DeadLetters
from recording_insights.bounded import parse_bounded
from recording_insights.deadline import Deadline
from recording_insights.sweep.step import RESERVE_SECONDS, Step

MOST = 50
"""Messages that one sweep handles."""
LOOKED_AT = 10
"""Messages that tell how old a queue is: SQS names no oldest message."""


def bring_back(queue: DeadLetters, to: str, *, now: datetime, age: timedelta) -> Step:
    """Have the messages moved to the queue with this ARN, if one of those at its front is of this age."""
    step = Step()
    if any(letter.sent_at <= now - age for letter in queue.receive(LOOKED_AT, hidden=False)):
        queue.move_to(to)
        step.counts["moved_back"] += 1
    return step


def handle_dead_letters(
    queue: DeadLetters,
    *,
    handle: Callable[[Mapping[str, Any]], object],
    now: datetime,
    deadline: Deadline,
    age: timedelta,
) -> Step:
    """Handle up to MOST events of this age as the function would have that failed, and delete those that succeed."""
    step = Step()
    for letter in queue.receive(MOST):
        if deadline.seconds_left < RESERVE_SECONDS:
            break
        if letter.sent_at > now - age:
            continue
        step.attempt(_handled, queue, letter, handle)
    return step


def _handled(queue: DeadLetters, letter: DeadLetter, handle: Callable[[Mapping[str, Any]], object]) -> str:
    handle(parse_bounded(letter.body))
    queue.delete(letter)
    return "handled"
