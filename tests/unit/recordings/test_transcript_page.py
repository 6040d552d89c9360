"""Pages of a transcript, and their cursors."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.model.insights import Utterance
from recording_insights.recordings.insights_timeline import Line
from recording_insights.recordings.shown_line import shown_line
from recording_insights.recordings.transcript_page import Page, lines_told, response_bytes
from recording_insights.recordings.transcript_page import transcript_page as page_of

MEDIA = "0123456789abcdef0123"
LINES = [
    Line(MEDIA, Utterance("one", "1")),
    Line("ff", Utterance("two", "2")),
    Line(MEDIA, Utterance("three", "1")),
]


def transcript_page(
    lines: list[Line], speakers: dict[str, Any], *, told: dict[str, int], room: int
) -> tuple[list[Mapping[str, Any]], str | None]:
    return page_of(lines, partial(shown_line, speakers=speakers), Page(told, room))


FIRST_TWO = response_bytes(LINES[0].utterance.to_map()) + response_bytes(LINES[1].utterance.to_map())


def test_a_page_ends_where_the_room_does() -> None:
    page, cursor = transcript_page(LINES, {}, told={}, room=FIRST_TWO)
    assert [line["text"] for line in page] == ["one", "two"]
    assert cursor == "0123456789-1.ff-1"
    page, cursor = transcript_page(LINES, {}, told={}, room=FIRST_TWO - 1)
    assert ([line["text"] for line in page], cursor) == (["one"], "0123456789-1")


def test_the_last_page_has_no_cursor() -> None:
    page, cursor = transcript_page(LINES, {}, told={"0123456789": 1, "ff": 1}, room=1000)
    assert ([line["text"] for line in page], cursor) == (["three"], None)


@pytest.mark.parametrize("room", [0, -5])
def test_a_page_without_room_has_one_utterance(room: int) -> None:
    page, cursor = transcript_page(LINES, {}, told={"0123456789": 1}, room=room)
    assert ([line["text"] for line in page], cursor) == (["two"], "0123456789-1.ff-1")


def test_a_page_behind_the_end_is_empty() -> None:
    assert transcript_page(LINES, {}, told={"0123456789": 7, "ff": 1, "gone": 5}, room=1000) == ([], None)


def test_a_page_that_ends_before_the_lines_told_keeps_their_number() -> None:
    late = [Line("late", Utterance("a")), Line("late", Utterance("b"))]
    page, cursor = transcript_page([*late, *LINES], {}, told={"0123456789": 2, "ff": 1}, room=0)
    assert ([line["text"] for line in page], cursor) == (["a"], "0123456789-2.ff-1.late-1")


def test_speakers_have_their_names_and_these_take_room() -> None:
    names = {"1": "Ann"}
    page, _ = transcript_page(LINES, names, told={}, room=1000)
    assert [line.get("speaker_name") for line in page] == ["Ann", None, "Ann"]
    assert len(transcript_page(LINES, names, told={}, room=FIRST_TWO)[0]) == 1


def test_a_cursor_holds_the_lines_of_each_media_object() -> None:
    assert lines_told(None) == {}
    assert lines_told("0123456789-1.ff-20") == {"0123456789": 1, "ff": 20}
    with pytest.raises(InvalidRequest, match="cursor: must be the cursor of the page before"):
        lines_told("ff--1")


@pytest.mark.parametrize("text", ["plain", '"quoted"', "line\nbreak", "日本語", "🎙"])
def test_the_bytes_of_a_value_are_those_of_json_within_json(text: str) -> None:
    body = json.dumps({"text": text}, ensure_ascii=False)
    assert response_bytes({"text": text}) == len(json.dumps(body))
