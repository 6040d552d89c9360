"""Captions, read by pysubs2 and webvtt-py."""

import io
import re
from dataclasses import replace
from itertools import pairwise

import pysubs2
import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_insights.model.insights import Utterance, Word
from recording_insights.recordings.exports.captions import write_srt, write_vtt
from recording_insights.recordings.exports.cues import LEAST_MS, MOST_LINES, MOST_MS, WIDTH, Cue, cues_of
from tests.unit.recordings.exports.whole import HOSTILE, hostile, letters, whole

SPEECH = (
    "Good morning. Thank you for calling the delivery office, where somebody listens to everything that you say. "
    "How can I help you today?"
)


def captions(*transcript: Utterance, shows_names: bool = False) -> list[Cue]:
    return cues_of(whole(*transcript)["transcript"], shows_names=shows_names)


def said(cues: list[Cue]) -> list[str]:
    return [" / ".join(cue.lines) for cue in cues]


def test_a_long_line_becomes_captions_that_follow_sentences() -> None:
    cues = captions(Utterance(SPEECH, "1", 1_000, 11_000))

    assert said(cues) == [
        "Good morning.",
        "Thank you for calling the delivery office, / where somebody listens to everything that",
        "you say. How can I help you today?",
    ]
    assert cues[0].start_ms == 1_000
    assert cues[-1].end_ms == 11_000
    assert all(first.end_ms == second.start_ms for first, second in pairwise(cues))


def test_words_share_the_time_of_their_line_by_their_characters() -> None:
    cues = captions(Utterance("aaaa bbbbb " * 3, None, 0, 27_000))

    assert [(cue.start_ms, cue.end_ms, *cue.lines) for cue in cues] == [
        (0, 4_000, "aaaa"),
        (4_000, 9_000, "bbbbb"),
        (9_000, 13_000, "aaaa"),
        (13_000, 18_000, "bbbbb"),
        (18_000, 22_000, "aaaa"),
        (22_000, 27_000, "bbbbb"),
    ], "two of them would take longer than a caption may"


@pytest.mark.parametrize(
    ("spoken", "times"),
    [
        pytest.param([Utterance("Yes.", None, 5_000, 5_200)], [(5_000, 6_000)], id="a word is shown for a second"),
        pytest.param([Utterance("Well", None, 0, 60_000)], [(0, 7_000)], id="nothing is shown for longer than 7 s"),
        pytest.param(
            [Utterance("a" * 40, None, 2_000)], [(2_000, 4_400)], id="without an end it takes its reading time"
        ),
        pytest.param(
            [Utterance("a", None, 0, 2_000), Utterance("bbb"), Utterance("b"), Utterance("c", None, 2_120, 4_000)],
            [(0, 2_000), (2_000, 3_000), (2_090, 3_090), (2_120, 4_000)],
            id="lines without times share the gap between their neighbours",
        ),
        pytest.param(
            [Utterance("a", None, 3_000, 5_000), Utterance("b" * 40), Utterance("c" * 20)],
            [(3_000, 5_000), (5_000, 7_400), (7_400, 8_600)],
            id="behind the last time, each takes its reading time",
        ),
        pytest.param(
            [Utterance("later", None, 9_000, 11_000), Utterance("earlier", None, 2_000, 4_000)],
            [(2_000, 4_000), (9_000, 11_000)],
            id="captions are in the order of time",
        ),
        pytest.param([Utterance(" \n "), Utterance("")], [], id="no words, no caption"),
    ],
)
def test_when_a_caption_is_shown(spoken: list[Utterance], times: list[tuple[int, int]]) -> None:
    assert [(cue.start_ms, cue.end_ms) for cue in captions(*spoken)] == times


def test_words_are_shown_when_they_are_spoken() -> None:
    words = [
        Word("Well,", 1_000, 1_300),
        Word("then.", 6_000, 6_400, 0.9),
        Word("Good", 8_500, 8_800),
        Word("bye!", 9_000),
    ]
    line = Utterance("Well, then. Good bye!", None, 900, 9_400, words=words)

    shown = [(cue.start_ms, cue.end_ms, *cue.lines) for cue in captions(line)]

    assert shown == [(1_000, 6_400, "Well, then."), (8_500, 9_500, "Good bye!")]
    corrected = replace(line, text="Well, then. Good day!")
    assert captions(corrected) == captions(replace(corrected, words=())), "they are no longer its words"


def test_a_word_that_is_cut_shares_its_time() -> None:
    line = Utterance("a" * 60, None, 0, 9_000, words=[Word("a" * 60, 3_000, 6_000)])
    assert [(cue.start_ms, cue.end_ms) for cue in captions(line)] == [(3_000, 6_000)]
    spoken = Utterance("你好。 再见。", None, 0, 9_000, words=[Word("你好。再见。", 1_000, 7_000)])
    assert [(cue.start_ms, cue.end_ms) for cue in captions(spoken)] == [(1_000, 7_000)]


def test_chinese_is_split_behind_its_sentences_and_a_letter_keeps_its_accent() -> None:
    assert said(captions(Utterance("你好。" * 20, None, 0, 20_000)))[0].startswith("你好。 你好。")
    accents = said(captions(Utterance("e\u0301" * 60, None, 0, 20_000)))
    assert all(not line.startswith("\u0301") for text in accents for line in text.split(" / "))


texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300), st.just(SPEECH))
moments = st.none() | st.integers(0, 10**7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Utterance, texts, st.none() | st.just("1"), moments, moments), max_size=6), st.booleans())
def test_every_caption_fits_and_no_word_is_lost(transcript: list[Utterance], shows_names: bool) -> None:
    cues = captions(*transcript, shows_names=shows_names)

    assert [cue.start_ms for cue in cues] == sorted(cue.start_ms for cue in cues)
    for cue in cues:
        assert LEAST_MS <= cue.end_ms - cue.start_ms <= MOST_MS
        assert 0 < len(cue.lines) <= MOST_LINES
        assert all(0 < len(line) <= WIDTH for line in cue.lines)
    if not shows_names:
        assert sorted(letters(line for cue in cues for line in cue.lines)) == sorted(
            letters(utterance.text for utterance in transcript)
        )


def test_subrip_says_who_begins_to_speak() -> None:
    answer = whole(
        Utterance(SPEECH, "7", 61_000, 71_000), Utterance("Yes.", "2", 72_000, 73_000), speakers={"7": "Ann"}
    )

    text = write_srt(answer)

    assert text.startswith("1\n00:01:01,000 --> 00:01:02,081\nAnn: Good morning.\n\n2\n00:01:02,081 -->")
    assert text.endswith("\n4\n00:01:12,000 --> 00:01:13,000\nSpeaker 2: Yes.\n")


def test_webvtt_says_whose_voice_it_is() -> None:
    answer = whole(Utterance("Yes & no.", "7", 3_600_000, 3_601_500), speakers={"7": "Ann <3"})

    text = write_vtt(answer)

    assert text == "WEBVTT\n\n01:00:00.000 --> 01:00:01.500\n<v Ann &lt;3>Yes &amp; no.\n"
    [caption] = webvtt.from_string(text).captions
    assert (caption.voice, caption.start_in_seconds) == ("Ann &lt;3", 3600)


def test_a_recording_in_which_nobody_spoke_has_captions_without_a_caption() -> None:
    assert write_srt(whole()) == ""
    assert webvtt.from_string(write_vtt(whole())).captions == []


def test_hostile_subrip_is_read_as_it_was_meant() -> None:
    answer = hostile()
    cues = cues_of(answer["transcript"], shows_names=True)

    events = pysubs2.SSAFile.from_string(write_srt(answer), format_="srt")

    assert [(event.start, event.end) for event in events] == [(cue.start_ms, cue.end_ms) for cue in cues]
    assert letters(event.plaintext for event in events) == letters(line for cue in cues for line in cue.lines)
    # The other parser keeps the breaks.
    read = webvtt.from_buffer(io.StringIO(write_srt(answer)), format="srt")
    assert [caption.text.count("\n") + 1 for caption in read.captions] == [len(cue.lines) for cue in cues]


def test_hostile_webvtt_is_read_as_it_was_meant() -> None:
    answer = hostile()
    cues = cues_of(answer["transcript"], shows_names=False)

    read = webvtt.from_string(write_vtt(answer))

    assert [caption.identifier for caption in read.captions] == [None] * len(cues)
    assert [caption.text.count("\n") + 1 for caption in read.captions] == [len(cue.lines) for cue in cues]
    for caption, cue in zip(read.captions, cues, strict=True):
        assert caption.text == "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert not re.search(r"-->", "".join(caption.raw_text for caption in read.captions))
