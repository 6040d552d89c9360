"""Positions of segments: by clock where there is one, by lengths where there is none."""

from itertools import pairwise

import pytest

from recording_insights.hls.playlist import Segment
from recording_insights.hls.timeline import PlacedSegment, Timeline, place_segments

NOON = 1_600_000_000_000


def stamped(*segments: tuple[float, float], prefix: str = "s") -> list[Segment]:
    """Segments as (begins, lasts) in seconds after noon."""
    return [Segment(f"{prefix}{n}", lasts, NOON + round(begins * 1000)) for n, (begins, lasts) in enumerate(segments)]


def unstamped(*lengths: float) -> list[Segment]:
    return [Segment(f"s{n}", seconds, None) for n, seconds in enumerate(lengths)]


def positions(*recorders: list[Segment]) -> list[int]:
    return [each.at_ms for each in place_segments(recorders).segments]


def test_nothing() -> None:
    assert place_segments([]) == place_segments([[], []]) == Timeline(None, [])


def test_segments_without_a_clock_follow_each_other() -> None:
    assert place_segments([unstamped(10.0, 2.5, 10.0)]) == Timeline(
        None,
        [
            PlacedSegment("s0", 0, 10_000, False),
            PlacedSegment("s1", 10_000, 2_500, False),
            PlacedSegment("s2", 12_500, 10_000, False),
        ],
    )


def test_a_mute_is_a_gap() -> None:
    assert place_segments([stamped((0, 15), (15, 4.2), (60, 15))]) == Timeline(
        NOON,
        [
            PlacedSegment("s0", 0, 15_000, False),
            PlacedSegment("s1", 15_000, 4_200, False),
            PlacedSegment("s2", 60_000, 15_000, False),
        ],
    )


@pytest.mark.parametrize("jitter", [-0.1, -0.03, 0.03, 0.1])
def test_jitter_is_no_gap(jitter: float) -> None:
    assert positions(stamped((0, 15), (15 + jitter, 15), (30, 15))) == [0, 15_000, 30_000]


@pytest.mark.parametrize("drift", [-0.04, 0.04], ids=["lengths too long", "lengths too short"])
def test_errors_do_not_add_up(drift: float) -> None:
    """Six hours of segments that last 40 ms more or less than their playlist says."""
    placed = place_segments([stamped(*((n * (15 + drift), 15) for n in range(1440)))]).segments

    assert all(abs(each.at_ms - n * (15_000 + drift * 1000)) <= 100 for n, each in enumerate(placed))


@pytest.mark.parametrize("drift", [-0.04, 0.0, 0.04])
def test_positions_never_decrease_and_lengths_fit_between_them(drift: float) -> None:
    placed = place_segments([stamped(*((n * (15 + drift), 15) for n in range(100)))]).segments

    for each, following in pairwise(placed):
        assert 0 <= each.at_ms + each.length_ms <= following.at_ms


def test_fractions_of_milliseconds_do_not_add_up() -> None:
    assert positions(unstamped(*[15.0186667] * 1000))[-1] == round(999 * 15_018.6667)


def test_stamps_of_files_written_at_once_tell_nothing() -> None:
    segments = stamped((0, 15), (0.2, 15), (0.3, 15), (0.9, 15))
    assert place_segments([segments]).starts_at_ms is None
    assert positions(segments) == [0, 15_000, 30_000, 45_000]


def test_a_stamp_that_goes_back_follows() -> None:
    placed = place_segments([stamped((0, 15), (15, 15), (-500, 15), (45, 15))]).segments
    assert [each.at_ms for each in placed] == [0, 15_000, 15_000, 45_000]


def test_a_stamp_of_another_year_is_none() -> None:
    assert positions(stamped((0, 15), (365 * 86_400, 15))) == [0, 15_000]


def test_one_start_time_is_enough_to_know_when_the_track_began() -> None:
    segments = [*unstamped(10.0, 10.0), Segment("late", 10.0, NOON + 20_000)]
    assert place_segments([segments]).starts_at_ms == NOON


def test_a_name_is_placed_once() -> None:
    first = stamped((0, 15), (15, 15))
    assert place_segments([[*first, first[0]], [first[1]]]).segments == place_segments([first]).segments


class TestLaterRecorder:
    def test_it_is_trimmed_where_it_overlaps(self) -> None:
        later = stamped((20, 15), (35, 15), prefix="bak")
        assert place_segments([stamped((0, 15), (15, 15)), later]).segments[2:] == [
            PlacedSegment("bak0", 20_000, 15_000, True),
            PlacedSegment("bak1", 35_000, 15_000, False),
        ]

    def test_nobody_recorded_until_it_came(self) -> None:
        assert place_segments([stamped((0, 15)), stamped((75, 15), prefix="bak")]).segments[1] == PlacedSegment(
            "bak0", 75_000, 15_000, False
        )

    def test_all_that_lies_before_the_end_is_trimmed(self) -> None:
        later = stamped((5, 15), (20, 15), (35, 15), prefix="bak")
        placed = place_segments([stamped((0, 15), (15, 15)), later]).segments
        assert [(each.at_ms, each.trim) for each in placed[2:]] == [(5_000, True), (20_000, True), (35_000, False)]

    def test_jitter_is_no_overlap(self) -> None:
        assert place_segments([stamped((0, 15)), stamped((14.95, 15), prefix="bak")]).segments[1] == PlacedSegment(
            "bak0", 15_000, 15_000, False
        )

    def test_without_a_clock_it_follows(self) -> None:
        later = [Segment("bak0", 15.0, None)]
        assert positions(stamped((0, 15)), later) == positions(unstamped(15.0), later) == [0, 15_000]

    def test_it_never_begins_before_the_track(self) -> None:
        assert positions(stamped((0, 15)), stamped((-5, 15), prefix="bak")) == [0, 0]

    def test_a_third_one_reckons_with_both(self) -> None:
        second, third = stamped((20, 15), prefix="bak0_"), stamped((30, 15), prefix="bak1_")
        placed = place_segments([stamped((0, 15)), second, third]).segments
        assert [(each.at_ms, each.trim) for each in placed] == [(0, False), (20_000, False), (30_000, True)]
