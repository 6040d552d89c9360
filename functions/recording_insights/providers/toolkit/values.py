"""Values of vendors in our units: whole ms, sentiment from -1 to 1, words joined to utterances."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from recording_insights.model import insights as model
from recording_insights.model.insights import Entity, Number, Topic, Utterance, weighted_mean

NO_REASON = "no reason given"
"""The reason of a failure for which the vendor gives none."""

_SENTENCE_END = (".", "?", "!", "。", "？", "！", "…")
_PAUSE_MS = 1500
"""Silence after which the same speaker's words begin a new utterance."""
_LARGEST = 2**53
"""Up to here a float is exact to a whole number. No time, score or count is larger, and none may overflow a mean."""


def number(value: Any) -> Number | None:
    """Return the number that a value is or spells; None for anything else, such as NaN, infinity and booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value) if isinstance(value, str) else value
    except ValueError:
        return None
    # False for NaN as well.
    return found if abs(found) <= _LARGEST else None


def whole(value: Any) -> int | None:
    """Return the whole number nearest to a number or to a text that spells one; None for anything else."""
    found = number(value)
    return None if found is None else round(found)


def ms_of_seconds(value: Any) -> int | None:
    """Return seconds, given as a number or a text, in whole ms; None for anything else."""
    seconds = number(value)
    return None if seconds is None else round(seconds * 1000)


def ms_between(start: Any, moment: Any) -> int | None:
    """Return the whole ms from one ISO 8601 moment to another; None if either is none."""
    try:
        return round((datetime.fromisoformat(moment) - datetime.fromisoformat(start)).total_seconds() * 1000)
    except (TypeError, ValueError):
        return None


def sentiment(value: Any) -> Number | None:
    """Return a sentiment from -1 to 1, of a number, which is clipped, or of a text such as "Very Negative"."""
    score = number(value)
    if score is not None:
        return max(-1, min(1, score))
    scores = {"positive": 1, "neutral": 0, "negative": -1}
    return scores.get(str(value).lower().rpartition(" ")[2]) if value else None


def mean(numbers: Iterable[Number | None]) -> float | None:
    """Return the mean of the known numbers, rounded to three decimals; None if there are none."""
    return weighted_mean([(1, found) for found in numbers if found is not None], places=3)


def optional_text(value: Any) -> str | None:
    """Return a text, or a number as a text; None for an empty text, and for what is neither: its repr is no text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def mapping(value: Any) -> dict[str, Any]:
    """Return the object that the vendor's API promises here; an empty one if the value is none."""
    return value if isinstance(value, dict) else {}


def maps(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list that the vendor's API promises here; an empty list if the value is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def best_topics(scored: Iterable[tuple[str | None, Number | None]]) -> list[Topic]:
    """Return each topic once, in the order given, with the highest of its scores."""
    best: dict[str, Number | None] = {}
    for text, score in scored:
        if text:
            best[text] = max((known for known in (best.get(text), score) if known is not None), default=None)
    return [Topic(text, score) for text, score in best.items()]


def entity(
    text: Any, kind: Any, start_ms: int | None = None, end_ms: int | None = None, confidence: Any = None
) -> Entity | None:
    """Return an entity whose kind is the vendor's word as ours are written; None without a text or a kind."""
    said = (optional_text(text) or "").strip()
    ours = re.sub(r"\W+", "_", (optional_text(kind) or "").lower()).strip("_")
    return Entity(said, ours, start_ms, end_ms, number(confidence)) if said and ours else None


@dataclass(frozen=True)
class Word:
    """One spoken word with its punctuation, and with what is known of its utterance."""

    text: str
    start_ms: int | None
    end_ms: int | None
    speaker: str | None = None
    confidence: Number | None = None
    sentiment: Number | None = None

    @property
    def timed(self) -> model.Word:
        """The word as insights have it."""
        return model.Word(self.text, self.start_ms, self.end_ms, self.confidence)


def utterances_of(words: Iterable[Word]) -> list[Utterance]:
    """Join words, given in order, to utterances. One ends with a sentence, with the speaker, or before a long pause.

    Confidence and sentiment of an utterance are the means of its words, rounded to three decimals.
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
        sentiment=mean(word.sentiment for word in words),
        confidence=mean(word.confidence for word in words),
        words=timed_words(word.timed for word in words),
    )


def timed_words(words: Iterable[model.Word]) -> Sequence[model.Word]:
    """Return the words of an utterance; none if a word has no start, so that all or none of them can be placed."""
    found = list(words)
    return found if all(word.start_ms is not None for word in found) else ()


@dataclass(frozen=True)
class ScoredSpan:
    """A span of the conversation with its sentiment; `speaker` is None if the vendor does not name one."""

    start_ms: int
    end_ms: int
    speaker: str | None
    sentiment: Number


def with_sentiment(utterances: Sequence[Utterance], spans: Sequence[ScoredSpan]) -> list[Utterance]:
    """Give each utterance the mean sentiment of the spans that overlap it, weighted by the shared time.

    Speakers may overlap each other, so neither sequence needs to be in order. Spans of another speaker do not count.
    An utterance without times, or without a span, keeps its own sentiment.
    """
    ordered = sorted(spans, key=lambda span: span.start_ms)
    starts = [span.start_ms for span in ordered]
    longest = max((span.end_ms - span.start_ms for span in ordered), default=0)
    scored = []
    for utterance in utterances:
        start, end = utterance.start_ms, utterance.end_ms
        if start is not None and end is not None:
            # Only these can overlap; to compare with all would take the square of the length of a talk.
            near = ordered[bisect_left(starts, start - longest) : bisect_left(starts, end)]
            utterance = replace(utterance, sentiment=_shared_sentiment(utterance, start, end, near))
        scored.append(utterance)
    return scored


def _shared_sentiment(utterance: Utterance, start: int, end: int, spans: Iterable[ScoredSpan]) -> Number | None:
    shares = [
        (min(end, span.end_ms) - max(start, span.start_ms), span.sentiment)
        for span in spans
        if None in (utterance.speaker, span.speaker) or utterance.speaker == span.speaker
    ]
    shares = [(share, score) for share, score in shares if share > 0]
    return weighted_mean(shares, places=3) if shares else utterance.sentiment
