"""The normalised insights: maps of their parts, and the mean sentiment."""

from typing import Any

import pytest

from recording_insights.model.insights import (
    MOST_ENTITIES,
    ActionItem,
    Emotion,
    Entity,
    Insights,
    Topic,
    Utterance,
    mean_sentiment,
    weighted_mean,
    with_bounded_entities,
    without_impossible_times,
)


@pytest.mark.parametrize(
    "part",
    [
        Utterance("Hi.", "0", 0, 1000, -0.5, 0.998),
        Utterance(""),
        Topic("tables", 1),
        ActionItem("Send it.", due="Friday"),
        Emotion("joy", confidence=0.0, start_ms=0),
        Entity("Friday", "date", 0, 900, 0.5),
        Entity("Friday", "date"),
    ],
)
def test_a_part_survives_its_map(part: Any) -> None:
    values = part.to_map()

    assert None not in values.values()
    assert type(part).from_map({**values, "unknown": 1}) == part


def test_the_mean_sentiment_is_a_float_of_two_decimals() -> None:
    spoken = [Utterance("four", sentiment=1), Utterance("six words", sentiment=-0.5), Utterance("no score")]

    assert mean_sentiment(spoken) == -0.04
    assert isinstance(mean_sentiment([Utterance("a", sentiment=1)]), float)


@pytest.mark.parametrize("utterances", [[], [Utterance("a")], [Utterance("", sentiment=1)]])
def test_without_a_scored_text_there_is_no_mean(utterances: list[Utterance]) -> None:
    assert mean_sentiment(utterances) is None


def test_a_tie_is_rounded_to_even() -> None:
    """In binary fractions the mean of 0.01 and 0 would be a little more than 0.005."""
    assert weighted_mean([(1, 0.01), (1, 0)], places=2) == 0.0
    assert weighted_mean([(1, 0.03), (1, 0)], places=2) == 0.02
    assert weighted_mean([], places=2) is None


def test_a_time_that_cannot_be_is_left_out() -> None:
    said = [Utterance("a", None, -20, 900), Utterance("b", None, 900, 899), Utterance("c", None, None, -1)]
    right = [Utterance("d", None, 5, 5), Utterance("e", None, 5), Utterance("f", None, None, 7), Utterance("g")]

    found = [Entity("Ann", "name", -5, -3), Entity("Ann", "name", 3, 2)]
    insights = without_impossible_times(
        Insights([*said, *right], emotions=[Emotion("joy", start_ms=3, end_ms=2)], entities=found)
    )

    assert insights.transcript == [
        Utterance("a", None, 0, 900),
        Utterance("b", None, 900),
        Utterance("c", None, None, 0),
        *right,
    ]
    assert insights.emotions == [Emotion("joy", start_ms=3)]
    assert insights.entities == [Entity("Ann", "name", 0, 0), Entity("Ann", "name", 3)]


def test_too_many_entities_are_cut_and_counted() -> None:
    most = [Entity("one", "number", start_ms=n) for n in range(MOST_ENTITIES)]
    whole = Insights(entities=most, missing=("summary: x",))

    assert with_bounded_entities(whole) is whole
    cut = with_bounded_entities(Insights(entities=[*most, *most[:2]], missing=("summary: x",)))
    assert cut.entities == most
    assert cut.missing == ["summary: x", "entities: 2 after the first 10000 are left out"]
