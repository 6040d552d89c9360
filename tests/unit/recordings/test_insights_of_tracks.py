"""The answer of a recording of tracks: one conversation, whatever became of each track."""

from typing import Any

import pytest

from recording_insights.model.insights import Insights, Utterance
from recording_insights.model.status import derive_status
from recording_insights.recordings import insights_answer
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.store.insights import Collection
from recording_insights.store.rows import MediaRow
from tests.unit.counted import calls_of

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
NOON = 1_773_316_800_000


def track(uid: str, *, status: str = "done", **values: Any) -> Any:
    key = f"recordings/{R}/s_team__uid_s_{uid}__uid_e_audio.m3u8"
    media = {"media_id": f"m{uid}", "uid": uid, "key": key, "status": status, "provider": "marsview"}
    return {**media, "arrived_at": "2026-03-12T12:00:00.000000Z", **values}


def collection_of(*parts: tuple[MediaRow, Insights | None], **recording: Any) -> Collection:
    row: Any = {"recording_id": R, "status": "done", "provider": "marsview", **recording}
    return Collection(
        recording=row,
        media={media["media_id"]: media for media, _ in parts},
        insights={media["media_id"]: insights for media, insights in parts if insights},
    )


def said(*lines: tuple[int, str], speaker: str) -> Insights:
    return Insights(transcript=[Utterance(text, speaker, start, start + 900) for start, text in lines])


def lines_of(answer: dict[str, Any]) -> list[tuple[int, str]]:
    return [(line["start_ms"], line["text"]) for line in answer["transcript"]]


def test_a_track_that_failed_before_it_was_prepared_moves_nobody() -> None:
    answer = answer_insights(
        R,
        collection_of(
            (track("1", status="failed"), None),
            (track("2", starts_at_ms=NOON), said((0, "a"), (9000, "d"), speaker="2")),
            (track("3", starts_at_ms=NOON + 2000), said((1000, "b"), (3000, "c"), speaker="3")),
        ),
    )
    assert lines_of(answer) == [(0, "a"), (3000, "b"), (5000, "c"), (9000, "d")]


def test_a_track_without_a_clock_begins_with_the_recording() -> None:
    answer = answer_insights(
        R,
        collection_of(
            (track("1", starts_at_ms=NOON), said((1000, "b"), speaker="1")),
            (track("2"), said((0, "a"), (2000, "c"), speaker="2")),
        ),
    )
    assert lines_of(answer) == [(0, "a"), (1000, "b"), (2000, "c")]


def two_tracks(lines: int) -> Collection:
    parts = []
    for uid in ("1001", "1002"):
        spoken = [(4000 * n + int(uid[-1]) * 500, f"{uid} says {n}") for n in range(lines)]
        parts.append((track(uid, starts_at_ms=NOON), said(*spoken, speaker=uid)))
    return collection_of(*parts, speakers={"1001": "Ann", "7": "nobody"})


def test_long_tracks_come_once_and_in_order_over_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights_answer, "ANSWER_BYTES", 100_000)
    collection = two_tracks(2000)

    pages = [answer_insights(R, collection)]
    while "cursor" in pages[-1]:
        pages.append(answer_insights(R, collection, cursor=pages[-1]["cursor"]))

    assert len(pages) > 3
    told = [line for page in pages for line in page["transcript"]]
    assert len(told) == len({line["text"] for line in told}) == 4000
    assert [line["start_ms"] for line in told] == sorted(line["start_ms"] for line in told)
    assert {(line["speaker"], line.get("speaker_name")) for line in told} == {("1001", "Ann"), ("1002", None)}


def pages_while_a_track_ends(before: Collection, after: Collection) -> list[dict[str, Any]]:
    """Pages of one line: the first from `before`, the others from `after`."""
    pages = [answer_insights(R, before)]
    while "cursor" in pages[-1]:
        pages.append(answer_insights(R, after, cursor=pages[-1]["cursor"]))
    return pages


@pytest.mark.parametrize("begins_ms", [NOON, NOON - 3000, NOON + 60_000], ids=["together", "earlier", "later"])
def test_a_track_that_ends_between_two_pages_hides_no_line_and_repeats_none(
    monkeypatch: pytest.MonkeyPatch, begins_ms: int
) -> None:
    """The transcript is sorted by time, so the lines of the other track move those of the first."""
    monkeypatch.setattr(insights_answer, "ANSWER_BYTES", 0)
    first = (track("1", starts_at_ms=NOON), said((0, "1@0"), (10, "1@10"), (20, "1@20"), speaker="1"))
    other = (track("2", starts_at_ms=begins_ms), said((5, "2@5"), (15, "2@15"), speaker="2"))

    pages = pages_while_a_track_ends(collection_of(first), collection_of(first, other))

    told = [line["text"] for page in pages for line in page["transcript"]]
    assert told[0] == "1@0"
    assert sorted(told) == ["1@0", "1@10", "1@20", "2@15", "2@5"]
    assert [each for each in told if each.startswith("1")] == ["1@0", "1@10", "1@20"]


def test_a_track_without_times_that_ends_between_two_pages_changes_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights_answer, "ANSWER_BYTES", 0)
    first = (track("1"), said((20, "c"), (0, "a"), (10, "b"), speaker="1"))
    other = (track("2"), Insights(transcript=[Utterance("x"), Utterance("y")]))

    pages = pages_while_a_track_ends(collection_of(first), collection_of(first, other))

    assert [line["text"] for page in pages for line in page["transcript"]] == ["a", "b", "c", "x", "y"]


def test_tracks_ten_times_as_long_cost_ten_times_as_much() -> None:
    few, many = two_tracks(100), two_tracks(1000)

    assert calls_of(lambda: answer_insights(R, many)) < 10.5 * calls_of(lambda: answer_insights(R, few))


def test_two_uids_of_one_name_do_not_hide_each_other() -> None:
    """Somebody who joins with the laptop and the phone."""
    collection = collection_of(
        (track("1"), Insights(ratings={"politeness": 7}, summary="On the laptop.")),
        (track("2"), Insights(ratings={"politeness": 3}, summary="On the phone.")),
        (track("3"), Insights(ratings={"politeness": 5})),
        speakers={"1": "Ann", "2": "Ann", "3": "Bob"},
    )
    answer = answer_insights(R, collection)
    assert sorted(answer["ratings"].values()) == [3, 5, 7]
    assert answer["ratings"]["Bob politeness"] == 5
    assert answer["summary"] == "Ann (1): On the laptop.\n\nAnn (2): On the phone."


@pytest.mark.parametrize("waiting", ["waiting", "preparing", "submitted"])
@pytest.mark.parametrize("other", ["done", "failed"])
def test_one_track_that_waits_keeps_the_recording_in_progress(waiting: str, other: str) -> None:
    media = [track("1", status=waiting, reason="waits for files: x"), track("2", status=other)]
    status, reason = derive_status("processing", media)
    assert status == "processing"
    assert "waits for files: x" in str(reason)


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ([track("1", empty=True), track("2", empty=True)], "empty"),
        ([track("1", empty=True), track("2")], "done"),
        ([track("1", empty=True), track("2", status="failed")], "failed"),
        ([track("1", incomplete="x"), track("2")], "partial"),
        ([track("1", status="failed"), track("2", part=0)], "partial"),
    ],
)
def test_what_tracks_come_to(media: list[MediaRow], status: str) -> None:
    assert derive_status("processing", media)[0] == status
