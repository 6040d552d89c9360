"""What a model derived, in files for people."""

from typing import Any

import pytest

from recording_insights.model.derived import LISTED, SINGLE, Statement
from recording_insights.recordings.exports.formats import FORMATS
from recording_insights.recordings.insights_answer import whole_insights
from recording_insights.store.insights import InsightStore
from tests.unit.fake_table import FakeTable
from tests.unit.recordings.derived import FOUND, R, put_derived
from tests.unit.recordings.exports.whole import HOSTILE, letters


def written(wanted: str, found: Any = FOUND, **given: Any) -> str:
    table: Any = FakeTable()
    of_recording = {"channel": "team", "created_at": "2026-11-27T09:30:00.123456Z"}
    put_derived(table, found, recording=of_recording, **given)
    return FORMATS[wanted].write(whole_insights(R, InsightStore(table).read(R)))


def test_markdown_has_every_kind_with_the_times_of_its_proof() -> None:
    assert written("md", missing=["follow_ups: too long"]).partition("## Transcript")[0] == (
        "# Ship on Friday\n\nteam\n\nRecorded on 2026-11-27 at 09:30 UTC\n\nTranscribed by transcribe\n\n"
        "Insights by example.model-v1:0\n\n"
        "## In short\n\nIt ships on Friday.\n\n## Summary\n\nIt ships on Friday.\n\nA tells Ada.\n\n"
        "## Decisions\n\n- Ship on Friday \\[00:00:00\\]\n\n"
        "## Action items\n\n- Tell Ada (A, by Monday) \\[00:01:05, 01:00:00\\]\n\n"
        "## Questions\n\n- Who tells Ada? – A \\[00:01:05\\]\n\n"
        "## Chapters\n\n- The date \\[00:00:00\\]\n- Who tells \\[00:01:05\\]\n\n"
        "## Topics\n\n- shipping \\[00:00:00\\]\n\n## Missing\n\n- follow\\_ups: too long\n\n"
    )


def test_the_page_has_title_chapters_and_times() -> None:
    page = written("html")
    assert "<title>Ship on Friday</title>" in page
    assert '<h2>Chapters</h2>\n<ul>\n<li dir="auto">The date [00:00:00]</li>\n' in page
    assert '<li dir="auto">Tell Ada (A, by Monday) [00:01:05, 01:00:00]</li>' in page


def test_a_text_has_the_findings_before_the_transcript_if_a_model_derived_some() -> None:
    head, _, transcript = written("txt").partition("Transcript\n\n")
    assert head.startswith("Ship on Friday\n\nteam\nRecorded on 2026-11-27 at 09:30 UTC\n")
    assert "\n\nDecisions\n- Ship on Friday [00:00:00]\n\n" in head
    assert transcript.splitlines()[1] == "[00:01:05] B: Who tells Ada?"
    assert written("txt", state="pending") == transcript


def test_a_table_has_the_chapter_of_each_line() -> None:
    assert written("csv").splitlines() == [
        "start_ms,end_ms,speaker,speaker_name,text,sentiment,confidence,chapter",
        "0,2000,A,,We ship on Friday.,,,The date",
        "65000,66000,B,,Who tells Ada?,,,Who tells",
        '3600000,3601000,A,,"I do, by Monday.",,,Who tells',
    ]
    assert "chapter" not in written("csv", found={**FOUND, "chapters": [Statement("When?", ["m-0-1"])]})


@pytest.mark.parametrize("wanted", FORMATS)
def test_no_hostile_statement_breaks_a_file(wanted: str) -> None:
    plain = {kind: [Statement("x", ["m-0-1"], "x", "x", "x", 0)] * len(HOSTILE) for kind in LISTED}
    of_text = {kind: [Statement(text, ["m-0-1"], text, text, text, 0) for text in HOSTILE] for kind in LISTED}
    single = {kind: [Statement(HOSTILE[2], ["m-0-1"])] for kind in SINGLE}
    lines = written(wanted, {**of_text, **single}).splitlines()
    assert len(lines) == len(
        written(wanted, {**plain, **{kind: [Statement("x", ["m-0-1"])] for kind in SINGLE}}).splitlines()
    )
    assert not any("<script>" in line for line in lines if wanted == "html")
    assert wanted in ("srt", "vtt", "csv") or letters([HOSTILE[8]]) in letters(lines)
