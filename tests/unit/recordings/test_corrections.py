"""Corrections of lines: beside the lines, of one try, and only of what the caller has read."""

from typing import Any

import pytest

from recording_insights.errors import Conflict, InvalidRequest, NotFound
from recording_insights.model.insights import Insights, Utterance, Word
from recording_insights.recordings import corrections
from recording_insights.recordings.corrections import correct_transcript
from recording_insights.recordings.exports.formats import export_insights
from recording_insights.recordings.insights_answer import read_insights
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import media_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.fake_table import FakeTable
from tests.unit.recordings.test_paged_transcript import R, put_media, put_recording

SAID = [Utterance("Good morning.", "A", 0, 900, 0.5), Utterance("Hello Bop.", "B", 1000, 1900)]


@pytest.fixture(params=["outlined", "of an earlier version"])
def table(request: pytest.FixtureRequest) -> Any:
    table = FakeTable()
    put_recording(table, speakers={"B": "Bob"})
    put_media(table, "m0", Insights(SAID), has_outline=request.param == "outlined", part=0)
    return table


def correct(table: Any, *wanted: dict[str, Any], who: str | None = "ann") -> Any:
    fields = {"corrections": list(wanted)}
    return correct_transcript(R, fields, recordings=RecordingStore(table), insights=InsightStore(table), who=who)


def lines(table: Any, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_insights(R, query, store=InsightStore(table))["transcript"]
    return found


def export(table: Any, wanted: str) -> str:
    return export_insights(R, InsightStore(table).read(R), wanted).text


def test_a_correction_is_shown_in_the_place_of_the_line(table: Any) -> None:
    plain = lines(table)

    recording = correct(table, {"id": plain[1]["id"], "text": "Hello Bob.", "speaker": "C"})

    assert recording["version"] == 2
    assert recording["corrections"] == 1
    assert recording["corrected_at"] == recording["updated_at"]
    assert recording["changed_by"] == "ann"
    corrected = {"id": "m0-0-2", "text": "Hello Bob.", "speaker": "C", "corrected": True, "start_ms": 1000}
    assert lines(table) == [plain[0], {**corrected, "end_ms": 1900}]
    original = {"text": "Hello Bop.", "speaker": "B"}
    assert lines(table, include="original")[1]["original"] == original
    assert lines(table, limit="1")[0] == plain[0]


@pytest.mark.parametrize("wanted", ["srt", "vtt", "txt", "md", "csv", "html"])
def test_a_correction_is_in_every_file(table: Any, wanted: str) -> None:
    correct(table, {"id": "m0-0-2", "text": "Hello Bob."}, {"id": "m0-0-1", "speaker": "B"})

    text = export(table, wanted)

    assert "Bop" not in text
    assert "Hello Bob" in text.replace("\n", " ")


def test_a_correction_of_the_speaker_gets_the_name(table: Any) -> None:
    correct(table, {"id": "m0-0-1", "speaker": "B"})
    assert [line["speaker_name"] for line in lines(table)] == ["Bob", "Bob"]


def test_an_empty_correction_removes_the_one_before(table: Any) -> None:
    plain = lines(table)
    correct(table, {"id": "m0-0-1", "text": "Good evening."}, {"id": "m0-0-2", "text": "Hello Bob."})
    correct(table, {"id": "m0-0-1"})
    assert lines(table)[0] == plain[0]
    recording = correct(table, {"id": "m0-0-2"})
    assert lines(table) == plain
    assert "corrections" not in recording
    assert recording["version"] == 4, "each change is seen by who lists what has changed"
    assert correct(table, {"id": "m0-0-2"})["version"] == 4, "nothing changed"


def test_a_correction_replaces_the_one_before(table: Any) -> None:
    correct(table, {"id": "m0-0-2", "text": "Hello Bob.", "speaker": "C"})
    assert correct(table, {"id": "m0-0-2", "text": "Hello, Bob."})["corrections"] == 1
    assert (lines(table)[1]["text"], lines(table)[1]["speaker"]) == ("Hello, Bob.", "B")


def test_who_read_something_else_corrects_nothing(table: Any) -> None:
    correct(table, {"id": "m0-0-2", "text": "Hello Bob.", "was": "Hello Bop."})
    with pytest.raises(Conflict, match=r"corrections\[1\].was"):
        correct(table, {"id": "m0-0-1", "text": "x"}, {"id": "m0-0-2", "text": "Hello Rob.", "was": "Hello Bop."})
    assert [line["text"] for line in lines(table)] == ["Good morning.", "Hello Bob."]
    correct(table, {"id": "m0-0-2", "text": "Hello Rob.", "was": "Hello Bob."})


def test_corrections_stay_with_their_try(table: Any) -> None:
    correct(table, {"id": "m0-0-2", "text": "Hello Bob."})
    saved = InsightStore(table).save(R, "m0", 1, Insights([Utterance("Anew."), Utterance("Hello Rob.")]))
    row = table.get_item(Key=media_key(R, "m0"))["Item"]
    table.put_item(Item={**row, "shown_try": 1, "counts": saved.counts, "outline": saved.outline})

    assert [line["text"] for line in lines(table)] == ["Anew.", "Hello Rob."]
    with pytest.raises(Conflict, match="transcribed again"):
        correct(table, {"id": "m0-0-2", "text": "Hello Bob."})

    table.put_item(Item=row)
    assert lines(table)[1]["text"] == "Hello Bob.", "they are not lost"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"id": "m0-0-3", "text": "x"}, r"corrections\[0\].id"),
        ({"id": "m0-0-0", "text": "x"}, r"corrections\[0\].id"),
        ({"id": "m7-0-1", "text": "x"}, r"corrections\[0\].id"),
        ({"id": "nonsense", "text": "x"}, r"corrections\[0\].id"),
        ({"text": "x"}, r"corrections\[0\].id"),
        ({"id": "m0-0-1", "text": ""}, r"corrections\[0\].text"),
        ({"id": "m0-0-1", "text": " \n"}, r"corrections\[0\].text"),
        ({"id": "m0-0-1", "text": "x" * 10_001}, r"corrections\[0\].text"),
        ({"id": "m0-0-1", "text": "\ud800"}, r"corrections\[0\].text"),
        ({"id": "m0-0-1", "speaker": "a\nb"}, r"corrections\[0\].speaker"),
        ({"id": "m0-0-1", "was": 7}, r"corrections\[0\].was"),
        ({"id": "m0-0-1", "start_ms": 7}, r"corrections\[0\].start_ms"),
    ],
)
def test_what_is_wrong_is_named(table: Any, wanted: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        correct(table, wanted)


@pytest.mark.parametrize("fields", [{}, {"corrections": []}, {"corrections": [{"id": "m0-0-1"}] * 51}, {"x": 1}])
def test_a_request_has_one_to_fifty_corrections(table: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        correct_transcript(R, fields, recordings=RecordingStore(table), insights=InsightStore(table))


def test_a_line_is_corrected_once_in_a_request(table: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"corrections\[1\].id: .* named before"):
        correct(table, {"id": "m0-0-1", "text": "x"}, {"id": "m0-00-1", "text": "y"})


def test_there_are_so_many_corrections_at_most(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "MOST_CORRECTIONS", 1)
    correct(table, {"id": "m0-0-1", "text": "x"})
    with pytest.raises(Conflict, match="1 corrected lines; this would make 2"):
        correct(table, {"id": "m0-0-2", "text": "y"})
    correct(table, {"id": "m0-0-1"}, {"id": "m0-0-2", "text": "y"})


def test_there_is_no_recording() -> None:
    with pytest.raises(NotFound):
        correct(FakeTable(), {"id": "m0-0-1", "text": "x"})


def test_two_who_correct_at_once_both_count(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one writes between the read and the write of the first."""
    first_read = InsightStore.read_outlines
    others: list[str] = ["m0-0-1"]

    def read(store: InsightStore, recording_id: str) -> Any:
        collection = first_read(store, recording_id)
        if others:
            correct(table, {"id": others.pop(), "text": "Good evening."}, who="ben")
        return collection

    monkeypatch.setattr(InsightStore, "read_outlines", read)
    recording = correct(table, {"id": "m0-0-2", "text": "Hello Bob."})

    assert (recording["corrections"], recording["version"]) == (2, 3)
    assert [line["text"] for line in lines(table)] == ["Good evening.", "Hello Bob."]


def test_the_words_of_a_corrected_text_are_left_out() -> None:
    table: Any = FakeTable()
    put_recording(table)
    put_media(table, "m0", Insights(SAID), part=0, words="key")
    correct(table, {"id": "m0-0-1", "speaker": "C"}, {"id": "m0-0-2", "text": "Hello Bob."})

    answer = read_insights(
        R, {"include": "words"}, store=InsightStore(table), read_words=lambda key: [[Word("Good", 0, 9)]] * 2
    )

    assert ["words" in line for line in answer["transcript"]] == [True, False]
