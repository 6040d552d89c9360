"""Results of RingCentral in the normalised shape, in every known form."""

import json
from typing import Any

import pytest

from recording_insights.model.insights import Insights, Question, Topic, Utterance, Word
from recording_insights.providers.adapters.ringcentral.reading import read_insights

RESULT = {"utteranceInsights": [{"start": 0.5, "end": 1, "text": "Hi.", "speakerId": "0"}]}


def read(response: Any) -> Insights:
    reply = {"jobId": "1", "status": "Success", "response": response}
    return read_insights(json.dumps(reply, ensure_ascii=False).encode())


def test_every_part_of_a_result() -> None:
    phrases = [{"value": "table", "confidence": 0.4}, {"value": "Agora"}, {"value": "table", "confidence": 0.9}]
    asked = [{"text": "Why?", "start": 9}, {"text": "Who?", "start": "3.5"}, {"start": 1}]
    insights = read(
        {
            "utteranceInsights": [
                {
                    "start": 4.800000000000001,
                    "end": "9.78",
                    "text": "Ça va? 你好 👋",
                    "confidence": 0.87,
                    "speakerId": 0,
                    "insights": [{"name": "Emotion", "value": "Joy", "confidence": 0.54}],
                },
                {"text": "No speaker, no times.", "speakerId": None, "start": None, "insights": "none"},
            ],
            "speakerInsights": {
                "insights": [
                    {"name": "Energy", "values": [{"speakerId": "0", "value": 93.11}]},
                    {"name": "Pace", "values": [{"speakerId": "1", "value": "fast", "wpm": 196.9}, {"value": "slow"}]},
                    {
                        "name": "QuestionsAsked",
                        "values": [{"speakerId": "0", "value": 2, "questions": asked}, {"questions": 3}],
                    },
                ]
            },
            "conversationalInsights": [
                {"name": "KeyPhrases", "values": phrases},
                {"name": "Topics", "values": [{"value": "furniture", "confidence": 0.92}, None]},
                {"name": "AbstractiveSummaryLong", "values": []},
                {"name": "AbstractiveSummaryShort", "values": None},
                {"name": "ExtractiveSummary", "values": [{"sentence": "One."}, {"sentence": "Two."}]},
            ],
        }
    )
    assert insights.transcript == [
        Utterance("Ça va? 你好 👋", "0", 4800, 9780, confidence=0.87),
        Utterance("No speaker, no times."),
    ]
    assert insights.ratings == {
        "Energy": {"0": 93.11},
        "Pace": {"1": "fast", "?": "slow"},
        "wpm": {"1": 196.9},
        "QuestionsAsked": {"0": 2},
    }
    assert insights.questions == [Question("Who?"), Question("Why?")]
    assert insights.topics == [Topic("furniture", 0.92), Topic("table", 0.9), Topic("Agora")]
    assert (insights.summary, insights.sentiment) == ("One. Two.", None)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"speakerInsights": None, "conversationalInsights": None},
        {"speakerInsights": [], "conversationalInsights": "none"},
        {"speakerInsights": {"insights": [None, 1, {}]}, "conversationalInsights": [{"name": "Topics"}]},
    ],
)
def test_odd_parts_cost_no_transcript(odd: Any) -> None:
    assert read({**RESULT, **odd}).transcript == [Utterance("Hi.", "0", 500, 1000)]


@pytest.mark.parametrize(
    ("given", "transcript"),
    [
        ({"utteranceInsights": []}, []),
        ({"transcript": "", "words": [], "utterances": []}, []),
        ({"transcript": "All of it."}, [Utterance("All of it.")]),
        (
            {"transcript": "Hi there", "words": [{"start": 0, "end": 0.24, "word": "hi", "confidence": 0.5}]},
            [Utterance("hi", None, 0, 240, confidence=0.5)],
        ),
    ],
)
def test_other_forms_of_transcripts(given: Any, transcript: list[Utterance]) -> None:
    assert read(given).transcript == transcript


_NONE_OF = "its field response has none of utteranceInsights, utterances, words and transcript"


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (b"<html>", "it is not JSON"),
        (b"[]", "it is no JSON object"),
        (b"{}", "it has no field response"),
        (b'{"response": null}', "its field response is no object"),
        (b'{"response": {}}', _NONE_OF),
        (b'{"response": {"utteranceInsights": null, "speakerInsights": {}}}', _NONE_OF),
    ],
)
def test_without_a_transcript_the_error_names_the_field(reply: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=rf"^{fault}$") as raised:
        read_insights(reply)
    assert type(raised.value) is ValueError


def test_words_of_an_utterance_have_their_times() -> None:
    timings = [{"word": "Good", "start": 0.5, "end": 0.9, "confidence": 0.8}, {"word": "day.", "start": 1}]
    entry = {"text": "Good day.", "start": 0.5, "end": 1.4, "speakerId": "1", "wordTimings": timings}
    [spoken] = read_insights(json.dumps({"response": {"utterances": [entry]}}).encode()).transcript
    assert spoken.words == [Word("Good", 500, 900, 0.8), Word("day.", 1000)]
