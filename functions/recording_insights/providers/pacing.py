"""When to ask a provider next: a pure rule, so that the workflow holds no arithmetic.

The first poll comes when a job of this length is usually through, the later ones after a share of the time
already spent: the lag stays in proportion to the job, and the number of polls grows with its logarithm. A
one-hour job costs about ten polls where a fixed 30-second loop costs 120.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How fast a provider usually is: `start_seconds` for any job, `share` of the media's length on top."""

    start_seconds: int
    share: float


SHORTEST_WAIT = 5
LONGEST_WAIT = 300
GROWTH = 0.25
UNKNOWN_MINUTES = 10


def next_wait(pace: Pace, *, attempt: int, elapsed_seconds: float, media_ms: int | None) -> int:
    """Whole seconds until the next poll, between `SHORTEST_WAIT` and `LONGEST_WAIT`.

    Args:
        pace: the provider's.
        attempt: polls done so far.
        elapsed_seconds: since the provider took the job.
        media_ms: length of the media, None if nobody could tell (taken as ten minutes).
    """
    length = UNKNOWN_MINUTES * 60 if media_ms is None else media_ms / 1000
    expected = pace.start_seconds + pace.share * length
    remaining = expected - elapsed_seconds
    # An estimate that was just missed must not cause a burst of polls, hence the growth also for the remainder.
    wanted = remaining if attempt == 0 else max(remaining / 2, elapsed_seconds * GROWTH)
    return round(min(max(wanted, SHORTEST_WAIT), LONGEST_WAIT))


def next_try(*, attempt: int, wish: int | None) -> int:
    """Whole seconds until the next attempt to submit to a provider that is busy or away.

    Doubles from 10 s to 5 min; the provider's own wish (Retry-After) counts up to an hour.
    """
    return min(max(10 << min(attempt, 5), wish or 0), 3600 if wish else LONGEST_WAIT)
