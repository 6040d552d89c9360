from itertools import product

import pytest

from recording_insights.providers.pacing import LONGEST_WAIT, SHORTEST_WAIT, Pace, next_try, next_wait

MINUTE = 60_000
PACES = (Pace(5, 0.3), Pace(60, 0.0), Pace(0, 1.5))


def polls(pace: Pace, media_ms: int | None, job_seconds: float) -> tuple[int, float]:
    """Return the number of polls for a job of this length, and the seconds from its end to the last poll."""
    elapsed, attempt = 0.0, 0
    while True:
        elapsed += next_wait(pace, attempt=attempt, elapsed_seconds=elapsed, media_ms=media_ms)
        attempt += 1
        if elapsed >= job_seconds:
            return attempt, elapsed - job_seconds


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("media_ms", [None, 0, 1, 4_000, MINUTE, 60 * MINUTE, 360 * MINUTE, 10**12])
def test_a_wait_is_whole_seconds_within_the_bounds(pace: Pace, media_ms: int | None) -> None:
    for attempt, elapsed in product((0, 1, 50), (0, 0.4, 17, 3_600, 10**7)):
        seconds = next_wait(pace, attempt=attempt, elapsed_seconds=elapsed, media_ms=media_ms)

        assert isinstance(seconds, int)
        assert SHORTEST_WAIT <= seconds <= LONGEST_WAIT


@pytest.mark.parametrize("attempt", [0, 1])
def test_longer_media_never_waits_shorter(attempt: int) -> None:
    waits = [
        next_wait(Pace(5, 0.3), attempt=attempt, elapsed_seconds=20, media_ms=minutes * MINUTE)
        for minutes in range(0, 400, 3)
    ]

    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_waits_grow_once_the_estimate_is_missed() -> None:
    late = [
        next_wait(Pace(5, 0.3), attempt=5, elapsed_seconds=elapsed, media_ms=MINUTE) for elapsed in range(23, 4000, 7)
    ]

    assert late == sorted(late)
    assert late[-1] == LONGEST_WAIT


def test_the_first_poll_comes_when_the_job_is_expected_to_be_through() -> None:
    assert next_wait(Pace(5, 0.3), attempt=0, elapsed_seconds=0, media_ms=5 * MINUTE) == 95


def test_media_of_unknown_length_counts_as_ten_minutes() -> None:
    def wait(media_ms: int | None) -> int:
        return next_wait(Pace(5, 0.3), attempt=0, elapsed_seconds=0, media_ms=media_ms)

    assert wait(None) == wait(10 * MINUTE) != wait(0)


@pytest.mark.parametrize(
    ("minutes", "share_of_media", "most"),
    [(1, 0.3, 1), (1, 1, 6), (1, 3, 11), (60, 0.25, 4), (60, 0.33, 7), (60, 1, 16), (360, 0.3, 23), (360, 0.33, 26)],
)
def test_the_number_of_polls_stays_small(minutes: int, share_of_media: float, most: int) -> None:
    count, _ = polls(Pace(5, 0.3), minutes * MINUTE, minutes * 60 * share_of_media)

    assert count <= most


@pytest.mark.parametrize("minutes", [1, 5, 30, 60, 360])
@pytest.mark.parametrize("share_of_media", [0.05, 0.2, 0.3, 0.5, 1.0, 4.0])
def test_the_lag_after_the_end_is_in_proportion_to_the_job(minutes: int, share_of_media: float) -> None:
    job_seconds = minutes * 60 * share_of_media
    expected = 5 + 0.3 * minutes * 60

    _, lag = polls(Pace(5, 0.3), minutes * MINUTE, job_seconds)

    assert lag <= min(max(0.25 * job_seconds, expected, SHORTEST_WAIT), LONGEST_WAIT) + 1


class TestNextTry:
    def test_it_doubles_from_ten_seconds_to_five_minutes(self) -> None:
        assert [next_try(attempt=attempt, retry_after=None) for attempt in range(8)] == [
            *(10, 20, 40, 80, 160),
            *(300, 300, 300),
        ]

    def test_a_huge_attempt_is_no_overflow(self) -> None:
        assert next_try(attempt=10**6, retry_after=None) == LONGEST_WAIT

    @pytest.mark.parametrize(
        ("attempt", "retry_after", "seconds"),
        [(0, 0, 10), (0, 3, 10), (0, 90, 90), (0, 1_200, 1_200), (9, 90, 320), (0, 86_400, 3_600)],
    )
    def test_retry_after_counts_up_to_an_hour(self, attempt: int, retry_after: int, seconds: int) -> None:
        assert next_try(attempt=attempt, retry_after=retry_after) == seconds
