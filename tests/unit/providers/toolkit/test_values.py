"""Numbers, sentiments and utterances of vendors in our units."""

import json
import math
from typing import Any

import pytest

from recording_insights.model.insights import Topic, Utterance
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.values import ScoredSpan, Word


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "number"),
        [(0.998, 0.998), (-1, -1), (0, 0), ("0.998", 0.998), ("12", 12), (" 7.5 ", 7.5), (1e-200, 1e-200)],
    )
    def test_a_number_or_its_text(self, value: Any, number: float) -> None:
        assert values.number(value) == number

    @pytest.mark.parametrize("value", [None, True, False, "", "soon", "0.5 s", [], {}, [1], "NaN", "-Infinity"])
    def test_everything_else_is_none(self, value: Any) -> None:
        assert values.number(value) is None

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, "1e999", 10**400, "9" * 5000])
    def test_a_number_that_no_mean_could_hold_is_none(self, value: Any) -> None:
        assert values.number(value) is None
        assert values.whole(value) is None
        assert values.ms_of_seconds(value) is None
        assert values.sentiment(value) is None

    def test_numbers_of_a_reply_are_plain(self) -> None:
        parsed = parse_json(b'{"a": 0.998, "b": -1, "c": NaN, "d": Infinity, "e": 1.50}')
        assert parsed == {"a": 0.998, "b": -1, "c": None, "d": None, "e": 1.5}
        assert [type(value) for value in parsed.values()] == [float, int, type(None), type(None), float]
        assert json.loads(json.dumps(parsed)) == parsed


class TestRounding:
    @pytest.mark.parametrize(("value", "whole"), [(1.4, 1), ("2.6", 3), (-0.6, -1), (0.5, 0), (1.5, 2)])
    def test_whole_numbers(self, value: Any, whole: int) -> None:
        assert values.whole(value) == whole
        assert isinstance(values.whole(value), int)

    @pytest.mark.parametrize(
        ("seconds", "ms"), [(4.800000000000001, 4800), ("9.78", 9780), (5.9, 5900), (0.0004, 0), (1.001, 1001)]
    )
    def test_ms(self, seconds: Any, ms: int) -> None:
        assert values.ms_of_seconds(seconds) == ms

    def test_a_mean_has_three_decimals(self) -> None:
        assert values.mean([0.1, None, 0.2, 0.2]) == 0.167
        assert values.mean([None]) is None
        # The sum of these floats is 0.30000000000000004 if they are added one by one.
        assert values.mean([0.1, 0.2, 0.0]) == 0.1


class TestTopics:
    def test_each_once_with_its_highest_score(self) -> None:
        scored = [("a", 0.2), ("b", None), ("a", 1), (None, 1), ("a", 0.5), ("b", None)]
        assert values.best_topics(scored) == [Topic("a", 1), Topic("b")]


class TestUtterances:
    def test_confidence_and_sentiment_are_means(self) -> None:
        words = [Word("So", 0, 100, "A", 0.5, 1), Word("it", 110, 200, "A", None, 0.5), Word("is", 210, 300, "A", 1)]
        assert values.utterances_of(words) == [Utterance("So it is", "A", 0, 300, sentiment=0.75, confidence=0.75)]


class TestWithSentiment:
    def test_spans_count_by_the_time_they_share(self) -> None:
        utterances = [Utterance("a", "A", 0, 1000), Utterance("b", "B", 500, 1500), Utterance("c", "A")]
        spans = [ScoredSpan(500, 1500, "B", -1), ScoredSpan(0, 900, "A", 1), ScoredSpan(900, 1000, None, 0)]
        scored = values.with_sentiment(utterances, spans)
        assert [utterance.sentiment for utterance in scored] == [0.9, -0.909, None]

    def test_without_a_span_the_own_sentiment_stays(self) -> None:
        spoken = Utterance("a", "A", 0, 1000, sentiment=0.25)
        assert values.with_sentiment([spoken], [ScoredSpan(1000, 2000, "A", 1)]) == [spoken]
