import json
from typing import Any

import pytest

from recording_insights.model.insights import ActionItem, Emotion, Question, Topic, Utterance
from recording_insights.providers.adapters.marsview.reading import read_insights

FULL: dict[str, Any] = {
    "transcript": [
        {"sentence": "Wir sehen uns in Zürich. 🎙", "startTime": "960.0", "endTime": 2340.5, "speakers": ["1"]},
        {
            "sentence": "はい、そうです。",
            "startTime": 2500.49,
            "endTime": 3100,
            "speakers": ["0", "1"],
            "keywords": ["x"],
        },
        {"sentence": "…", "startTime": 4000, "endTime": 4100, "speakers": []},
    ],
    "sentiment": [
        {"startTime": 960, "endTime": 2340, "sentiment": "Very Positive"},
        {"startTime": "2500.49", "sentiment": -0.25},
    ],
    "emotion": [
        {"emotion": {"value": "joy", "confidence": 0.875}, "tone": {"value": "calm"}, "startTime": 960, "endTime": 1e3},
        {"emotion": {"value": None}},
    ],
    "actionsData": [
        {"actions": "Send the minutes", "assignee": "Ann", "completionDate": "Friday", "priority": "high"},
        {"actions": ""},
    ],
    "questionResponse": [{"questionBlock": [{"question": "When?", "response": "Soon."}, {"question": "Why?"}]}],
    "summaryData": [{"speaker": "1", "sentence": "They meet."}, {"sentence": ""}, {"sentence": "In Zürich."}],
    "topicsData": [{"topic": "travel"}, {"name": "Zürich"}, "trains", "", {}],
}


def read(data: Any) -> Any:
    return read_insights(json.dumps({"status": True, "data": data}).encode())


class TestReading:
    def test_everything_is_normalised(self) -> None:
        insights = read(FULL)

        assert insights.transcript == [
            Utterance("Wir sehen uns in Zürich. 🎙", "1", 960, 2340, 1),
            Utterance("はい、そうです。", "0", 2500, 3100, -0.25),
            Utterance("…", None, 4000, 4100),
        ]
        assert insights.summary == "They meet. In Zürich."
        assert insights.topics == [Topic("travel"), Topic("Zürich"), Topic("trains")]
        assert insights.action_items == [ActionItem("Send the minutes", "Ann", "Friday", "high")]
        assert insights.questions == [Question("When?", "Soon."), Question("Why?")]
        assert insights.emotions == [Emotion("joy", "calm", 0.875, 960, 1000)]
        assert insights.sentiment == 0.71
        assert insights.follow_ups == ()

    @pytest.mark.parametrize("odd", [["a"], {"a": 1}, True, None])
    def test_what_is_no_text_is_left_out(self, odd: Any) -> None:
        insights = read(
            {
                "transcript": [{"sentence": "Yes.", "speakers": [odd]}, {"sentence": "No.", "speakers": odd}, odd],
                "emotion": [{"emotion": {"value": "joy", "confidence": odd}, "tone": odd}, {"emotion": {"value": odd}}],
                "actionsData": [{"actions": odd}],
                "questionResponse": [{"questionBlock": [{"question": odd, "response": "x"}]}],
                "summaryData": [{"sentence": odd}, odd],
                "topicsData": [[odd], {"name": "travel", "topic": odd}],
            }
        )

        assert [(spoken.text, spoken.speaker) for spoken in insights.transcript][1] == (
            "No.",
            "a" if odd == ["a"] else None,
        )
        assert insights.transcript[0] == Utterance("Yes.")
        assert insights.emotions == [Emotion("joy")]
        assert (insights.action_items, insights.questions, insights.summary) == ([], [], None)
        assert insights.topics == [Topic("travel")]

    @pytest.mark.parametrize(
        ("absent", "field"),
        [
            ("transcript", "transcript"),
            ("sentiment", "sentiment"),
            ("emotion", "emotions"),
            ("topicsData", "topics"),
            ("actionsData", "action_items"),
            ("questionResponse", "questions"),
            ("summaryData", "summary"),
        ],
    )
    def test_each_part_may_be_absent(self, absent: str, field: str) -> None:
        rest = {name: value for name, value in FULL.items() if name != absent}
        whole, others = read(FULL), vars(read(FULL)).keys() - {field, "transcript", "sentiment"}
        for data in (rest, {**rest, absent: None}, {**rest, absent: []}):
            insights = read(data)

            assert not getattr(insights, field)
            assert {name: getattr(insights, name) for name in others} == {name: getattr(whole, name) for name in others}

    def test_nothing_at_all_is_empty_insights(self) -> None:
        assert read({}).transcript == []
        assert read({}).summary is None
        assert read({}).sentiment is None

    @pytest.mark.parametrize(
        ("value", "sentiment"),
        [
            *[("positive", 1), ("Negative", -1), ("NEUTRAL", 0), ("very negative", -1), ("mixed", None)],
            *[(0, 0), (1, 1), (-3, -1), (0.25, 0.25), (7.5, 1), (True, None), (None, None), ("", None)],
        ],
    )
    def test_sentiment_is_a_word_or_a_number(self, value: Any, sentiment: float | None) -> None:
        line = {"sentence": "a", "startTime": 0}
        insights = read({"transcript": [line], "sentiment": [{"startTime": 0, "sentiment": value}]})

        assert insights.transcript[0].sentiment == sentiment

    @pytest.mark.parametrize("time", [None, "", "soon", "NaN", "Infinity", {"ms": 5}])
    def test_a_time_that_is_none_is_absent(self, time: Any) -> None:
        insights = read(
            {
                "transcript": [{"sentence": "a", "startTime": time, "endTime": time}],
                "sentiment": [{"startTime": time, "sentiment": "positive"}],
            }
        )

        assert insights.transcript == [Utterance("a")]

    def test_numbers_are_plain(self) -> None:
        insights = read_insights(
            b'{"data": {"emotion": [{"emotion": {"value": "joy", "confidence": 0.1}, "startTime": 0.1},'
            b'{"emotion": {"value": "joy", "confidence": NaN}}]}}'
        )

        assert insights.emotions == [Emotion("joy", confidence=0.1, start_ms=0), Emotion("joy")]

    @pytest.mark.parametrize(
        ("escaped", "text"),
        [
            (r"cut \ud83d", "cut \N{REPLACEMENT CHARACTER}"),
            (r"cut \uD83D.", "cut \N{REPLACEMENT CHARACTER}."),
            (r"\ude00 cut", "\N{REPLACEMENT CHARACTER} cut"),
            (r"\ud83d\ud83d\ude00\ude00", "\N{REPLACEMENT CHARACTER}😀\N{REPLACEMENT CHARACTER}"),
            (r"whole \ud83d\ude00", "whole 😀"),
        ],
    )
    def test_half_an_emoji_does_not_cost_the_transcript(self, escaped: str, text: str) -> None:
        body = '{"data": {"transcript": [{"sentence": "' + escaped + '"}]}}'

        assert read_insights(body.encode()).transcript == [Utterance(text)]

    def test_a_byte_order_mark_is_no_obstacle(self) -> None:
        assert read_insights(b'\xef\xbb\xbf{"data": {"summaryData": []}}').summary is None
