"""When to poll or to submit again: pure rules, so that the workflow holds no arithmetic.

A job is expected to end after `Estimate.seconds`, and most jobs end between that time divided and multiplied by
`Estimate.spread`. Nobody polls before the earliest of these moments. From then on the interval is the one at which
a further poll would cost as much as the delay that it saves: the square root of 2 * worth / hazard. The hazard is the
chance that a job which runs still ends in the next second, so the intervals follow what is still possible. Among all
schedules with as many polls, this one nearly has the smallest delay; `make bench BENCH=wait` compares it with the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import median
from typing import NamedTuple

SHORTEST_WAIT = 5
LONGEST_WAIT = 300
"""Between two attempts to submit."""
LONGEST_RETRY_AFTER = 3600
FIRST_RETRY = 10
UNKNOWN_MINUTES = 10
UNLEARNED_SPREAD = 2.0
"""Of the built-in paces: they come from documentation and may be wrong by a factor of two."""

LONGEST_WORTH = 24.5
WORTH_REACHES_HALF_AT = 3600.0
"""A poll is worth so many seconds of delay at most, and half of them for a job of an hour: who waits for a long job
minds a delay less. Chosen so that a job of 10 minutes with an unlearned estimate costs at most 30 transitions."""
BEYOND = 0.05
"""The share of jobs that take longer than estimate and spread allow. For them the intervals grow with the excess."""
GROWTH = 0.25
JITTER = 0.2
"""Each interval is up to so much shorter or longer: jobs that began together are not polled together."""

LEARNED_FROM = 3
"""Finished jobs that it takes to believe them rather than the built-in pace."""
NEWEST = 9
"""Finished jobs that count. After a change at the provider, five of them outvote the others."""
SPREADS = (1.15, 4.0)


@dataclass(frozen=True)
class Pace:
    """How long a provider usually takes: `start_seconds` for any job, plus `share` of the length of the media."""

    start_seconds: int
    share: float

    def seconds_for(self, media_ms: int | None) -> float:
        """Return how long a job takes; media of unknown length count as ten minutes."""
        length = UNKNOWN_MINUTES * 60 if media_ms is None else media_ms / 1000
        return max(self.start_seconds + self.share * length, 1.0)


class Finished(NamedTuple):
    """A finished job: the time it took, divided by what the built-in pace says.

    `at_first_poll`: it was over at the first poll already, so that it took this time at most.
    """

    ratio: float
    at_first_poll: bool = False


@dataclass(frozen=True)
class Estimate:
    """When a job ends: usually after `seconds`, mostly from `seconds / spread` to `seconds * spread`."""

    seconds: float
    spread: float = UNLEARNED_SPREAD

    @classmethod
    def of(cls, usual_seconds: float, finished: Sequence[Finished] = ()) -> "Estimate":
        """Correct the built-in pace by finished jobs of the same kind, newest first.

        The median counts, so no single job moves the estimate far. A job that was over at the first poll says only
        that the estimate is not too low. If most jobs say so, the estimate is too high, and half of their time counts.
        """
        newest = finished[:NEWEST]
        if len(newest) < LEARNED_FROM:
            return cls(usual_seconds)
        is_too_high = 2 * sum(job.at_first_poll for job in newest) > len(newest)
        logs = [log(job.ratio / 2 if job.at_first_poll and is_too_high else job.ratio) for job in newest]
        middle = median(logs)
        # All but one of nine: the farthest may be an accident.
        distance = sorted(abs(each - middle) for each in logs)[max(len(logs) - 2, LEARNED_FROM - 1)]
        least, most = SPREADS
        return cls(usual_seconds * exp(middle), min(max(exp(1.2 * distance), least), most))


def next_wait(estimate: Estimate, *, elapsed_seconds: float, place: float = 0.5) -> int:
    """Return the whole seconds until the next poll, `SHORTEST_WAIT` at least.

    Args:
        estimate: when the job ends.
        elapsed_seconds: time since the provider accepted the job. The job ran still at the last poll, if there was one.
        place: from 0 to 1, anything that differs between jobs: it spreads the polls of jobs that began together.
    """
    begin = max(elapsed_seconds, estimate.seconds / estimate.spread)
    # The interval at its own middle: it shrinks or grows within.
    interval = _interval(estimate, begin + _interval(estimate, begin) / 2)
    return max(round(begin - elapsed_seconds + interval * (1 - JITTER + 2 * JITTER * place)), SHORTEST_WAIT)


def _interval(estimate: Estimate, moment: float) -> float:
    """The best interval at a moment: jobs end with the same density per logarithm of time, a few beyond the spread."""
    worth = LONGEST_WORTH * estimate.seconds / (estimate.seconds + WORTH_REACHES_HALF_AT)
    latest = estimate.seconds * estimate.spread
    still_possible = max(log(latest / moment), 0.0) + BEYOND / (1 - BEYOND) * 2 * log(estimate.spread)
    return max(sqrt(2 * worth * moment * still_possible), GROWTH * (moment - latest))


def next_try(*, attempt: int, retry_after: int | None) -> int:
    """Return the whole seconds until the next attempt to submit to a provider that is busy or unavailable.

    The wait doubles with each attempt, up to `LONGEST_WAIT`. A longer `retry_after`, the delay in seconds that the
    provider asked for, counts up to `LONGEST_RETRY_AFTER`.
    """
    wait = min(FIRST_RETRY << min(attempt, 5), LONGEST_WAIT)
    return max(wait, min(retry_after or 0, LONGEST_RETRY_AFTER))
