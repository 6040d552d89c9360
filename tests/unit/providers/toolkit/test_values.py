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
        [
            *[(0.998, 0.998), (-1, -1), (0, 0), ("0.998", 0.998), ("12", 12), (" 7.5 ", 7.5), (1e-200, 1e-200)],
            *[(2**53, 2**53), (-(2**53), -(2**53)), ("9007199254740992", 2**53)],
        ],
    )
    def test_a_number_or_its_text(self, value: Any, number: float) -> None:
        assert values.number(value) == number

    @pytest.mark.parametrize("value", [None, True, False, "", "soon", "0.5 s", [], {}, [1], "NaN", "-Infinity"])
    def test_everything_else_is_none(self, value: Any) -> None:
        assert values.number(value) is None

    @pytest.mark.parametrize("value", [math.nan, -math.inf, 2**53 + 1, -(2**53) - 1, 1e17, "1e999", 10**400])
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


class TestJson:
    @pytest.mark.parametrize(
        ("written", "text"),
        [
            (r"\\ud83d", r"\ud83d"),
            (r"\\ud83d\udc4b", "\\ud83d\N{REPLACEMENT CHARACTER}"),
            (r"\\\ud83d\udc4b", "\\👋"),
            (r"\uD83D \udc4B", "\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}"),
        ],
    )
    def test_a_backslash_in_a_text_is_no_escape(self, written: str, text: str) -> None:
        assert parse_json(f'"{written}"'.encode()) == text

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ("[" * 100_000 + "]" * 100_000, "its JSON is nested too deeply"),
            ("7" * 5000, "one of its numbers has too many digits"),
        ],
    )
    def test_what_python_does_not_parse_is_refused_in_words(self, body: str, reason: str) -> None:
        with pytest.raises(ValueError, match=rf"^{reason}$"):
            parse_json(body.encode())


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


class TestMsBetween:
    @pytest.mark.parametrize(
        ("start", "moment", "ms"),
        [
            ("2020-07-10T11:16:20Z", "2020-07-10T11:16:21.5Z", 1500),
            ("2020-07-10T11:16:20Z", "2020-07-10T13:16:20.0006+02:00", 1),
            ("2020-07-10T11:16:21Z", "2020-07-10T11:16:20Z", -1000),
            ("2020-07-10T11:16:20", "2020-07-10T11:16:21Z", None),
            ("yesterday", "2020-07-10T11:16:21Z", None),
            (None, "2020-07-10T11:16:21Z", None),
            ("2020-07-10T11:16:21Z", 7, None),
        ],
    )
    def test_moments(self, start: Any, moment: Any, ms: int | None) -> None:
        assert values.ms_between(start, moment) == ms


@pytest.mark.parametrize(
    ("value", "score"),
    [
        *[("Positive", 1), ("neutral", 0), ("Very Negative", -1), ("mixed", None), ("", None), (None, None)],
        *[(0, 0), (0.25, 0.25), ("-0.5", -0.5), (1.5, 1), (-7, -1), (True, None), ({}, None)],
    ],
)
def test_a_sentiment_is_from_minus_1_to_1(value: Any, score: float | None) -> None:
    assert values.sentiment(value) == score


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (0, "0"), (0.5, "0.5"), ("", None), (None, None)])
def test_an_empty_text_is_none(value: Any, text: str | None) -> None:
    assert values.optional_text(value) == text


@pytest.mark.parametrize("value", [True, False, [], ["a"], {}, {"a": 1}])
def test_python_s_form_of_a_value_is_no_text(value: Any) -> None:
    assert values.optional_text(value) is None


@pytest.mark.parametrize("value", [None, [], [1], "text", 7])
def test_what_is_no_object_is_an_empty_one(value: Any) -> None:
    assert values.mapping(value) == {}
    assert values.mapping({"a": value}) == {"a": value}


@pytest.mark.parametrize(
    ("value", "objects"), [([{"a": 1}, None, "x", [], {}], [{"a": 1}, {}]), ({"a": 1}, []), (7, [])]
)
def test_of_a_list_the_objects_are_taken(value: Any, objects: list[Any]) -> None:
    assert values.maps(value) == objects


class TestTopics:
    def test_each_once_with_its_highest_score(self) -> None:
        scored = [("a", 0.2), ("b", None), ("a", 1), (None, 1), ("a", 0.5), ("b", None)]
        assert values.best_topics(scored) == [Topic("a", 1), Topic("b")]


class TestUtterances:
    def test_confidence_and_sentiment_are_means(self) -> None:
        words = [Word("So", 0, 100, "A", 0.5, 1), Word("it", 110, 200, "A", None, 0.5), Word("is", 210, 300, "A", 1)]
        assert values.utterances_of(words) == [Utterance("So it is", "A", 0, 300, sentiment=0.75, confidence=0.75)]

    @pytest.mark.parametrize(
        ("words", "texts"),
        [
            ([], []),
            ([Word("So", 0, 100, "A"), Word("it", 100, 200, "A")], ["So it"]),
            ([Word("So", 0, 100, "A"), Word("it", 100, 200, "B")], ["So", "it"]),
            ([Word("So", 0, 100, "A"), Word("it", 100, 200)], ["So", "it"]),
            *([[Word(f"So{mark}", 0, 100), Word("it", 100, 200)], [f"So{mark}", "it"]] for mark in ".?!。？！…"),
            ([Word("So,", 0, 100), Word("it", 100, 200)], ["So, it"]),
            ([Word("So", 0, 100), Word("it", 1600, 1700)], ["So it"]),
            ([Word("So", 0, 100), Word("it", 1601, 1700)], ["So", "it"]),
            ([Word("So", 0, None), Word("it", 9000, 9100)], ["So it"]),
            ([Word("So", 0, 100), Word("it", None, 9100)], ["So it"]),
        ],
    )
    def test_an_utterance_ends_with_a_sentence_a_speaker_or_a_pause(self, words: list[Word], texts: list[str]) -> None:
        assert [utterance.text for utterance in values.utterances_of(words)] == texts


class TestWithSentiment:
    def test_spans_count_by_the_time_they_share(self) -> None:
        utterances = [Utterance("a", "A", 0, 1000), Utterance("b", "B", 500, 1500), Utterance("c", "A")]
        spans = [ScoredSpan(500, 1500, "B", -1), ScoredSpan(0, 900, "A", 1), ScoredSpan(900, 1000, None, 0)]
        scored = values.with_sentiment(utterances, spans)
        assert [utterance.sentiment for utterance in scored] == [0.9, -0.909, None]

    def test_a_long_span_that_began_much_earlier_counts(self) -> None:
        spans = [
            ScoredSpan(9_900, 11_000, None, 0),
            ScoredSpan(20_000, 21_000, None, 0),
            ScoredSpan(0, 9_500, None, 1),
        ]
        (scored,) = values.with_sentiment([Utterance("a", "A", 9_000, 10_000)], spans)
        assert scored.sentiment == 0.833

    def test_an_utterance_without_an_end_keeps_its_own(self) -> None:
        spoken = Utterance("a", "A", 0, None, sentiment=0.25)
        assert values.with_sentiment([spoken], [ScoredSpan(0, 1000, "A", 1)]) == [spoken]

    def test_without_a_span_the_own_sentiment_stays(self) -> None:
        spoken = Utterance("a", "A", 0, 1000, sentiment=0.25)
        assert values.with_sentiment([spoken], [ScoredSpan(1000, 2000, "A", 1)]) == [spoken]
        assert values.with_sentiment([spoken], [ScoredSpan(-1000, 0, "A", 1)]) == [spoken]
