"""When to poll and to submit again, in exact seconds."""

import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise, product
from math import exp, log

import pytest

from benchmarks.wait import CASES, measure
from recording_insights.providers.pacing import Estimate, Finished, Pace, next_try, next_wait

MINUTE = 60_000
HOUR = 3600.0


def moments(estimate: Estimate, until: float, place: float = 0.5) -> list[int]:
    """When a job is polled that still runs `until` so many seconds after its provider accepted it."""
    polls = [next_wait(estimate, elapsed_seconds=0, place=place)]
    while polls[-1] < until:
        polls.append(polls[-1] + next_wait(estimate, elapsed_seconds=polls[-1], place=place))
    return polls


class TestPace:
    @pytest.mark.parametrize(
        ("pace", "media_ms", "seconds"),
        [
            (Pace(5, 0.3), 0, 5),
            (Pace(5, 0.3), MINUTE, 23),
            (Pace(5, 0.3), 360 * MINUTE, 6485),
            (Pace(5, 0.3), None, 185),
            (Pace(0, 1.5), 0, 1),
        ],
    )
    def test_a_job_takes_a_start_and_a_share_of_the_media(
        self, pace: Pace, media_ms: int | None, seconds: float
    ) -> None:
        assert pace.seconds_for(media_ms) == pytest.approx(seconds)


class TestNextWait:
    @pytest.mark.parametrize(
        ("estimate", "polls"),
        [
            (Estimate(15), [9, 14, 19, 24, 29, 34]),
            (Estimate(600), [356, 413, 471, 529, 586, 643]),
            (Estimate(600, 1.2), [536, 569, 599, 627, 652, 674]),
            (Estimate(HOUR), [2056, 2316, 2579, 2843, 3107, 3370]),
        ],
    )
    def test_the_first_polls_of_one_job(self, estimate: Estimate, polls: list[int]) -> None:
        assert moments(estimate, 10**6)[:6] == polls

    def test_nobody_polls_before_a_job_can_be_over(self) -> None:
        for seconds, spread, place in product((15, 600, HOUR), (1.15, 2, 4), (0, 1)):
            assert moments(Estimate(seconds, spread), 0, place)[0] > seconds / spread

    def test_beyond_every_expectation_the_intervals_grow_with_the_excess(self) -> None:
        """A job of 10 minutes that runs for a day costs some thirty polls more, not two thousand."""
        late = [moment for moment in moments(Estimate(600), 86_400) if moment > 1200]

        assert len(late) < 40
        assert all(later - 1200 < 1.5 * (earlier - 1200) for earlier, later in pairwise(late[6:]))

    def test_polls_of_jobs_that_began_together_spread(self) -> None:
        first = [moments(Estimate(600), 0, place / 1000)[0] for place in range(1000)]

        assert max(map(first.count, first)) <= 60
        assert max(first) - min(first) >= 20

    def test_a_wait_is_whole_seconds_from_5(self) -> None:
        estimates = [Estimate(seconds, spread) for seconds, spread in product((1, 15, 600, 10**6), (1.15, 2, 4))]
        for estimate, elapsed, place in product(estimates, (0, 0.4, 17, HOUR, 10**7), (0, 0.5, 1)):
            seconds = next_wait(estimate, elapsed_seconds=elapsed, place=place)

            assert isinstance(seconds, int)
            assert seconds >= 5


BUDGETS = [
    # estimate, spread, mean delay, 95th percentile of the delay, state transitions
    (600, 2.0, 27, 65, 30),
    (600, 1.2, 19, 65, 16),
    (HOUR, 2.0, 135, 400, 35),
    (HOUR, 1.2, 80, 400, 20),
    (6 * HOUR, 2.0, 432, 1200, 60),
]
"""What a poll alone may cost, and how late it may notice the end. Jobs end anywhere within the spread, log-uniform."""


@pytest.mark.parametrize(("seconds", "spread", "mean", "late", "transitions"), BUDGETS)
def test_the_end_is_noticed_soon_and_cheaply(
    seconds: float, spread: float, mean: float, late: float, transitions: float
) -> None:
    delays, polls = [], []
    for place, end in _ends(Estimate(seconds, spread)):
        polled = moments(Estimate(seconds, spread), end, place)
        delays.append(polled[-1] - end)
        polls.append(len(polled))

    assert sum(delays) / len(delays) <= mean
    assert sorted(delays)[int(0.95 * len(delays))] <= late
    # The first choice, Submit, its choice, and Save; for each poll Wait, Poll and its choice.
    assert 4 + 3 * sum(polls) / len(polls) <= transitions


@pytest.mark.parametrize("case", ["10 min, wrong by up to 2", "1 h, learned"])
def test_no_schedule_with_as_many_polls_is_much_better(case: str) -> None:
    assert measure(case, CASES[case]).ratio <= 1.1


def _ends(estimate: Estimate) -> Iterator[tuple[float, float]]:
    """A place, and the moment at which a job ends."""
    draw = random.Random(0)
    for share in range(2000):
        yield draw.random(), estimate.seconds * estimate.spread ** (share / 1000 - 1)


class TestEstimate:
    def test_the_built_in_pace_counts_until_three_jobs_have_finished(self) -> None:
        assert Estimate.of(100, [Finished(5.0)] * 2) == Estimate(100, 2.0)
        assert Estimate.of(100, [Finished(5.0)] * 3).seconds == pytest.approx(500)

    def test_one_job_that_hung_moves_nothing(self) -> None:
        usual = [Finished(1 + 0.05 * number) for number in range(-4, 5)]
        before, after = Estimate.of(100, usual), Estimate.of(100, [Finished(100.0), *usual])

        assert after.seconds == pytest.approx(before.seconds, rel=0.06)
        assert after.spread == pytest.approx(before.spread, rel=0.06)

    def test_the_newest_jobs_count(self) -> None:
        """After the provider has become ten times as fast, five jobs outvote those of before."""
        before, now = [Finished(1.0)] * 11, [Finished(0.1)] * 5

        assert Estimate.of(100, [*now, *before]).seconds == pytest.approx(10)
        assert Estimate.of(100, [*now[:4], *before]).seconds == pytest.approx(100)

    def test_jobs_that_were_over_at_the_first_poll_halve_an_estimate_if_most_were(self) -> None:
        early = [Finished(0.9, at_first_poll=True)]

        assert Estimate.of(100, early * 9).seconds == pytest.approx(45)
        assert Estimate.of(100, [*early * 4, *[Finished(1.0)] * 5]).seconds == pytest.approx(100)

    @pytest.mark.parametrize("wrong_by", [0.1, 0.5, 2.0, 10.0])
    def test_a_wrong_estimate_heals_within_ten_jobs(self, wrong_by: float) -> None:
        draw, finished = random.Random(1), list[Finished]()
        for _ in range(10):
            estimate, end = Estimate.of(600, finished), 600 * wrong_by * 1.1 ** draw.uniform(-1, 1)
            polled = moments(estimate, end, draw.random())
            began = polled[bisect_left(polled, end) - 1] if len(polled) > 1 else polled[-1]
            finished.insert(0, Finished((began + polled[-1]) / 2 / 600, len(polled) == 1))

        healed = Estimate.of(600, finished)
        assert abs(log(healed.seconds / (600 * wrong_by))) < log(1.35)
        assert healed.spread < exp(1.4)


class TestNextTry:
    def test_it_doubles_from_ten_seconds_to_five_minutes(self) -> None:
        waits = [next_try(attempt=attempt, retry_after=None) for attempt in range(8)]

        assert waits == [10, 20, 40, 80, 160, 300, 300, 300]

    def test_a_huge_attempt_is_no_overflow(self) -> None:
        assert next_try(attempt=10**6, retry_after=None) == 300

    @pytest.mark.parametrize(
        ("attempt", "retry_after", "seconds"),
        [
            (0, 0, 10),
            (0, 9, 10),
            (0, 11, 11),
            (0, 1_200, 1_200),
            (0, 3_599, 3_599),
            (0, 3_601, 3_600),
            (9, 299, 300),
            (9, 301, 301),
        ],
    )
    def test_a_longer_retry_after_counts_up_to_an_hour(self, attempt: int, retry_after: int, seconds: int) -> None:
        assert next_try(attempt=attempt, retry_after=retry_after) == seconds
