"""Pages of a transcript, and their cursors."""

import json

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.model.insights import Utterance
from recording_insights.recordings.transcript_page import first_utterance, response_bytes, transcript_page

LINES = [Utterance("one", "1"), Utterance("two", "2"), Utterance("three", "1")]


def test_a_page_ends_where_the_room_does() -> None:
    room = response_bytes(LINES[0].to_map()) + response_bytes(LINES[1].to_map())
    page, cursor = transcript_page(LINES, {}, first=0, room=room)
    assert [line["text"] for line in page] == ["one", "two"]
    assert cursor == "2"
    page, cursor = transcript_page(LINES, {}, first=0, room=room - 1)
    assert ([line["text"] for line in page], cursor) == (["one"], "1")


def test_the_last_page_has_no_cursor() -> None:
    page, cursor = transcript_page(LINES, {}, first=2, room=1000)
    assert ([line["text"] for line in page], cursor) == (["three"], None)


@pytest.mark.parametrize("room", [0, -5])
def test_a_page_without_room_has_one_utterance(room: int) -> None:
    page, cursor = transcript_page(LINES, {}, first=1, room=room)
    assert ([line["text"] for line in page], cursor) == (["two"], "2")


def test_a_page_behind_the_end_is_empty() -> None:
    assert transcript_page(LINES, {}, first=7, room=1000) == ([], None)


def test_speakers_have_their_names_and_these_take_room() -> None:
    names = {"1": "Ann"}
    page, _ = transcript_page(LINES, names, first=0, room=1000)
    assert [line.get("speaker_name") for line in page] == ["Ann", None, "Ann"]
    bare = response_bytes(LINES[0].to_map()) + response_bytes(LINES[1].to_map())
    assert len(transcript_page(LINES, names, first=0, room=bare)[0]) == 1


def test_a_cursor_is_the_number_of_an_utterance() -> None:
    assert first_utterance(None) == 0
    assert first_utterance("12") == 12
    with pytest.raises(InvalidRequest, match="cursor: must be the cursor of the page before"):
        first_utterance("-1")


@pytest.mark.parametrize("text", ["plain", '"quoted"', "line\nbreak", "日本語", "🎙"])
def test_the_bytes_of_a_value_are_those_of_json_within_json(text: str) -> None:
    body = json.dumps({"text": text}, ensure_ascii=False)
    assert response_bytes({"text": text}) == len(json.dumps(body))
