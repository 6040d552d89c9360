"""Answers to export: recordings of one media object, and what is hard to write in some format."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from recording_insights.model.insights import ActionItem, Entity, Insights, Question, Topic, Utterance, Word
from recording_insights.recordings.insights_answer import whole_insights
from tests.unit.recordings.test_insights_answer import R, collection_of

HOSTILE = (
    "00:00:01,000 --> 00:00:02,000",
    "00:00:01.000 --> 00:00:02.000",
    "<script>alert(1)</script><b>bold</b> &amp; <c.x><00:00:01.000> {\\an8}{b}",
    "שלום \u202eevil\u202d \u2067left\u200f",
    "a\0b\x1bc\ufffed\ufeff",
    "one\r\ntwo\n\nthree\u2028four\u0085five\x0bsix\x1cseven",
    "x" * 10_000,
    "é" * 43 + "e\u0301" * 100,
    "=HYPERLINK(1) , \"quoted\", 'single'",
    "NOTE hidden",
    "STYLE",
    "WEBVTT",
    "7",
    "# heading",
    "1. list | [link](http://evil.example) ![image](x) `code` *em* __strong__ ~~~ $x$ \\",
    "---",
    "</style></title><!-- ]]> -->",
)
"""Texts that are markup, times, formulas or line breaks in some format."""


def whole(
    *transcript: Utterance,
    speakers: Mapping[str, str] | None = None,
    corrections: Mapping[int, Any] | None = None,
    **found: Any,
) -> dict[str, Any]:
    """The answer for a recording in which this was said and found, with corrections by the number of the line."""
    insights = Insights(transcript=transcript, **found)
    collection = collection_of(("0.mp4", insights), speakers=speakers or {}, created_at="2026-11-27T09:30:00.123456Z")
    return whole_insights(R, replace(collection, corrections={"m0": corrections or {}}))


def hostile() -> dict[str, Any]:
    """An answer in which every text is hostile: names, findings, and corrections of a second half of the lines."""
    lines = [
        Utterance(text, str(number % 3), number * 20_000, number * 20_000 + 15_000, words=[Word(text, number * 20_000)])
        for number, text in enumerate(HOSTILE)
    ]
    corrected = [Utterance("as it was heard", "0", number=number) for number, _ in enumerate(HOSTILE, start=1)]
    return whole(
        *lines,
        *corrected,
        corrections={number: {"text": text, "speaker": text} for number, text in enumerate(HOSTILE, start=1)},
        speakers={"0": HOSTILE[0], "1": HOSTILE[2], "2": "@evil"},
        summary="\n\n".join(HOSTILE),
        topics=[Topic(text) for text in HOSTILE],
        action_items=[ActionItem(text, text, text) for text in HOSTILE],
        questions=[Question(text, text) for text in HOSTILE],
        entities=[Entity(text, text) for text in HOSTILE],
        language='en" onload="x',
        missing=HOSTILE,
    )


def letters(texts: Iterable[str]) -> str:
    """The letters and digits of texts, to compare what was said, however it was broken into lines."""
    return "".join(character for text in texts for character in text if character.isalnum())
