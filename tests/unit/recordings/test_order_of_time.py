"""The times of a transcript, to the millisecond."""

from typing import Any

from recording_insights.model.insights import Insights, Utterance
from recording_insights.recordings.insights_timeline import PlacedInsights, conversation, place_insights
from recording_insights.store.insights import Collection


def spoken(*starts_ms: int) -> Insights:
    return Insights(transcript=[Utterance(f"at {start}", "1", start, start + 1) for start in starts_ms])


def test_tracks_are_told_in_the_order_of_their_first_millisecond() -> None:
    tracks: Any = [({"uid": "1"}, spoken(1, 3)), ({"uid": "2"}, spoken(0, 2))]

    said = [line.utterance for line in conversation([PlacedInsights(row, insights) for row, insights in tracks])]

    assert [utterance.start_ms for utterance in said] == [0, 1, 2, 3]


def test_a_recovered_media_object_begins_where_the_late_mp4_does() -> None:
    """The late MP4 holds its first second: what is left of it begins after that second, not twice as late."""
    of_all: Any = {"arrived_at": "2026", "status": "done"}
    media: dict[str, Any] = {
        "first": {"media_id": "first", "key": "0.mp4", "part": 0, "duration_ms": 2000, **of_all},
        "late": {"media_id": "late", "key": "1.mp4", "part": 1, "duration_ms": 1000, **of_all},
        "rest": {"media_id": "rest", "key": "a.m3u8", "part": 1, "duration_ms": 60_000, "recovered": True, **of_all},
    }
    found = {"first": spoken(0), "late": spoken(5), "rest": spoken(5, 1005)}

    placed = place_insights(Collection({"recording_id": "r"}, media, found))

    assert [[each.start_ms for each in one.insights.transcript] for one in placed] == [[0], [2005], [3005]]


def test_a_part_of_unknown_length_without_a_word_has_no_length() -> None:
    media: dict[str, Any] = {
        name: {"media_id": name, "key": name, "part": part, "arrived_at": "2026", "status": "done", **length}
        for part, (name, length) in enumerate({"0": {"duration_ms": 1000}, "1": {}, "2": {}}.items())
    }

    placed = list(place_insights(Collection({"recording_id": "r"}, media, {"1": spoken(), "2": spoken(5)})))

    assert [utterance.start_ms for utterance in placed[1].insights.transcript] == [1005]
