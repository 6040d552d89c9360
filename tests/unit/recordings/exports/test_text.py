"""Plain text and Markdown, the latter read by markdown-it-py."""

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from recording_insights.model.insights import ActionItem, Entity, Question, Topic, Utterance
from recording_insights.recordings.exports.text import write_md, write_txt
from tests.unit.recordings.exports.whole import HOSTILE, hostile, letters, whole


def test_each_line_has_its_time_and_its_speaker() -> None:
    answer = whole(
        Utterance("Good morning.", "7", 0, 900),
        Utterance("Yes?\nYes.", "2", 65_400, 66_000),
        Utterance("Without a time.", "agent"),
        Utterance("Late.", None, 360_000_000),
        speakers={"7": "Ann"},
    )

    assert write_txt(answer) == (
        "[00:00:00] Ann: Good morning.\n[00:01:05] Speaker 2: Yes? Yes.\nagent: Without a time.\n[100:00:00] Late.\n"
    )
    assert write_txt(whole()) == ""


def test_no_hostile_text_makes_a_second_line() -> None:
    lines = write_txt(hostile()).splitlines()

    assert len(lines) == 2 * len(HOSTILE)
    assert "[00:01:00] 00:00:01,000 --> 00:00:02,000: שלום evil left\u200f" in lines


def test_markdown_has_what_was_found_beside_the_transcript() -> None:
    answer = whole(
        Utterance("Good *morning*.", "7", 0, 900),
        speakers={"7": "Ann"},
        summary="They greet.\n\nThey part.",
        topics=[Topic("greeting", 0.5)],
        action_items=[ActionItem("call back", "Ann", "Friday", "high"), ActionItem("- wait")],
        follow_ups=[ActionItem("ask")],
        questions=[Question("Yes?", "No."), Question("Why?")],
        entities=[
            *(Entity("Ann", "person_name", 0), Entity("Friday", "date"), Entity("Bob", "person_name")),
            *(Entity("Ann", "person_name", 900), Entity("ann", "date")),
        ],
        language="en-US",
        missing=["topics: too short"],
    )

    assert write_md({**answer, "channel": "support_42", "status": "partial", "reason": "0.mp4: x"}) == (
        "# support\\_42\n\nRecorded on 2026-11-27 at 09:30 UTC\n\nTranscribed by marsview\n\nLanguage: en-US\n\n"
        "Status: partial (0.mp4: x)\n\n"
        "## Summary\n\nThey greet.\n\nThey part.\n\n"
        "## Action items\n\n- call back (Ann, Friday, high)\n- \\- wait\n\n## Follow-ups\n\n- ask\n\n"
        "## Questions\n\n- Yes? – No.\n- Why?\n\n## Topics\n\n- greeting\n\n"
        "## Entities\n\n- person name: Ann, Bob\n- date: Friday, ann\n\n## Missing\n\n- topics: too short\n\n"
        "## Transcript\n\n[00:00:00] **Ann:** Good \\*morning\\*.\n"
    )


def texts_in(tokens: list[Token]) -> list[str]:
    return ["".join(part.content for part in token.children or ()) for token in tokens if token.type == "inline"]


@pytest.mark.parametrize("dialect", ["commonmark", "gfm-like"])
def test_hostile_markdown_is_read_as_it_was_meant(dialect: str) -> None:
    reader = MarkdownIt(dialect, {"linkify": False})
    answer = hostile()

    tokens = reader.parse(write_md(answer))

    kinds = {part.type for token in tokens for part in (token, *(token.children or ()))}
    assert {kind.removesuffix("_open").removesuffix("_close") for kind in kinds} == {
        *("heading", "paragraph", "bullet_list", "list_item", "strong", "inline", "text"),
    }
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", *["h2"] * 7]
    spoken = texts_in(tokens)[-2 * len(HOSTILE) :]
    assert letters(spoken) == letters(write_txt(answer).splitlines())
