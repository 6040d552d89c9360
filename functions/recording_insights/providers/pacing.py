"""When to poll or to submit again: pure rules, so that the workflow holds no arithmetic.

The first poll is due when a job of this length is usually finished. Each later poll waits for a share of the time
that has already passed. So the delay stays in proportion to the job, and the number of polls grows with the logarithm
of the job's length. A one-hour job costs about ten polls, where a fixed interval of 30 seconds would cost 120.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How long a provider usually takes: `start_seconds` for any job, plus `share` of the length of the media."""

    start_seconds: int
    share: float


SHORTEST_WAIT = 5
LONGEST_WAIT = 300
LONGEST_RETRY_AFTER = 3600
FIRST_RETRY = 10
GROWTH = 0.25
UNKNOWN_MINUTES = 10


def next_wait(pace: Pace, *, attempt: int, elapsed_seconds: float, media_ms: int | None) -> int:
    """Return the whole seconds until the next poll, between `SHORTEST_WAIT` and `LONGEST_WAIT`.

    Args:
        pace: the usual speed of the provider.
        attempt: number of polls so far.
        elapsed_seconds: time since the provider accepted the job.
        media_ms: length of the media; None if it is unknown, which counts as ten minutes.
    """
    length = UNKNOWN_MINUTES * 60 if media_ms is None else media_ms / 1000
    expected = pace.start_seconds + pace.share * length
    remaining = expected - elapsed_seconds
    # The growth also bounds the remainder from below: a job that just misses its estimate must not cause many polls.
    wait = remaining if attempt == 0 else max(remaining / 2, elapsed_seconds * GROWTH)
    return round(min(max(wait, SHORTEST_WAIT), LONGEST_WAIT))


def next_try(*, attempt: int, retry_after: int | None) -> int:
    """Return the whole seconds until the next attempt to submit to a provider that is busy or unavailable.

    The wait doubles with each attempt, up to `LONGEST_WAIT`. A longer `retry_after`, the delay in seconds that the
    provider asked for, counts up to `LONGEST_RETRY_AFTER`.
    """
    wait = min(FIRST_RETRY << min(attempt, 5), LONGEST_WAIT)
    return max(wait, min(retry_after or 0, LONGEST_RETRY_AFTER))
