"""Results of AssemblyAI's features, under their names in the transcript resource."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sandbox.stand_ins.hearing.language import entities_in, keywords_in, punctuated, sentiment_of, topics_of
from sandbox.stand_ins.hearing.speech import Utterance

Utterances = Sequence[Utterance]
_ENTITY_TYPES = {"date": "date", "number": "number_sequence", "person": "person_name"}


def results(said: Utterances, requested: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of the requested features. `requested` has the fields of the request."""
    has_speakers = requested.get("speaker_labels") is True
    labels = _labels(said)
    sentences = [_sentence(u, labels[u.speaker] if has_speakers else None) for u in said]
    words = [word for sentence in sentences for word in sentence["words"]]
    found: dict[str, Any] = {
        "text": _text(sentences),
        "words": words,
        "utterances": _turns(sentences) if has_speakers else None,
        "confidence": _mean(words),
        "audio_duration": round(said[-1].end_ms / 1000) if said else 0,
        "language_code": requested.get("language_code", "en" if requested.get("language_detection") else "en_us"),
    }
    if requested.get("sentiment_analysis"):
        found["sentiment_analysis_results"] = [_sentiment(sentence) for sentence in sentences]
    if requested.get("iab_categories"):
        found["iab_categories_result"] = _categories(sentences)
    if requested.get("auto_highlights"):
        found["auto_highlights_result"] = _highlights(sentences)
    if requested.get("entity_detection"):
        found["entities"] = [entity for sentence in sentences for entity in _entities(sentence)]
    return found


def _labels(said: Utterances) -> dict[str, str]:
    """Letters for the voices, in order of appearance."""
    voices = list(dict.fromkeys(u.speaker for u in said))
    return {voice: chr(ord("A") + i % 26) for i, voice in enumerate(voices)}


def _turns(sentences: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turns. One ends with the speaker only, whatever pause or end of a sentence is in it."""
    turns = []
    for speaker, group in groupby(sentences, key=lambda sentence: sentence["speaker"]):
        same = list(group)
        words = [word for sentence in same for word in sentence["words"]]
        span = {"start": same[0]["start"], "end": same[-1]["end"]}
        turns.append({"text": _text(same), **span, "confidence": _mean(words), "speaker": speaker, "words": words})
    return turns


def _text(sentences: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(sentence["text"] for sentence in sentences)


def _sentence(utterance: Utterance, speaker: str | None) -> dict[str, Any]:
    """A sentence. Each word gets a share of its time by its length."""
    text = punctuated(utterance.text)
    tokens = text.split()
    letters = sum(len(token) for token in tokens)
    start, length = utterance.start_ms, utterance.end_ms - utterance.start_ms
    words, before = [], 0
    for token in tokens:
        span = {"start": round(start + length * before / letters)}
        before += len(token)
        span["end"] = round(start + length * before / letters)
        # The engine returns no confidence: long words get a higher one than short words.
        words.append({"text": token, **span, "confidence": round(1 - 0.5 / (1 + len(token)), 3), "speaker": speaker})
    return {
        "text": text,
        "start": round(start),
        "end": round(utterance.end_ms),
        "confidence": _mean(words),
        "speaker": speaker,
        "words": words,
    }


def _mean(words: Sequence[Mapping[str, Any]]) -> float | None:
    return round(sum(word["confidence"] for word in words) / len(words), 3) if words else None


def _span(sentence: Mapping[str, Any]) -> dict[str, int]:
    return {"start": sentence["start"], "end": sentence["end"]}


def _sentiment(sentence: Mapping[str, Any]) -> dict[str, Any]:
    score = sentiment_of(sentence["text"])
    if abs(score) < 0.05:
        word, confidence = "NEUTRAL", 1 - abs(score)
    else:
        word, confidence = ("POSITIVE" if score > 0 else "NEGATIVE"), abs(score)
    return {
        "text": sentence["text"],
        **_span(sentence),
        "sentiment": word,
        "confidence": round(confidence, 3),
        "speaker": sentence["speaker"],
    }


def _entities(sentence: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for named in entities_in(sentence["text"]):
        words = sentence["words"][named.first : named.first + named.words]
        span = {"start": words[0]["start"], "end": words[-1]["end"]}
        yield {"entity_type": _ENTITY_TYPES[named.kind], "text": named.text, **span}


def _categories(sentences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Topics: the most frequent words. This stand-in does not have the taxonomy of the IAB."""
    counts = Counter(word for sentence in sentences for word in keywords_in(sentence["text"]))
    topics = topics_of(sentence["text"] for sentence in sentences)
    most = max((counts[topic] for topic in topics), default=1)
    summary = {topic.capitalize(): round(counts[topic] / most, 3) for topic in topics}
    tagged = [
        (sentence, [topic for topic in topics if topic in keywords_in(sentence["text"])]) for sentence in sentences
    ]
    return {
        "status": "success",
        "results": [
            {
                "text": sentence["text"],
                "labels": [{"relevance": summary[topic.capitalize()], "label": topic.capitalize()} for topic in found],
                "timestamp": _span(sentence),
            }
            for sentence, found in tagged
            if found
        ],
        "summary": summary,
    }


def _highlights(sentences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    where: dict[str, list[dict[str, int]]] = {}
    for sentence in sentences:
        for word in keywords_in(sentence["text"]):
            where.setdefault(word, []).append(_span(sentence))
    most = max((len(spans) for spans in where.values()), default=1)
    phrases = sorted(where.items(), key=lambda found: len(found[1]), reverse=True)[:15]
    return {
        "status": "success",
        "results": [
            {"count": len(spans), "rank": round(len(spans) / most, 2), "text": word, "timestamps": spans}
            for word, spans in phrases
        ],
    }
