"""The insights of media objects in order, with times from the start of the recording."""

from typing import Any

import pytest

from recording_insights.model.insights import Emotion, Entity, Insights, Utterance
from recording_insights.recordings.insights_timeline import (
    PlacedInsights,
    conversation,
    place_insights,
    shifted,
    without_beginning,
)
from recording_insights.store.insights import Collection


def insights_at(*starts_ms: int | None) -> Insights:
    ends = [None if start is None else start + 100 for start in starts_ms]
    return Insights(
        transcript=[Utterance(str(start), "1", start, end) for start, end in zip(starts_ms, ends, strict=True)],
        emotions=[Emotion("joy", None, None, start, end) for start, end in zip(starts_ms, ends, strict=True)],
        entities=[Entity("Ann", "name", start, end) for start, end in zip(starts_ms, ends, strict=True)],
        summary="Of it.",
    )


def placed(*media: tuple[dict[str, Any], Insights | None]) -> list[tuple[str, list[int | None]]]:
    """The key of each media object, and the times of its utterances."""
    rows: dict[str, Any] = {
        item["key"]: {"media_id": item["key"], "arrived_at": "2026", "status": "done", **item} for item, _ in media
    }
    found = {item["key"]: insights for item, insights in media if insights}
    collection = Collection({"recording_id": "r"}, rows, found)
    return [
        (each.media["key"], [utterance.start_ms for utterance in each.insights.transcript])
        for each in place_insights(collection)
    ]


def part(number: int, **values: Any) -> dict[str, Any]:
    return {"key": f"{number}.mp4", "part": number, **values}


def test_a_part_begins_where_the_one_before_ends_even_if_that_failed() -> None:
    assert placed(
        (part(0, duration_ms=1000), insights_at(0)),
        (part(1, duration_ms=500, status="failed"), None),
        (part(2), insights_at(10)),
    ) == [("0.mp4", [0]), ("2.mp4", [1510])]


def test_a_part_of_another_recorder_begins_at_its_own_offset() -> None:
    assert placed((part(0, duration_ms=1000), insights_at(0)), (part(100_000, offset_ms=5000), insights_at(10))) == [
        ("0.mp4", [0]),
        ("100000.mp4", [5010]),
    ]


def test_an_offset_before_the_end_of_the_part_before_does_not_count() -> None:
    assert placed((part(0, duration_ms=1000), insights_at(0)), (part(100_000, offset_ms=200), insights_at(10))) == [
        ("0.mp4", [0]),
        ("100000.mp4", [1010]),
    ]


def test_recovered_segments_end_where_the_recorder_that_took_over_began() -> None:
    cut_off = {"recovered": True, "offset_ms": 0, "duration_ms": 1000}
    assert placed(
        (part(0, **cut_off), insights_at(0, 500, 790, 800, None)),
        (part(100_000, **{**cut_off, "offset_ms": 800}), insights_at(0, 600, 700)),
        (part(200_000, offset_ms=1500), insights_at(10)),
    ) == [("0.mp4", [0, 500, 790, None]), ("100000.mp4", [800, 1400]), ("200000.mp4", [1510])]


@pytest.mark.parametrize("offset", [{}, {"offset_ms": 1000}, {"offset_ms": 0}])
def test_recovered_segments_without_an_overlap_stay_whole(offset: dict[str, int]) -> None:
    recovered = part(0, recovered=True, offset_ms=0, duration_ms=1000)
    assert placed((recovered, insights_at(0, 990, None)), (part(100_000, **offset), insights_at(10))) == [
        ("0.mp4", [0, 990, None]),
        ("100000.mp4", [1010]),
    ]


def test_recovered_segments_stay_whole_while_the_recorder_that_took_over_has_no_insights() -> None:
    recovered = part(0, recovered=True, offset_ms=0, duration_ms=1000)
    failed = part(100_000, offset_ms=800, status="failed")
    assert placed((recovered, insights_at(0, 900)), (failed, None)) == [("0.mp4", [0, 900])]


def test_the_last_utterance_ends_a_part_of_unknown_length() -> None:
    assert placed((part(0), insights_at(0, 300)), (part(1), insights_at(10))) == [
        ("0.mp4", [0, 300]),
        ("1.mp4", [410]),
    ]


def test_tracks_begin_side_by_side() -> None:
    assert placed(
        ({"key": "a.m3u8", "uid": "1", "starts_at_ms": 9000}, insights_at(0)),
        ({"key": "b.m3u8", "uid": "2", "starts_at_ms": 7000}, insights_at(0)),
    ) == [("a.m3u8", [2000]), ("b.m3u8", [0])]


def test_the_beginning_is_left_out_with_what_has_no_time() -> None:
    rest = without_beginning(insights_at(0, 500, None, 900), 500)
    assert [utterance.text for utterance in rest.transcript] == ["500", "900"]
    assert [emotion.start_ms for emotion in rest.emotions] == [500, 900]
    assert [entity.start_ms for entity in rest.entities] == [500, 900]
    assert rest.summary == "Of it."


def test_known_times_are_shifted() -> None:
    moved = shifted(insights_at(0, None), 250)
    assert [(each.start_ms, each.end_ms) for each in moved.transcript] == [(250, 350), (None, None)]
    assert [(each.start_ms, each.end_ms) for each in moved.emotions] == [(250, 350), (None, None)]
    assert [(each.start_ms, each.end_ms) for each in moved.entities] == [(250, 350), (None, None)]


def test_only_tracks_with_times_are_sorted() -> None:
    late, early, untimed = insights_at(5), insights_at(1), insights_at(None)
    tracks = [PlacedInsights({"uid": "1"}, late), PlacedInsights({"uid": "2"}, early)]

    def starts(*placed: PlacedInsights) -> list[int | float | None]:
        return [line.utterance.start_ms for line in conversation(placed)]

    assert starts(*tracks) == [1, 5]
    assert starts(*tracks, PlacedInsights({"uid": "3"}, untimed)) == [5, 1, None]
    assert starts(PlacedInsights({}, late), PlacedInsights({}, early)) == [5, 1]
