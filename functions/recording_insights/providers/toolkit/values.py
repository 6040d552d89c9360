"""Vendors' times, scores and words made ours: whole ms, sentiment from -1 to 1, utterances."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from recording_insights.model.insights import Topic, Utterance

_SENTENCE_END = (".", "?", "!", "。", "？", "！", "…")
_PAUSE_MS = 1500
"""Silence after which the same speaker's words begin a new utterance."""


def whole(value: Any) -> int | None:
    """The nearest whole number of a number or of a text that is one; None for anything else."""
    number = exact(value)
    return None if number is None else round(number)


def ms_of_seconds(value: Any) -> int | None:
    """Whole ms of seconds, given as a number or a text."""
    number = exact(value)
    return None if number is None else round(number * 1000)


def ms_between(start: Any, moment: Any) -> int | None:
    """Whole ms from one ISO 8601 moment to another."""
    try:
        return round((datetime.fromisoformat(moment) - datetime.fromisoformat(start)).total_seconds() * 1000)
    except (TypeError, ValueError):
        return None


def sentiment(value: Any) -> Decimal | None:
    """A score within -1…1: a number cut to it, or a word such as "Very Negative"; None for anything else."""
    number = exact(value)
    if number is not None:
        return max(Decimal(-1), min(Decimal(1), number))
    words = {"positive": Decimal(1), "neutral": Decimal(0), "negative": Decimal(-1)}
    return words.get(str(value).lower().rpartition(" ")[2]) if value else None


def exact(value: Any) -> Decimal | None:
    """The number that a value is or spells; None for anything else, NaN and infinity included."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def optional_text(value: Any) -> str | None:
    """The text of a value; None if it is empty."""
    return str(value) if value not in (None, "") else None


def mapping(value: Any) -> dict[str, Any]:
    """The object; an empty one for whatever else stands where the contract promises an object."""
    return value if isinstance(value, dict) else {}


def maps(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing for whatever else stands where the contract promises a list of objects."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def best_topics(told: Iterable[tuple[str | None, Decimal | None]]) -> list[Topic]:
    """Each topic once, in order, with the highest score that it was told with."""
    best: dict[str, Decimal | None] = {}
    for text, score in told:
        if text:
            best[text] = max((known for known in (best.get(text), score) if known is not None), default=None)
    return [Topic(text, score) for text, score in best.items()]


@dataclass(frozen=True)
class Word:
    """One word, its punctuation included."""

    text: str
    start_ms: int | None
    end_ms: int | None
    speaker: str | None = None
    confidence: Decimal | None = None
    sentiment: Decimal | None = None


def utterances_of(words: Iterable[Word]) -> list[Utterance]:
    """Words in order, joined to utterances: one ends with the sentence, with the speaker, or before a long pause.

    Confidence and sentiment of an utterance are the means of its words', three decimals.
    """
    groups: list[list[Word]] = []
    for word in words:
        last = groups[-1][-1] if groups else None
        if last is None or word.speaker != last.speaker or last.text.endswith(_SENTENCE_END) or _pause(last, word):
            groups.append([])
        groups[-1].append(word)
    return [_utterance(group) for group in groups]


def _pause(before: Word, after: Word) -> bool:
    return before.end_ms is not None and after.start_ms is not None and after.start_ms - before.end_ms > _PAUSE_MS


def _utterance(words: list[Word]) -> Utterance:
    return Utterance(
        text=" ".join(word.text for word in words),
        speaker=words[0].speaker,
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        sentiment=_mean(word.sentiment for word in words),
        confidence=_mean(word.confidence for word in words),
    )


def _mean(numbers: Iterable[Decimal | None]) -> Decimal | None:
    known = [number for number in numbers if number is not None]
    return (sum(known, Decimal(0)) / len(known)).quantize(Decimal("0.001")) if known else None


@dataclass(frozen=True)
class Scored:
    """A stretch of the conversation, by one speaker if that is known, and its sentiment."""

    start_ms: int
    end_ms: int
    speaker: str | None
    sentiment: Decimal


def with_sentiment(utterances: Sequence[Utterance], stretches: Sequence[Scored]) -> list[Utterance]:
    """Utterances with the sentiment of the stretches within, weighted by the time that they share.

    Both are in the order of time, but for speakers who talk over each other: one pass over both.
    """
    ordered = sorted(stretches, key=lambda stretch: stretch.start_ms)
    longest = max((stretch.end_ms - stretch.start_ms for stretch in ordered), default=0)
    starts = [stretch.start_ms for stretch in ordered]
    scored = []
    for utterance in utterances:
        start, end = utterance.start_ms, utterance.end_ms
        if start is None or end is None:
            scored.append(utterance)
            continue
        near = ordered[bisect_left(starts, start - longest) : bisect_left(starts, end)]
        shares = [
            (min(end, stretch.end_ms) - max(start, stretch.start_ms), stretch.sentiment)
            for stretch in near
            if None in (utterance.speaker, stretch.speaker) or utterance.speaker == stretch.speaker
        ]
        weight = sum(share for share, _ in shares if share > 0)
        total = sum((share * score for share, score in shares if share > 0), Decimal(0))
        mean = (total / weight).quantize(Decimal("0.001")) if weight else utterance.sentiment
        scored.append(replace(utterance, sentiment=mean))
    return scored
