"""The normalised insights of a media object, in the same shape for every provider.

Times are whole milliseconds from the start of the media object. Sentiment is a number from -1 (negative) to 1
(positive). A value that the provider does not give is None here, and absent from items and from the API's answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Self, TypeVar

Number = float | int


@dataclass(frozen=True)
class _Part:
    """A value that the table stores as one map, with the names of its fields as keys."""

    def to_map(self) -> dict[str, Any]:
        """Return a map of the fields that have a value."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self) if _IS_BESIDE not in f.metadata)
        return {name: value for name, value in pairs if value is not None}

    @classmethod
    def from_map(cls, values: Mapping[str, Any]) -> Self:
        """Read a map of `to_map`; other keys are ignored."""
        names = {f.name for f in fields(cls) if _IS_BESIDE not in f.metadata}
        return cls(**{name: value for name, value in values.items() if name in names})


_IS_BESIDE = "is beside"
"""Marks a field that is no part of the map."""


@dataclass(frozen=True)
class Word(_Part):
    """One spoken word with its punctuation; `confidence` 0…1."""

    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    confidence: Number | None = None


@dataclass(frozen=True)
class Utterance(_Part):
    """Words that one speaker says without a break. `speaker` is the provider's label, `confidence` 0…1.

    `words` are there if the provider gives their times. `number` is the place of the line in the stored transcript of
    its media object, from 1; 0 before it is stored. Neither is a part of the map.
    """

    text: str
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    sentiment: Number | None = None
    confidence: Number | None = None
    words: Sequence[Word] = field(default=(), compare=False, metadata={_IS_BESIDE: True})
    number: int = field(default=0, compare=False, metadata={_IS_BESIDE: True})


@dataclass(frozen=True)
class Topic(_Part):
    """A subject of the conversation; `score` 0…1."""

    text: str
    score: Number | None = None


@dataclass(frozen=True)
class ActionItem(_Part):
    """A task that somebody takes on; also the shape of a follow-up."""

    text: str
    assignee: str | None = None
    due: str | None = None
    priority: str | None = None


@dataclass(frozen=True)
class Question(_Part):
    """A question in the conversation, with its answer."""

    text: str
    answer: str | None = None


@dataclass(frozen=True)
class Emotion(_Part):
    """An emotion in a span of the conversation; `confidence` 0…1."""

    emotion: str
    tone: str | None = None
    confidence: Number | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True)
class Entity(_Part):
    """A name, a date, a place or another particular thing that was said, once for each time; `confidence` 0…1.

    `kind` is the provider's own word in lower case, with underscores between its words.
    """

    text: str
    kind: str
    start_ms: int | None = None
    end_ms: int | None = None
    confidence: Number | None = None


_Spanned = TypeVar("_Spanned", Utterance, Emotion, Entity, Word)


@dataclass(frozen=True)
class Insights:
    """All that a provider found in one media object.

    `language` is the BCP 47 tag of the spoken language, as the provider detected it or was told. `ratings` maps the
    provider's own names to numbers, texts, or a map of these by speaker. `missing` lists what was ordered but not
    delivered, each with the provider's reason: a partial result is kept.
    """

    transcript: Sequence[Utterance] = ()
    summary: str | None = None
    topics: Sequence[Topic] = ()
    action_items: Sequence[ActionItem] = ()
    follow_ups: Sequence[ActionItem] = ()
    questions: Sequence[Question] = ()
    emotions: Sequence[Emotion] = ()
    entities: Sequence[Entity] = ()
    sentiment: Number | None = None
    language: str | None = None
    ratings: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[str] = ()


LISTS: Mapping[str, type[_Part]] = {
    "topics": Topic,
    "action_items": ActionItem,
    "follow_ups": ActionItem,
    "questions": Question,
    "emotions": Emotion,
    "entities": Entity,
}
"""The lists of `Insights` of which the table stores one item per entry."""

MOST_ENTITIES = 10_000
"""Of one media object: an answer has all of them in each of its pages, and a save writes each as an item."""


def without_impossible_times(insights: Insights) -> Insights:
    """Return the insights with no time before the media object begins, and no end before its own start.

    A negative time becomes 0. An end before its start is left out: it is not known which of the two is wrong.
    """
    return replace(
        insights,
        transcript=[
            replace(_in_order(spoken), words=[_in_order(word) for word in spoken.words])
            for spoken in insights.transcript
        ],
        emotions=[_in_order(emotion) for emotion in insights.emotions],
        entities=[_in_order(entity) for entity in insights.entities],
    )


def with_bounded_entities(insights: Insights) -> Insights:
    """Return the insights with `MOST_ENTITIES` at most. If there are more, `missing` says how many are left out."""
    left_out = len(insights.entities) - MOST_ENTITIES
    if left_out <= 0:
        return insights
    why = f"entities: {left_out} after the first {MOST_ENTITIES} are left out"
    return replace(insights, entities=insights.entities[:MOST_ENTITIES], missing=[*insights.missing, why])


def in_order_of_time(transcript: Sequence[Utterance]) -> Sequence[Utterance]:
    """Return the lines sorted by their start; as they are if the start of one is unknown."""
    if any(spoken.start_ms is None for spoken in transcript):
        return transcript
    return sorted(transcript, key=lambda spoken: spoken.start_ms or 0)


def _in_order(entry: _Spanned) -> _Spanned:
    start, end = (None if time is None else max(time, 0) for time in (entry.start_ms, entry.end_ms))
    if start is not None and end is not None and end < start:
        end = None
    return entry if (start, end) == (entry.start_ms, entry.end_ms) else replace(entry, start_ms=start, end_ms=end)


def mean_sentiment(utterances: Sequence[Utterance]) -> float | None:
    """Return the mean sentiment, weighted by the length of each text and rounded to two decimals; None if unknown."""
    return mean_of_sums([sentiment_sums(utterances)])


def sentiment_sums(utterances: Sequence[Utterance]) -> tuple[int, Decimal]:
    """Return the length of all texts that have a sentiment, and the sum of the sentiments times these lengths."""
    scored = [(len(spoken.text), spoken.sentiment) for spoken in utterances if spoken.sentiment is not None]
    weighted = (weight * Decimal(str(sentiment)) for weight, sentiment in scored)
    return sum(weight for weight, _ in scored), sum(weighted, Decimal(0))


def mean_of_sums(sums: Sequence[tuple[int, Decimal]]) -> float | None:
    """Return the mean sentiment of several `sentiment_sums`, rounded to two decimals; None if unknown."""
    length = sum(weight for weight, _ in sums)
    return _rounded(sum((total for _, total in sums), Decimal(0)) / length, places=2) if length else None


def weighted_mean(weighted: Sequence[tuple[Number, Number]], *, places: int) -> float | None:
    """Return the mean of (weight, number) pairs, rounded half to even; None if the weights sum to 0.

    The sum is computed in decimals, since binary fractions would round some ties the other way.
    """
    exact = [(Decimal(str(weight)), Decimal(str(number))) for weight, number in weighted]
    total = sum((weight for weight, _ in exact), Decimal(0))
    if not total:
        return None
    mean = sum((weight * number for weight, number in exact), Decimal(0)) / total
    return _rounded(mean, places)


def _rounded(mean: Decimal, places: int) -> float:
    return float(mean.quantize(Decimal(1).scaleb(-places)))
