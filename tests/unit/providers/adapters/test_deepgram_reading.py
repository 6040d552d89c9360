"""Deepgram's results in the normalised shape."""

from typing import Any

import pytest

from recording_insights.model.insights import Entity, Insights, Topic, Utterance
from recording_insights.providers.adapters.deepgram.reading import read_insights
from tests.unit.providers.adapters.deepgram_scene import spoken, talk, word


def read(reply: bytes) -> Insights:
    return read_insights(reply)


def sentiments(*segments: tuple[Any, Any, Any], average: Any = None) -> dict[str, Any]:
    names = ("start_word", "end_word", "sentiment_score")
    return {
        "segments": [{"text": "…", "sentiment": "?", **dict(zip(names, s, strict=True))} for s in segments],
        "average": average,
    }


def test_words_become_utterances() -> None:
    assert read(talk()).transcript == [
        Utterance("Hi there.", "0", 80, 815, confidence=0.85),
        Utterance("Is it broken?", "1", 1200, 2000, confidence=0.9),
    ]


def test_segments_of_sentiment_are_spread_by_words() -> None:
    average = {"sentiment": "neutral", "sentiment_score": 0.35909067500721326}
    insights = read(talk(sentiments=sentiments((0, 2, 0.5), (3, 4, -0.25), average=average)))
    assert [u.sentiment for u in insights.transcript] == [0.5, 0.0]
    assert insights.sentiment == 0.35909067500721326


def test_without_an_average_it_is_our_mean() -> None:
    insights = read(talk(sentiments=sentiments((0, 1, 1), (2, 4, -1))))
    assert insights.sentiment == -0.18


def test_without_segments_the_words_have_their_own_sentiment() -> None:
    insights = read(spoken(word("So", 0, 1, sentiment_score=0.5), word("well.", 1, 2, sentiment_score=-0.25)))
    assert insights.transcript[0].sentiment == 0.125


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        "x",
        {},
        {"segments": None},
        {"segments": [None, 5, {}]},
        {"segments": [{"start_word": None, "end_word": 3, "sentiment_score": 1}]},
        {"segments": [{"start_word": 0, "end_word": 3, "sentiment_score": None}]},
        {"segments": [{"start_word": 90, "end_word": 10**9, "sentiment_score": 1}]},
        {"segments": [{"start_word": 4, "end_word": 0, "sentiment_score": 1}]},
        {"segments": [{"start_word": -9, "end_word": -4, "sentiment_score": 1}]},
    ],
)
def test_odd_sentiments_cost_only_themselves(found: Any) -> None:
    insights = read(talk(sentiments=found))
    assert [u.text for u in insights.transcript] == ["Hi there.", "Is it broken?"]
    assert (insights.sentiment, insights.transcript[0].sentiment) == (None, None)


@pytest.mark.parametrize("end", [3, 3.0, "3", 10**9])
def test_word_indices_in_every_form(end: Any) -> None:
    assert read(talk(sentiments=sentiments((0, end, 0.5)))).transcript[1].sentiment == 0.5


def test_a_word_that_says_nothing_keeps_its_index() -> None:
    words = [word("One.", 0, 1), None, word("", 1, 2), word("Two.", 2, 3)]
    insights = read(
        talk(channels=[{"alternatives": [{"words": words}]}], sentiments=sentiments((0, 0, 1), (1, 2, 0), (3, 3, -1)))
    )
    assert [(u.text, u.sentiment) for u in insights.transcript] == [("One.", 1), ("Two.", -1)]


def test_a_word_of_several_words_is_one() -> None:
    words = [word("Call", 0, 1), word("(555) 010-9999", 1, 2), word("now.", 2, 3), word("Bye.", 3, 4)]
    scores = sentiments((0, 2, 0.25), (3, 3, 0.75))
    insights = read(talk(channels=[{"alternatives": [{"words": words}]}], sentiments=scores))
    assert [(u.text, u.sentiment) for u in insights.transcript] == [
        ("Call (555) 010-9999 now.", 0.25),
        ("Bye.", 0.75),
    ]


def test_topics_once_each_with_the_highest_confidence() -> None:
    def segment(*topics: Any) -> dict[str, Any]:
        return {"text": "…", "start_word": 0, "end_word": 1, "topics": list(topics)}

    segments = [
        segment({"topic": "Phone upgrade", "confidence_score": 0.5}, {"topic": "Weather"}),
        segment({"topic": "Phone upgrade", "confidence_score": 0.9661531}, {"topic": ""}, None, "x"),
        segment({"topic": "Phone upgrade", "confidence_score": None}, {"topic": "Weather", "confidence_score": 0.25}),
        {"topics": None},
        None,
    ]
    assert read(talk(topics={"segments": segments})).topics == [
        Topic("Phone upgrade", 0.9661531),
        Topic("Weather", 0.25),
    ]


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ({"result": "success", "short": "Jake calls."}, "Jake calls."),
        ({"short": "Jake calls."}, "Jake calls."),
        ({"result": "failure", "short": "only available in English"}, None),
        ({"result": "success", "short": ""}, None),
        ({"result": "success"}, None),
        ("text", None),
        (None, None),
    ],
)
def test_summary(summary: Any, expected: str | None) -> None:
    assert read(talk(summary=summary)).summary == expected


def test_intents_and_entities_are_left_in_the_reply() -> None:
    segments = {"segments": [{"text": "…", "intents": [{"intent": "Upgrade phone", "confidence_score": 0.9}]}]}
    insights = read(talk(intents=segments))
    assert (insights.action_items, insights.follow_ups, insights.topics) == ((), (), [])


@pytest.mark.parametrize("start", [1, 1.0, 1.0000001, "1.0", 0.9999])
def test_seconds_in_every_form(start: Any) -> None:
    assert read(spoken(word("Yes.", start, 2))).transcript[0].start_ms == 1000


@pytest.mark.parametrize("strange", [None, "soon", [], {}, True])
def test_a_missing_time_or_speaker_or_confidence_is_absent(strange: Any) -> None:
    (utterance,) = read(spoken({"word": "yes", "start": strange, "end": strange, "confidence": strange})).transcript
    assert utterance == Utterance("yes")


@pytest.mark.parametrize("text", ["Grüße aus Zürich.", "東京へ行きます。", "مرحبا بالعالم.", "👩‍👩‍👧 fine 🎉."])
def test_any_script_survives(text: str) -> None:
    (utterance,) = read(spoken(word(text, 0, 1, 3))).transcript
    assert (utterance.text, utterance.speaker) == (text, "3")


def test_half_an_emoji_does_not_break_the_talk() -> None:
    (utterance,) = read(spoken(word("EMOJI.", 0, 1)).replace(b"EMOJI", b"\\ud83d")).transcript
    assert utterance.text == "\ufffd."


def test_silence_is_a_result() -> None:
    insights = read(spoken())
    assert (insights.transcript, insights.sentiment, insights.summary) == ([], None, None)


@pytest.mark.parametrize("words", [None, "x", {}, [], [None]])
def test_without_words_the_transcript_is_one_utterance(words: Any) -> None:
    channels = [{"alternatives": [{"transcript": "All of it.", "confidence": 0.5, "words": words}]}]
    assert read(talk(channels=channels)).transcript == [Utterance("All of it.", confidence=0.5)]


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[]", "it is no JSON object"),
        (b"null", "it is no JSON object"),
        (b'"text"', "it is no JSON object"),
        (b'{"request_id": "r-1"}', "it has no field results"),
        (b'{"results": null}', "its field results is no object"),
        (b'{"results": []}', "its field results is no object"),
        (b'{"results": {}}', "it has no field channels"),
        (b'{"results": {"channels": null}}', "its field channels is no list"),
        (b'{"results": {"channels": {}}}', "its field channels is no list"),
        (b'{"results": {"channels": [null]}}', "its field channels holds no objects"),
        (b'{"results": {"channels": [{}]}}', "it has no field alternatives"),
        (b'{"results": {"channels": [{"alternatives": 7}]}}', "its field alternatives is no list"),
        (b'{"results": {"channels": [{"alternatives": ["x"]}]}}', "its field alternatives holds no objects"),
        (
            b'{"results": {"channels": [{"alternatives": [{}]}]}}',
            "its field alternatives has neither words nor transcript",
        ),
    ],
)
def test_a_reply_of_another_form_is_an_error_that_names_the_field(reply: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=rf"^{fault}$") as raised:
        read(reply)
    assert type(raised.value) is ValueError


@pytest.mark.parametrize("channels", [[], [{"alternatives": []}]])
def test_no_channel_or_no_alternative_is_an_empty_transcript(channels: Any) -> None:
    assert read(talk(channels=channels)).transcript == []


@pytest.mark.parametrize(
    ("channel", "language"),
    [
        ({"detected_language": "de", "language_confidence": 0.9}, "de"),
        ({"alternatives": [{"words": [], "languages": ["es", "en"]}]}, "es"),
        ({"detected_language": None, "alternatives": [{"words": [], "languages": 5}]}, None),
    ],
)
def test_the_detected_language(channel: dict[str, Any], language: str | None) -> None:
    assert read(talk(channels=[{"alternatives": [{"words": []}], **channel}])).language == language


def entities(*words: Any, **entry: Any) -> list[Entity]:
    found = {"label": "NAME", "value": "Bob Smith", "confidence": 0.9, "start_word": 1, "end_word": 3, **entry}
    return [*read(spoken(*words, entities=[found])).entities]


NAMED = [word("I'm", 0, 0.5), word("Bob", 0.5, 1), word("Smith,", 1, 1.5), word("Ann.", 1.5, 2)]


@pytest.mark.parametrize(
    ("value", "start", "end", "times"),
    [
        (" Bob Smith", 1, 3, (500, 1500)),
        (" Bob Smith", "1", 3.0, (500, 1500)),
        ("Bob Smith", 1, 2, (500, 1500)),
        ("Ann", 3, 4, (1500, 2000)),
        ("Ann", 3, 3, (1500, 2000)),
        ("$20", 1, 3, (500, 1500)),
    ],
)
def test_the_end_of_an_entity_is_the_word_after_it_or_its_last_one(
    value: str, start: Any, end: Any, times: tuple[int, int]
) -> None:
    found = entities(*NAMED, value=value, start_word=start, end_word=end)
    assert found == [Entity(value.strip(), "name", *times, 0.9)]


@pytest.mark.parametrize(
    "place", [{"end_word": None}, {"start_word": "x"}, {"start_word": -2}, {"start_word": 4}, {"end_word": 10**9}]
)
def test_an_entity_whose_words_are_unknown_has_no_times(place: dict[str, Any]) -> None:
    assert entities(*NAMED, **place) == [Entity("Bob Smith", "name", None, None, 0.9)]
    assert entities() == [Entity("Bob Smith", "name", None, None, 0.9)]
    assert entities(None, 7, {"start": {}}, *NAMED) == [Entity("Bob Smith", "name", None, None, 0.9)]


def test_odd_entities_cost_only_themselves() -> None:
    assert entities(*NAMED, value=None, raw_value="Bob Smith", confidence="x", label="CARDINAL_NUM") == [
        Entity("Bob Smith", "cardinal_num", 500, 1500)
    ]
    odd: list[dict[str, Any]] = [{"value": None}, {"value": " ", "start_word": 0, "end_word": 0}, {"label": None}]
    assert [entities(*NAMED, **entry) for entry in odd] == [[], [], []]
    wrong: list[Any] = [None, 5, "x", {}, [5, None]]
    assert [read(spoken(*NAMED, entities=found)).entities for found in wrong] == [[]] * 5


def test_a_redacted_transcript_shows_no_entities() -> None:
    assert entities(*NAMED, word("[NAME_1].", 2, 3)) == []
