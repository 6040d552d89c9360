"""Dead letters that are an hour old: what hindered them may be mended by now."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from recording_insights.aws.dead_letters import DeadLetter, DeadLetters
from recording_insights.deadline import Deadline
from recording_insights.sweep.step import RESERVE_SECONDS, Step

AGE = timedelta(hours=1)
MOST = 50
"""Messages that one sweep handles."""
LOOKED_AT = 10
"""Messages that tell how old a queue is: SQS names no oldest message."""


def bring_back(queue: DeadLetters, *, now: datetime) -> Step:
    """Have the messages moved back to their queue, if one of those at its front is old."""
    step = Step()
    if any(letter.sent_at <= now - AGE for letter in queue.receive(LOOKED_AT, hidden=False)):
        queue.move_back()
        step.counts["moved_back"] += 1
    return step


def handle_dead_letters(
    queue: DeadLetters, *, handle: Callable[[Mapping[str, Any]], object], now: datetime, deadline: Deadline
) -> Step:
    """Handle up to MOST old events as the function would have that failed, and delete those that succeed."""
    step = Step()
    for letter in queue.receive(MOST):
        if deadline.seconds_left < RESERVE_SECONDS:
            break
        if letter.sent_at > now - AGE:
            continue
        step.attempt(lambda letter=letter: _handled(queue, letter, handle))  # type: ignore[misc]
    return step


def _handled(queue: DeadLetters, letter: DeadLetter, handle: Callable[[Mapping[str, Any]], object]) -> str:
    handle(json.loads(letter.body))
    queue.delete(letter)
    return "handled"
