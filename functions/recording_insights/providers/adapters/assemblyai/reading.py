"""Transcript resources of AssemblyAI in the normalised shape."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recording_insights.model.insights import Entity, Insights, Utterance, mean_sentiment
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.json import parse_json

_RESULTS = {
    "sentiment_analysis": "sentiment_analysis_results",
    "entity_detection": "entities",
    "iab_categories": "iab_categories_result",
    "auto_highlights": "auto_highlights_result",
}
"""The field of the result of each feature."""
_LEAST_RELEVANCE = 0.1
"""A category below it is noise: the vendor names each category that it knows, down to a relevance of 0.002."""


def read_insights(reply: bytes) -> Insights:
    """Read a transcript resource."""
    data = parse_json(reply)
    if not isinstance(data, dict) or not has_transcript(data):
        raise LookupError("the reply has no transcript")
    transcript = values.with_sentiment(_utterances(data), _sentences(data))
    categories = _categories(values.mapping(values.mapping(data.get("iab_categories_result")).get("summary")))
    highlights = values.maps(values.mapping(data.get("auto_highlights_result")).get("results"))
    topics = [*categories, *((phrase.get("text"), phrase.get("rank")) for phrase in highlights)]
    return Insights(
        transcript=transcript,
        summary=values.optional_text(data.get("summary")),
        topics=values.best_topics((values.optional_text(text), values.number(score)) for text, score in topics),
        entities=list(_entities(data)),
        sentiment=mean_sentiment(transcript),
        language=_language(data.get("language_code")),
    )


def has_transcript(transcript: Mapping[str, Any]) -> bool:
    """Whether the resource has a text, or says that there is none because nobody speaks."""
    return bool(transcript.keys() & {"utterances", "words", "text"}) or is_silent(transcript)


def is_silent(transcript: Mapping[str, Any]) -> bool:
    """Whether AssemblyAI failed the transcript because nobody speaks in the media."""
    return "no spoken audio" in str(transcript.get("error"))


def missing_features(transcript: Mapping[str, Any]) -> list[str]:
    """Return the features that were ordered but not delivered: "unavailable" or no result, although there is text."""
    if not transcript.get("text"):
        return []
    ordered = {name: transcript.get(field) for name, field in _RESULTS.items() if transcript.get(name) is True}
    return [
        f"{name}: AssemblyAI delivered none (language {transcript.get('language_code')})"
        for name, result in ordered.items()
        if result in (None, {}) or values.mapping(result).get("status") == "unavailable"
    ]


def _language(code: Any) -> str | None:
    """Return the BCP 47 tag of a code such as `en_uk`."""
    language, _, region = (values.optional_text(code) or "").partition("_")
    if not region:
        return language or None
    return f"{language}-{'GB' if region == 'uk' else region.upper()}"


def _categories(summary: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the relevant categories with their relevance, without an ancestor of another one (`a` beside `a>b`)."""
    scored = [(name, score, values.number(score)) for name, score in summary.items()]
    relevant = [(name, score) for name, score, known in scored if known is None or known >= _LEAST_RELEVANCE]
    ancestors = {name[: mark.start()] for name, _ in relevant for mark in re.finditer(">", name)}
    return [(name, score) for name, score in relevant if name not in ancestors]


def _entities(data: Mapping[str, Any]) -> Iterator[Entity]:
    """Yield the entities. A redacted transcript has none: they would show the words that are hidden in its text.

    Source: https://www.assemblyai.com/docs/pre-recorded-audio/redact-pii-from-transcripts
    """
    if data.get("redact_pii") is True:
        return
    for entry in values.maps(data.get("entities")):
        span = values.whole(entry.get("start")), values.whole(entry.get("end"))
        if found := values.entity(entry.get("text"), entry.get("entity_type"), *span):
            yield found


def _utterances(data: Mapping[str, Any]) -> list[Utterance]:
    """Read the turns. Without speaker labels there are none: then the words are joined, or the bare text is used."""
    said = [utterance for turn in _spoken(data.get("utterances")) for utterance in _sentences_of(turn)]
    if said:
        # Turns may overlap.
        has_times = all(utterance.start_ms is not None for utterance in said)
        return sorted(said, key=lambda utterance: utterance.start_ms or 0) if has_times else said
    utterances = values.utterances_of(_words(data.get("words")))
    text = values.optional_text(data.get("text"))
    return utterances or ([Utterance(text)] if text else [])


def _sentences_of(turn: Mapping[str, Any]) -> list[Utterance]:
    """Split a turn at its words into sentences: a turn ends with the speaker only, so a track can be a single turn.

    A turn whose words do not make its text stays whole.
    """
    whole = Utterance(**_spoken_fields(turn))
    words = [replace(word, speaker=whole.speaker) for word in _words(turn.get("words"))]
    if _without_spaces(whole.text) != "".join(_without_spaces(word.text) for word in words):
        return [whole]
    sentences = values.utterances_of(words)
    texts = _cut(whole.text, [len(_without_spaces(sentence.text)) for sentence in sentences])
    return [replace(sentence, text=text) for sentence, text in zip(sentences, texts, strict=True)]


def _cut(text: str, lengths: Sequence[int]) -> Iterator[str]:
    """Yield pieces of a text with these numbers of characters; spaces do not count. Not every script has spaces."""
    ends = [mark.end() for mark in re.finditer(r"\S", text)]
    start = count = 0
    for length in lengths:
        count += length
        yield text[start : ends[count - 1]].strip()
        start = ends[count - 1]


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _words(entries: Any) -> list[values.Word]:
    return [values.Word(**_spoken_fields(entry)) for entry in _spoken(entries)]


def _spoken(entries: Any) -> list[dict[str, Any]]:
    """Return the turns or words that have a text."""
    return [entry for entry in values.maps(entries) if (values.optional_text(entry.get("text")) or "").strip()]


def _spoken_fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields that `Utterance` and `Word` have in common."""
    return {
        "text": str(entry["text"]),
        "speaker": values.optional_text(entry.get("speaker")),
        "start_ms": values.whole(entry.get("start")),
        "end_ms": values.whole(entry.get("end")),
        "confidence": values.number(entry.get("confidence")),
    }


def _sentences(data: Mapping[str, Any]) -> list[values.ScoredSpan]:
    """Read the sentences; a score is the sign of the vendor's word times its confidence, and 0 for NEUTRAL."""
    sentences, last_end = [], 0
    for entry in values.maps(data.get("sentiment_analysis_results")):
        start, end = values.whole(entry.get("start")), values.whole(entry.get("end"))
        sign, confidence = values.sentiment(entry.get("sentiment")), values.sentiment(entry.get("confidence"))
        if end is None or sign is None:
            continue
        if start is None:
            # The vendor has sent null here. A sentence begins where the one before it ends.
            start = last_end
        score = sign if confidence is None else sign * confidence
        sentences.append(values.ScoredSpan(start, end, values.optional_text(entry.get("speaker")), score))
        last_end = end
    return sentences
