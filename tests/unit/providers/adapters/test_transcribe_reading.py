"""Transcripts of Transcribe in the normalised shape, in every known form."""

import json
from typing import Any

import pytest

from recording_insights.model.insights import Utterance
from recording_insights.providers.adapters.transcribe.reading import read_insights


def word(content: Any, start: Any = "0.5", end: Any = "0.9", speaker: Any = None, confidence: Any = "0.9") -> Any:
    item = {"type": "pronunciation", "start_time": start, "end_time": end}
    label = {} if speaker is None else {"speaker_label": speaker}
    return {**item, **label, "alternatives": [{"confidence": confidence, "content": content}]}


def mark(content: str) -> Any:
    return {"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": content}]}


def read(**results: Any) -> list[Utterance]:
    reply = json.dumps({"jobName": "job-1", "status": "COMPLETED", "results": results}).encode()
    return list(read_insights(reply).transcript)


def texts(*items: Any) -> list[str]:
    return [utterance.text for utterance in read(items=list(items))]


# After https://docs.aws.amazon.com/transcribe/latest/dg/diarization-output-batch.html
DIARIZED = {
    "transcripts": [{"transcript": "I've waited. Sorry."}],
    "speaker_labels": {
        "channel_label": "ch_0",
        "speakers": 2,
        "segments": [
            {
                "start_time": "4.87",
                "speaker_label": "spk_0",
                "end_time": "6.88",
                "items": [
                    {"start_time": "4.87", "speaker_label": "spk_0", "end_time": "5.02"},
                    {"start_time": "5.02", "speaker_label": "spk_0", "end_time": "6.88"},
                ],
            },
            {
                "start_time": "8.49",
                "speaker_label": "spk_1",
                "end_time": "8.88",
                "items": [{"start_time": "8.49", "speaker_label": "spk_1", "end_time": "8.88"}],
            },
        ],
    },
}
ITEMS = [("I've", "4.87", "5.02"), ("waited", "5.02", "6.88"), ".", ("Sorry", "8.49", "8.88"), "."]


@pytest.mark.parametrize("labelled_items", [True, False])
def test_speakers_with_the_items_or_only_beside_them(labelled_items: bool) -> None:
    speakers = iter(["spk_0", "spk_0", "spk_1"])
    items = [mark(i) if isinstance(i, str) else word(i[0], i[1], i[2], speaker=next(speakers)) for i in ITEMS]
    if not labelled_items:
        for item in items:
            item.pop("speaker_label", None)
    assert read(**DIARIZED, items=items) == [
        Utterance("I've waited.", "spk_0", 4870, 6880, confidence=0.9),
        Utterance("Sorry.", "spk_1", 8490, 8880, confidence=0.9),
    ]


def test_words_become_utterances() -> None:
    said = read(
        items=[
            word("Hello", "0.0", "0.4", "spk_0", "0.998"),
            mark(","),
            word("you", "0.4", "0.6", "spk_0", "0.5"),
            word("yes", "0.7", "0.9", "spk_1", "1.0"),
            word("later", "3.0", "3.2", "spk_1", "1.0"),
        ]
    )
    assert [(u.text, u.speaker, u.start_ms, u.end_ms, u.confidence) for u in said] == [
        ("Hello, you", "spk_0", 0, 600, 0.749),
        ("yes", "spk_1", 700, 900, 1.0),
        ("later", "spk_1", 3000, 3200, 1.0),
    ]


@pytest.mark.parametrize(
    ("start", "ms"),
    [("12.3456", 12346), (12.5, 12500), (12, 12000), ("0", 0), (None, None), ("soon", None), ([], None)],
)
def test_times_in_every_form(start: Any, ms: int | None) -> None:
    assert read(items=[word("hello", start=start)])[0].start_ms == ms


@pytest.mark.parametrize("confidence", [None, "", "high", "NaN", {}])
def test_a_confidence_that_is_none(confidence: Any) -> None:
    assert read(items=[word("hello", confidence=confidence)])[0].confidence is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["Привет", "мир"], "Привет мир"),
        (["👋🏽", "안녕", "하세요"], "👋🏽 안녕 하세요"),
        (["こんにちは", "世界"], "こんにちは世界"),
        (["你", "好"], "你好"),
        (["สวัสดี", "ครับ"], "สวัสดีครับ"),
        (["AWS", "を", "使う"], "AWS を使う"),
    ],
)
def test_other_scripts(words: list[str], text: str) -> None:
    assert texts(*(word(w) for w in words)) == [text]


def test_punctuation_goes_to_the_word_before_it() -> None:
    assert texts(mark("."), word("一"), mark("、"), word("二"), mark("。"), word("三")) == ["一、二。", "三"]


@pytest.mark.parametrize(
    "odd", [None, 5, "word", {}, {"alternatives": []}, {"alternatives": None}, word(None), word(""), {"type": 7}]
)
def test_an_odd_item_costs_only_itself(odd: Any) -> None:
    assert texts(word("one"), odd, word("two")) == ["one two"]


@pytest.mark.parametrize("labels", [None, [], {}, {"segments": None}, {"segments": [{"items": 5}]}])
def test_odd_labels_cost_only_the_speakers(labels: Any) -> None:
    assert [u.speaker for u in read(items=[word("one")], speaker_labels=labels)] == [None]


def test_segments_where_there_are_no_items() -> None:
    segments = [
        {"id": 0, "transcript": "Hello.", "start_time": "1.5", "end_time": "2.0", "speaker_label": "spk_0"},
        {"id": 1, "transcript": "Yes."},
        {"id": 2, "transcript": None},
    ]
    assert read(audio_segments=segments) == [Utterance("Hello.", "spk_0", 1500, 2000), Utterance("Yes.")]


def test_the_bare_text_where_there_is_nothing_else() -> None:
    assert read(items=None, transcripts=[{"transcript": "Hello."}, {}]) == [Utterance("Hello.")]


@pytest.mark.parametrize("parts", [{"items": []}, {"items": [], "transcripts": [{"transcript": ""}]}])
def test_nobody_spoke(parts: dict[str, Any]) -> None:
    assert read(**parts) == []


def test_transcribe_finds_nothing_but_words() -> None:
    insights = read_insights(b'{"results": {"items": []}}')
    assert (insights.summary, insights.sentiment, list(insights.topics), insights.ratings) == (None, None, [], {})


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (b"", ValueError, "^it is not JSON$"),
        (b"<html>", ValueError, "^it is not JSON$"),
        (b"[]", ValueError, "^it is no JSON object$"),
        (b"{}", ValueError, "^it has no field results$"),
        (b'{"results": []}', LookupError, "the results contain no transcript"),
        (b'{"results": {"items": 5}}', LookupError, "the results contain no transcript"),
    ],
)
def test_no_transcript_at_all(reply: bytes, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        read_insights(reply)


def on(channel: str, item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "channel_label": channel}


CHANNEL_ITEMS = {
    "ch_0": [word("Hello", "0.0", "0.5"), word("how", "1.0", "1.2")],
    "ch_1": [word("Fine", "0.6", "0.9"), word("thanks", "0.9", "1.1"), mark(".")],
}
BY_CHANNEL = [on(channel, item) for channel, items in CHANNEL_ITEMS.items() for item in items]


@pytest.mark.parametrize(
    "items",
    [
        BY_CHANNEL,
        [BY_CHANNEL[place] for place in (0, 2, 3, 4, 1)],
        [*BY_CHANNEL[:-1], mark(".")],
        [item for items in CHANNEL_ITEMS.values() for item in items],
        [],
    ],
    ids=["by channel", "by time", "unlabelled punctuation", "labels beside the items", "no list of items"],
)
def test_channels_are_kept_apart(items: Any) -> None:
    channels = [{"channel_label": channel, "items": items} for channel, items in CHANNEL_ITEMS.items()]
    labels = {"number_of_channels": 2, "channels": channels}
    assert read(items=items, channel_labels=labels) == [
        Utterance("Hello how", "ch_0", 0, 1200, confidence=0.9),
        Utterance("Fine thanks.", "ch_1", 600, 1100, confidence=0.9),
    ]


def test_the_same_label_of_a_speaker_on_two_channels_is_two_speakers() -> None:
    items = [on("ch_0", word("one", speaker="spk_0")), on("ch_1", word("two", speaker="spk_0"))]
    channels = [{"channel_label": channel} for channel in ("ch_0", "ch_1")]
    said = read(items=items, channel_labels={"channels": channels})
    assert [(u.text, u.speaker) for u in said] == [("one", "ch_0 spk_0"), ("two", "ch_1 spk_0")]


@pytest.mark.parametrize(
    ("named", "language"),
    [
        ({"language_code": "en-US", "language_identification": [{"code": "en-US", "score": "0.9"}]}, "en-US"),
        (
            {"language_codes": [{"language_code": "en-US", "duration_in_seconds": "9"}, {"language_code": "de-DE"}]},
            "en-US, de-DE",
        ),
        ({"language_codes": 5}, None),
    ],
)
def test_the_language(named: dict[str, Any], language: str | None) -> None:
    reply = json.dumps({"results": {"items": [], **named}}).encode()
    assert read_insights(reply).language == language
