"""When to poll and to submit again, in exact seconds.

The first poll comes when a job of this length is usually finished. Later intervals are a quarter of the elapsed time,
or half of what is left of the estimate if that is longer. All are from 5 s to 5 min.
"""

from itertools import product

import pytest

from recording_insights.providers.pacing import Pace, next_try, next_wait

MINUTE = 60_000
USUAL = Pace(5, 0.3)


@pytest.mark.parametrize(
    ("pace", "media_ms", "seconds"),
    [
        (USUAL, 0, 5),
        (USUAL, 3_000, 6),
        (USUAL, MINUTE, 23),
        (USUAL, 5 * MINUTE, 95),
        (USUAL, 962_000, 294),
        (USUAL, 16 * MINUTE, 293),
        (USUAL, 17 * MINUTE, 300),
        (USUAL, 360 * MINUTE, 300),
        (USUAL, None, 185),
        (Pace(60, 0.0), 0, 60),
        (Pace(60, 0.0), 360 * MINUTE, 60),
        (Pace(0, 1.5), 0, 5),
        (Pace(0, 1.5), 4_000, 6),
        (Pace(0, 1.5), 198_000, 297),
        (Pace(0, 1.5), None, 300),
    ],
)
def test_the_first_poll_comes_when_the_job_is_expected_to_be_finished(
    pace: Pace, media_ms: int | None, seconds: int
) -> None:
    assert next_wait(pace, attempt=0, elapsed_seconds=0, media_ms=media_ms) == seconds


@pytest.mark.parametrize(("elapsed", "seconds"), [(1, 11), (10, 6), (13, 5), (20, 5), (23, 6), (28, 7), (400, 100)])
def test_a_later_poll_waits_for_half_of_the_estimate_or_a_quarter_of_the_elapsed_time(
    elapsed: float, seconds: int
) -> None:
    for attempt in (1, 50):
        assert next_wait(USUAL, attempt=attempt, elapsed_seconds=elapsed, media_ms=MINUTE) == seconds


@pytest.mark.parametrize(("elapsed", "seconds"), [(1_190, 298), (1_196, 299), (1_199, 300), (1_204, 300), (10**7, 300)])
def test_no_wait_is_longer_than_five_minutes(elapsed: float, seconds: int) -> None:
    assert next_wait(USUAL, attempt=5, elapsed_seconds=elapsed, media_ms=MINUTE) == seconds


@pytest.mark.parametrize(
    ("minutes", "moments"),
    [
        (1, [23, 29, 36, 45, 56, 70, 88, 110, 138, 172]),
        (5, [95, 119, 149, 186, 232, 290, 362]),
        (60, [300, 600, 842, 1052, 1315, 1615, 1915, 2215, 2515, 2815, 3115, 3415]),
    ],
)
def test_the_polls_of_one_job(minutes: int, moments: list[int]) -> None:
    """Each list ends about when a job of this pace would take as long as the media, or three times as long."""
    elapsed, polls = 0, []
    for attempt in range(len(moments)):
        elapsed += next_wait(USUAL, attempt=attempt, elapsed_seconds=elapsed, media_ms=minutes * MINUTE)
        polls.append(elapsed)

    assert polls == moments


def test_a_wait_is_whole_seconds_from_5_to_300() -> None:
    paces = (USUAL, Pace(60, 0.0), Pace(0, 1.5))
    lengths = (None, 0, 1, 4_000, MINUTE, 60 * MINUTE, 10**12)
    for pace, media_ms, attempt, elapsed in product(paces, lengths, (0, 1, 50), (0, 0.4, 17, 3_600, 10**7)):
        seconds = next_wait(pace, attempt=attempt, elapsed_seconds=elapsed, media_ms=media_ms)

        assert isinstance(seconds, int)
        assert 5 <= seconds <= 300


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
