"""Results and errors of Deepgram: the result in the normalised shape, errors as code and text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recording_insights.model.insights import Entity, Insights, Number, Utterance, mean_sentiment
from recording_insights.providers.toolkit.json import parse_object, promised_list, promised_object
from recording_insights.providers.toolkit.values import (
    NO_REASON,
    Word,
    best_topics,
    entity,
    mapping,
    maps,
    ms_of_seconds,
    number,
    optional_text,
    sentiment,
    utterances_of,
    whole,
)
from recording_insights.redaction import vendor_message

_CODES = ("err_code", "error_code", "category")  # `error_code` occurs in one sample only
_MESSAGES = ("err_msg", "message", "details")
_REDACTED = re.compile(r"\[[A-Z_]+_[0-9]+\]")
"""What stands in place of redacted words. Source: https://developers.deepgram.com/docs/redaction"""


def read_insights(reply: bytes) -> Insights:
    """Read a result. Intents stay in the reply: an intent is a verb without an owner, not an action item.

    Raises:
        ValueError: the reply contains no transcript; the text names the field.
    """
    result = parse_object(reply)
    results = promised_object(result, "results")
    # There is one channel, because we never order more.
    channel = _first_of(results, "channels")
    spoken = None if channel is None else _first_of(channel, "alternatives")
    if spoken is not None and not spoken.keys() & {"words", "transcript"}:
        raise ValueError("its field alternatives has neither words nor transcript")
    sentiments, summary = mapping(results.get("sentiments")), mapping(results.get("summary"))
    transcript = _transcript(mapping(spoken), maps(sentiments.get("segments")))
    average = sentiment(mapping(sentiments.get("average")).get("sentiment_score"))
    return Insights(
        transcript=transcript,
        summary=None if summary.get("result") == "failure" else optional_text(summary.get("short")),
        topics=best_topics(
            (optional_text(topic.get("topic")), number(topic.get("confidence_score")))
            for segment in maps(mapping(results.get("topics")).get("segments"))
            for topic in maps(segment.get("topics"))
        ),
        entities=list(_entities(mapping(spoken))),
        sentiment=mean_sentiment(transcript) if average is None else average,
        language=_language(mapping(channel), mapping(spoken)),
        missing=missing_features(result),
    )


def missing_features(result: Mapping[str, Any]) -> list[str]:
    """Return the features that were ordered but not delivered, each with Deepgram's reason.

    The vendor's samples do not agree where the `warnings` are: both places are read.
    """
    warnings = maps(result.get("warnings")) + maps(mapping(result.get("metadata")).get("warnings"))
    summary = mapping(mapping(result.get("results")).get("summary"))
    if summary.get("result") == "failure":
        warnings.append({"parameter": "summarize", "message": summary.get("short")})
    reasons: dict[str, str] = {}
    for warning in warnings:
        reason = str(warning.get("message") or warning.get("type") or NO_REASON)
        reasons.setdefault(str(warning.get("parameter", "?")), vendor_message(reason))
    return [f"{name}: {reason}" for name, reason in reasons.items()]


def error_in(body: Any) -> tuple[str, str]:
    """Return code and text of the error that a response or a delivery contains; both are empty for a result.

    An error has one of three forms: {err_code, err_msg}, {category, message, details}, or plain text.
    """
    if not isinstance(body, dict):
        return "", vendor_message(body if isinstance(body, str) else "") or "an answer that is no object"
    if isinstance(body.get("results"), dict):
        return "", ""
    code = next((str(body[name]) for name in _CODES if body.get(name)), "")
    message = " ".join(str(body[name]) for name in _MESSAGES if body.get(name))
    return vendor_message(code), vendor_message(": ".join(part for part in (code, message) if part))


def _first_of(parent: Mapping[str, Any], field: str) -> dict[str, Any] | None:
    """Return the first object of the list in a field; None if it is empty, as for media in which nobody speaks.

    Raises:
        ValueError: the field is absent, or no list of objects.
    """
    entries = promised_list(parent, field)
    if not all(isinstance(entry, dict) for entry in entries[:1]):
        raise ValueError(f"its field {field} holds no objects")
    return dict(entries[0]) if entries else None


def _language(channel: Mapping[str, Any], spoken: Mapping[str, Any]) -> str | None:
    """Return the detected language. A model of several languages names them in the alternative, the main one first."""
    languages = spoken.get("languages")
    main = languages[0] if isinstance(languages, list) and languages else None
    return optional_text(channel.get("detected_language") or main)


def _transcript(spoken: Mapping[str, Any], sentiments: Sequence[Mapping[str, Any]]) -> list[Utterance]:
    entries = _entries(spoken)
    words = [
        word
        for entry, score in zip(entries, _word_sentiments(entries, sentiments), strict=True)
        if (word := _word(mapping(entry), score))
    ]
    whole_text = optional_text(spoken.get("transcript"))
    if not words and whole_text:
        return [Utterance(whole_text, confidence=number(spoken.get("confidence")))]
    return utterances_of(words)


def _entries(spoken: Mapping[str, Any]) -> list[Any]:
    """Return the words, also those that say nothing: others are named by their places among all."""
    return spoken["words"] if isinstance(spoken.get("words"), list) else []


def _entities(spoken: Mapping[str, Any]) -> Iterator[Entity]:
    """Yield the entities, with the times of their words.

    A transcript in which something is redacted has none: no page says whether their values are redacted, too.
    """
    words = [mapping(word) for word in _entries(spoken)]
    if any(_REDACTED.search(str(word.get("punctuated_word") or word.get("word"))) for word in words):
        return
    for entry in maps(spoken.get("entities")):
        text = optional_text(entry.get("value")) or optional_text(entry.get("raw_value")) or ""
        of_first, of_last = _first_and_last(entry, text, words)
        span = ms_of_seconds(of_first.get("start")), ms_of_seconds(of_last.get("end"))
        if found := entity(text, entry.get("label"), *span, entry.get("confidence")):
            yield found


def _first_and_last(
    entry: Mapping[str, Any], text: str, words: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the first and the last word of an entity; empty ones if it names none that there are.

    The vendor's page calls `end_word` the last word, but its sample has the word after it. It is taken for the last one
    only if the text has more words than lie before it.

    Source: https://developers.deepgram.com/docs/detect-entities
    """
    first, end = whole(entry.get("start_word")), whole(entry.get("end_word"))
    if first is None or end is None or not 0 <= first <= end:
        return {}, {}
    last = end if len(text.split()) > end - first else end - 1
    return (words[first], words[last]) if first <= last < len(words) else ({}, {})


def _word(entry: Mapping[str, Any], score: Number | None) -> Word | None:
    text = optional_text(entry.get("punctuated_word") or entry.get("word"))
    if not text:
        return None
    return Word(
        text=text,
        start_ms=ms_of_seconds(entry.get("start")),
        end_ms=ms_of_seconds(entry.get("end")),
        speaker=optional_text(entry.get("speaker")),
        confidence=number(entry.get("confidence")),
        sentiment=score,
    )


def _word_sentiments(words: Sequence[Any], segments: Sequence[Mapping[str, Any]]) -> list[Number | None]:
    """Return the sentiment of each word: that of its segment, or its own.

    A segment names its first and its last word by their indices.
    """
    scores = [sentiment(mapping(word).get("sentiment_score")) for word in words]
    for segment in segments:
        score = sentiment(segment.get("sentiment_score"))
        first, last = whole(segment.get("start_word")), whole(segment.get("end_word"))
        if score is not None and first is not None and last is not None:
            for index in range(max(first, 0), min(last + 1, len(scores))):
                scores[index] = score
    return scores
