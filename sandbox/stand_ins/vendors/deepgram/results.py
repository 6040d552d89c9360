"""Deepgram's result: words with times in seconds, and its "intelligence", which refers to word indices."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sandbox.stand_ins.hearing.language import (
    action_in,
    entities_in,
    is_day,
    keywords_in,
    punctuated,
    sentiment_of,
    summary_of,
    topics_of,
)
from sandbox.stand_ins.hearing.speech import Utterance
from sandbox.stand_ins.vendors.deepgram.rules import Query

_LEAST_WORDS_SUMMED_UP = 50
_LABELS = {"date": "DATE", "number": "CARDINAL_NUM", "person": "NAME"}
_NO_ENGLISH = "is only supported for English."
_MODEL_UUID = "2187e11a-3532-4498-b076-81fa530bdd49"
_DIARIZER_UUID = "5f2b7c1e-90d4-4a53-8f0c-6b1d2a9e7c34"
_INTELLIGENCE_UUID = "80ab3179-d113-4254-bd6b-4a2f96498695"


@dataclass(frozen=True)
class _Part:
    """An utterance, and the indices of its first and last word among all words."""

    said: Utterance
    text: str
    first: int
    last: int
    words: list[dict[str, Any]]


def result(
    said: Sequence[Utterance], query: Query, *, request_id: str, sha256: str, seconds: float, now: float
) -> dict[str, Any]:
    """Return the complete result. The query decides which parts it has."""
    parts = list(_parts(said, query))
    detected = {"detected_language": "en", "language_confidence": 0.99} if query.language is None else {}
    language = (query.language or "en").partition("-")[0]
    asked = [name for name in _INTELLIGENCE if name in query.on]
    found: dict[str, Any] = {"channels": [{"alternatives": [_alternative(parts, query)], **detected}]}
    if "utterances" in query.on:
        found["utterances"] = [_utterance(part) for part in parts]
    if query.text("summarize") == "v2":
        found["summary"] = {"result": "success", "short": _summary(parts)}
    metadata = {
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration": round(max([seconds, *(u.end_ms / 1000 for u in said)]), 6),
        "channels": 1,
        "models": [_MODEL_UUID],
        "model_info": {
            _MODEL_UUID: {
                "name": f"general-{query.text('model', 'base')}",
                "version": query.text("version", "2026-01-09.0"),
                "arch": query.text("model", "base"),
            }
        },
        **_infos(parts, query, asked if language == "en" else []),
    }
    if language == "en":
        found.update({_INTELLIGENCE[name][0]: _INTELLIGENCE[name][1](parts) for name in asked})
    elif asked:
        metadata["warnings"] = [
            {"parameter": name, "type": "unsupported_language", "message": f"{name.capitalize()} {_NO_ENGLISH}"}
            for name in asked
        ]
    return {"metadata": metadata, "results": found}


def _parts(said: Sequence[Utterance], query: Query) -> Iterator[_Part]:
    speakers: dict[str, int] = {}
    first = 0
    for utterance in _redacted(said) if query.redacts_dates else said:
        text = punctuated(utterance.text) if query.punctuates else utterance.text
        words = list(_words(utterance, text, query, speakers.setdefault(utterance.speaker, len(speakers))))
        yield _Part(utterance, text, first, first + len(words) - 1, words)
        first += len(words)


def _redacted(said: Sequence[Utterance]) -> Iterator[Utterance]:
    """Replace each day by the name of its type and a number, the same for the same day."""
    days: dict[str, int] = {}
    for utterance in said:
        words = [
            f"[DATE_{days.setdefault(word, len(days) + 1)}]" if is_day(word) else word
            for word in utterance.text.split()
        ]
        yield replace(utterance, text=" ".join(words))


def _words(utterance: Utterance, text: str, query: Query, speaker: int) -> Iterator[dict[str, Any]]:
    """Each word gets a share of the utterance's time by its length, and a confidence that grows with it."""
    plain, shown = utterance.text.split(), text.split()
    per_letter = (utterance.end_ms - utterance.start_ms) / sum(len(word) + 1 for word in plain) / 1000
    score = sentiment_of(utterance.text)
    at = utterance.start_ms / 1000
    for word, shown_word in zip(plain, shown, strict=True):
        end = at + per_letter * (len(word) + 1)
        yield {
            "word": word,
            "start": round(at, 7),
            "end": round(end, 7),
            "confidence": round(1 - 0.3 / (1 + len(word)), 7),
            **({"speaker": speaker, "speaker_confidence": 0.8125} if query.diarizes else {}),
            **({"punctuated_word": shown_word} if query.punctuates else {}),
            **(_sentiment(score) if "sentiment" in query.on else {}),
        }
        at = end


def _alternative(parts: Sequence[_Part], query: Query) -> dict[str, Any]:
    words = [word for part in parts for word in part.words]
    transcript = " ".join(part.text for part in parts)
    alternative: dict[str, Any] = {"transcript": transcript, "confidence": _mean_confidence(words), "words": words}
    if query.on & {"smart_format", "paragraphs"}:
        paragraphs = [_paragraph(list(same)) for _, same in groupby(parts, lambda part: part.said.speaker)]
        texts = [" ".join(sentence["text"] for sentence in found["sentences"]) for found in paragraphs]
        alternative["paragraphs"] = {"transcript": "\n\n".join(["", *texts]), "paragraphs": paragraphs}
    if "detect_entities" in query.on:
        alternative["entities"] = list(_entities(parts))
    if query.text("summarize") == "true":
        whole = {"summary": _summary(parts), "start_word": 0, "end_word": len(words)}
        alternative["summaries"] = [whole]
    return alternative


def _paragraph(parts: Sequence[_Part]) -> dict[str, Any]:
    sentences = [{"text": p.text, "start": p.words[0]["start"], "end": p.words[-1]["end"]} for p in parts if p.words]
    return {
        "sentences": sentences,
        **{name: value for name, value in parts[0].words[0].items() if name == "speaker"},
        "num_words": sum(len(part.words) for part in parts),
        "start": sentences[0]["start"],
        "end": sentences[-1]["end"],
    }


def _utterance(part: _Part) -> dict[str, Any]:
    return {
        "start": part.words[0]["start"],
        "end": part.words[-1]["end"],
        "confidence": _mean_confidence(part.words),
        "channel": 0,
        "transcript": part.text,
        "words": part.words,
        **{name: value for name, value in part.words[0].items() if name == "speaker"},
        "id": str(uuid.uuid4()),
    }


def _mean_confidence(words: Sequence[Mapping[str, Any]]) -> float:
    return round(sum(word["confidence"] for word in words) / len(words), 7) if words else 0.0


def _sentiment(score: float) -> dict[str, Any]:
    """Neutral is less than a third on both sides of 0."""
    word = "neutral" if abs(score) < 1 / 3 else "positive" if score > 0 else "negative"
    return {"sentiment": word, "sentiment_score": score}


def _sentiments(parts: Sequence[_Part]) -> dict[str, Any]:
    """Segments that cover the whole transcript, a new one where the sentiment changes."""
    segments = []
    for _, same in groupby(parts, lambda part: _sentiment(sentiment_of(part.said.text))["sentiment"]):
        segments.append(_segment(span := list(same)) | _sentiment(_mean_score(span)))
    return {"segments": segments, "average": _sentiment(_mean_score(parts))}


def _mean_score(parts: Sequence[_Part]) -> float:
    words = sum(len(part.words) for part in parts)
    return sum(sentiment_of(part.said.text) * len(part.words) for part in parts) / words if words else 0.0


def _segment(parts: Sequence[_Part]) -> dict[str, Any]:
    text = " ".join(part.text for part in parts)
    return {"text": text, "start_word": parts[0].first, "end_word": parts[-1].last}


def _topics(parts: Sequence[_Part]) -> dict[str, Any]:
    """The utterances that have topics of the whole conversation."""
    topics = topics_of(part.said.text for part in parts)
    segments = []
    for part in parts:
        words = keywords_in(part.said.text)
        named = [
            {"topic": topic.capitalize(), "confidence_score": round(0.5 + 0.5 / len(words), 7)}
            for topic in topics
            if topic in words
        ]
        if named:
            segments.append({**_segment([part]), "topics": named})
    return {"segments": segments}


def _intents(parts: Sequence[_Part]) -> dict[str, Any]:
    """Promises and requests, as short phrases."""
    segments = []
    for part in parts:
        if action := action_in(part.said.text):
            intent = " ".join(keywords_in(action.text)[:3]).capitalize() or action.text
            segments.append({**_segment([part]), "intents": [{"intent": intent, "confidence_score": 0.75}]})
    return {"segments": segments}


_INTELLIGENCE: Mapping[str, tuple[str, Callable[[Sequence[_Part]], dict[str, Any]]]] = {
    "sentiment": ("sentiments", _sentiments),
    "topics": ("topics", _topics),
    "intents": ("intents", _intents),
}
"""By parameter: the key in the results, and the function that computes it."""


def _entities(parts: Sequence[_Part]) -> Iterator[dict[str, Any]]:
    """Dates, numbers and names. `end_word` is the word after them, and most values begin with a blank.

    Source: the sample at https://developers.deepgram.com/docs/detect-entities
    """
    for part in parts:
        for named in entities_in(part.said.text):
            first = part.first + named.first
            span = {"start_word": first, "end_word": first + named.words}
            yield {"label": _LABELS[named.kind], "value": f" {named.text}", "confidence": 0.9, **span}


def _summary(parts: Sequence[_Part]) -> str:
    """The sentences that sum up the rest. A text of up to 50 words is returned as it is."""
    texts = [part.text for part in parts]
    if sum(len(part.words) for part in parts) <= _LEAST_WORDS_SUMMED_UP:
        return " ".join(texts)
    return " ".join(texts[i] for i in summary_of([part.said.text for part in parts]))


def _infos(parts: Sequence[_Part], query: Query, asked: Sequence[str]) -> dict[str, Any]:
    tokens = sum(len(part.words) for part in parts)
    usage = {"model_uuid": _INTELLIGENCE_UUID, "input_tokens": tokens, "output_tokens": tokens // 4}
    names = [*(["summary"] if query.text("summarize") == "v2" else []), *asked]
    arch = query.text("diarize_model", "v1").replace("latest", "v2")
    pairs = (pair.partition(":") for pair in query.texts.get("extra", []))
    return {
        **({"diarize_info": {"model_uuid": _DIARIZER_UUID, "arch": arch}} if query.diarizes else {}),
        **{f"{name}_info": usage for name in names},
        **({"tags": query.texts["tag"]} if "tag" in query.texts else {}),
        **({"extra": {name: value for name, _, value in pairs}} if "extra" in query.texts else {}),
    }
