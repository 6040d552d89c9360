"""Recovered media objects, and MP4s that arrive after all: no words are lost, none are in the transcript twice."""

from typing import Any, cast

import pytest

from recording_insights.model.insights import Emotion, Entity, Insights, Utterance
from recording_insights.model.parts import contributions, margin_ms, newest_per_key
from recording_insights.model.status import derive_status
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.store.insights import Collection
from recording_insights.store.rows import MediaRow

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
HOUR_MS = 3_600_000


def part(number: int, minutes: float | None, *, status: str = "done", **values: Any) -> MediaRow:
    """An MP4 of the first recorder, or of others by their hundred thousands."""
    length = {} if minutes is None else {"duration_ms": round(minutes * 60_000)}
    media = {
        "media_id": f"mp4-{number}",
        "key": f"s_team_{number}.mp4",
        "part": number,
        "provider": "marsview",
    }
    row: Any = {**media, "status": status, "arrived_at": "2026-03-12T12:00:00Z", **length, **values}
    return cast(MediaRow, row)


def recovered(number: int, minutes: float | None, **values: Any) -> MediaRow:
    """What stands for an MP4 of this number and those after it."""
    piece = part(number, minutes, recovered=True, incomplete="its playlist was never closed", **values)
    return {**piece, "media_id": "piece", "key": "s_team.m3u8", "starts_at_ms": 1_773_316_800_000}


def said(minutes: int, speaker: str) -> Insights:
    """A line for each minute."""
    lines = [Utterance(f"{speaker}{n}", speaker, n * 60_000, n * 60_000 + 900) for n in range(minutes)]
    emotions = [Emotion("joy", None, None, n * 60_000, n * 60_000 + 900) for n in range(minutes)]
    entities = [Entity(speaker, "name", n * 60_000, n * 60_000 + 900) for n in range(minutes)]
    return Insights(transcript=lines, emotions=emotions, entities=entities, summary=f"Of {speaker}.")


def answer(*media: tuple[MediaRow, Insights | None]) -> dict[str, Any]:
    return answer_insights(
        R,
        Collection(
            recording={"recording_id": R, "status": "done", "provider": "marsview"},
            media={item["media_id"]: item for item, _ in media},
            insights={item["media_id"]: insights for item, insights in media if insights},
        ),
    )


def told(*media: tuple[MediaRow, Insights | None]) -> list[tuple[float, str]]:
    """Each line and the minute that it begins in."""
    found = answer(*media)
    lines = [(line["start_ms"] / 60_000, line["text"]) for line in found["transcript"]]
    for kind in ("emotions", "entities"):
        assert [entry["start_ms"] / 60_000 for entry in found[kind]] == [minute for minute, _ in lines]
    return lines


def test_a_short_recovered_media_object_says_what_is_missing() -> None:
    piece = recovered(0, 0.2, offset_ms=0)

    assert told((piece, said(1, "p"))) == [(0, "p0")]
    assert answer((piece, said(1, "p")))["missing"] == ["recovered from segments: its playlist was never closed"]
    assert derive_status("processing", [piece])[0] == "partial"


def test_a_recovered_one_is_between_its_recorders_mp4s_and_the_next_recorder() -> None:
    taken_over = part(100_000, 3, offset_ms=round(4.5 * 60_000))

    assert told(
        (taken_over, said(2, "b")),
        (recovered(1, 2, offset_ms=120_000), said(2, "p")),
        (part(0, 2), said(1, "a")),
    ) == [(0, "a0"), (2, "p0"), (3, "p1"), (4.5, "b0"), (5.5, "b1")]


def test_a_recorder_that_took_over_begins_when_it_did() -> None:
    second = part(100_001, 1)

    assert told(
        (part(0, 2), said(1, "a")), (part(100_000, 2, offset_ms=150_000), said(1, "b")), (second, said(1, "c"))
    ) == [(0, "a0"), (2.5, "b0"), (4.5, "c0")]


@pytest.mark.parametrize("offset", [{}, {"offset_ms": 90_000}], ids=["nobody knows when", "it overlaps"])
def test_it_never_begins_before_the_one_that_it_follows_has_ended(offset: Any) -> None:
    assert told((part(0, 2), said(1, "a")), (part(100_000, 2, **offset), said(1, "b"))) == [(0, "a0"), (2, "b0")]


class TestMp4sThatComeAfterAll:
    def test_one_that_holds_all_of_it_replaces_it(self) -> None:
        piece, mp4 = recovered(0, 3, offset_ms=0), part(0, 2.8)

        assert told((piece, said(3, "p")), (mp4, said(3, "a"))) == [(0, "a0"), (1, "a1"), (2, "a2")]
        assert answer((piece, said(3, "p")), (mp4, said(3, "a")))["summary"] == "Of a."
        assert derive_status("partial", [piece, mp4]) == ("done", None)

    def test_one_that_holds_the_beginning_leaves_the_rest(self) -> None:
        piece, mp4, then = (
            recovered(0, 4, offset_ms=0),
            part(0, 2),
            part(100_000, 1, offset_ms=300_000),
        )

        assert told((piece, said(4, "p")), (mp4, said(2, "a")), (then, said(1, "b"))) == [
            *((0, "a0"), (1, "a1"), (2, "p2"), (3, "p3")),
            (5, "b0"),
        ]
        assert derive_status("partial", [piece, mp4, then])[0] == "partial"

    @pytest.mark.parametrize("status", ["submitted", "failed"])
    def test_until_one_is_processed_the_recovered_one_counts(self, status: str) -> None:
        piece, mp4 = recovered(0, 2, offset_ms=0), part(0, 2, status=status)

        assert told((piece, said(2, "p")), (mp4, None)) == [(0, "p0"), (1, "p1")]
        assert derive_status("partial", [piece, mp4])[0] == ("processing" if status == "submitted" else "partial")

    def test_one_behind_a_gap_does_not_count(self) -> None:
        before, piece, behind = part(0, 2), recovered(1, 4, offset_ms=120_000), part(2, 2)
        found = ((before, said(1, "a")), (piece, said(4, "p")), (behind, said(2, "c")))

        assert told(*found) == [(0, "a0"), (2, "p0"), (3, "p1"), (4, "p2"), (5, "p3")]

        filled = (*found, (part(1, 2), said(2, "b")))
        assert told(*filled) == [(0, "a0"), (2, "b0"), (3, "b1"), (4, "c0"), (5, "c1")]
        assert derive_status("partial", [item for item, _ in filled]) == ("done", None)

    def test_a_recovered_one_that_failed_replaces_nothing(self) -> None:
        piece = recovered(1, None, status="failed", reason="there is nothing to hear")

        assert told((part(0, 2), said(1, "a")), (piece, None), (part(2, 1), said(1, "c"))) == [(0, "a0"), (2, "c0")]
        assert derive_status("processing", [part(0, 2), piece])[0] == "partial"


def test_contributions_say_how_much_late_mp4s_cover() -> None:
    media = [part(0, 2), part(1, 1), recovered(1, 4)]

    found = [(row["media_id"], covered_ms) for row, covered_ms in contributions(media)]

    assert found == [("mp4-0", 0), ("mp4-1", 0), ("piece", 60_000)]


@pytest.mark.parametrize(
    ("length_ms", "margin"), [(0, 20_000), (2_000_000, 20_000), (2_000_100, 20_001), (HOUR_MS, 36_000)]
)
def test_the_margin_is_20_seconds_or_a_hundredth(length_ms: int, margin: int) -> None:
    assert margin_ms(length_ms) == margin


@pytest.mark.parametrize(("mp4_ms", "is_replaced"), [(180_000, True), (179_999, False)])
def test_a_recovered_one_is_replaced_by_mp4s_that_lack_the_margin_at_most(mp4_ms: int, is_replaced: bool) -> None:
    piece, mp4 = recovered(0, None, duration_ms=200_000), part(0, None, duration_ms=mp4_ms)

    assert newest_per_key([piece, mp4]) == ([mp4] if is_replaced else [piece, mp4])


def test_a_recovered_one_of_unknown_length_is_not_replaced() -> None:
    piece, mp4 = recovered(0, None), part(0, 60)

    assert newest_per_key([piece, mp4]) == [piece, mp4]


def test_a_recovered_one_that_failed_is_not_in_the_transcript() -> None:
    media = [part(0, 2), recovered(1, None, status="failed")]

    assert list(contributions(media)) == [(media[0], 0)]


def test_a_media_object_without_a_part_is_in_front_of_later_parts() -> None:
    track: MediaRow = {**part(0, 1), "key": "s_team__uid_s_7__uid_e_audio.m3u8"}
    del track["part"]

    assert newest_per_key([part(1, 1), track, part(0, 1)]) == [part(0, 1), track, part(1, 1)]
