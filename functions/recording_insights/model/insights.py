"""The normalised insights: one shape whatever the provider.

Times are whole milliseconds from the start of the media object. Sentiment is one scale from -1 (negative) to 1
(positive). What a provider has no word for is None here and absent from items and answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Self

Number = Decimal | int


@dataclass(frozen=True)
class _Part:
    """Anything that lies in the table as one map: turned into one and read back without a field list."""

    def to_map(self) -> dict[str, Any]:
        """A map of the fields that have a value."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in pairs if value is not None}

    @classmethod
    def from_map(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_map`."""
        names = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


@dataclass(frozen=True)
class Utterance(_Part):
    """One speaker's words in one go. `speaker` is the provider's label."""

    text: str
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    sentiment: Number | None = None
    confidence: Number | None = None


@dataclass(frozen=True)
class Topic(_Part):
    """What the conversation was about; `score` 0…1."""

    text: str
    score: Number | None = None


@dataclass(frozen=True)
class ActionItem(_Part):
    """Something somebody is to do; also used for follow-ups."""

    text: str
    assignee: str | None = None
    due: str | None = None
    priority: str | None = None


@dataclass(frozen=True)
class Question(_Part):
    """A question that was asked, with the answer it got."""

    text: str
    answer: str | None = None


@dataclass(frozen=True)
class Emotion(_Part):
    """An emotion heard or read in a stretch of the conversation; `confidence` 0…1."""

    emotion: str
    tone: str | None = None
    confidence: Number | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True)
class Insights:
    """All that a provider found in one media object.

    `ratings` are named scores as the provider words them; `missing` names what was asked for and not delivered,
    with the provider's reason: a partial result is kept.
    """

    transcript: Sequence[Utterance] = ()
    summary: str | None = None
    topics: Sequence[Topic] = ()
    action_items: Sequence[ActionItem] = ()
    follow_ups: Sequence[ActionItem] = ()
    questions: Sequence[Question] = ()
    emotions: Sequence[Emotion] = ()
    sentiment: Number | None = None
    ratings: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[str] = ()


LISTS: Mapping[str, type[_Part]] = {
    "topics": Topic,
    "action_items": ActionItem,
    "follow_ups": ActionItem,
    "questions": Question,
    "emotions": Emotion,
}
"""The lists of `Insights` that are stored as one item per entry."""


def mean_sentiment(utterances: Sequence[Utterance]) -> Decimal | None:
    """The sentiment of the whole: each utterance weighted by the length of its text, two decimals."""
    scored = [(len(u.text), Decimal(u.sentiment)) for u in utterances if u.sentiment is not None and u.text]
    if not scored:
        return None
    total = sum(weight for weight, _ in scored)
    return (sum(weight * score for weight, score in scored) / Decimal(total)).quantize(Decimal("0.01"))
