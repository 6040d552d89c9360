"""Transcript resources of AssemblyAI in the normalised shape."""

from collections.abc import Mapping
from typing import Any

from recording_insights.model.insights import Insights, Utterance, mean_sentiment
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.json import parse_json

_RESULTS = {
    "sentiment_analysis": "sentiment_analysis_results",
    "entity_detection": "entities",
    "iab_categories": "iab_categories_result",
    "auto_highlights": "auto_highlights_result",
}
"""The field of the result of each feature."""


def read_insights(reply: bytes) -> Insights:
    """Read a transcript resource; its entities have no place in the normalised shape and stay in the reply."""
    data = parse_json(reply)
    if not isinstance(data, dict) or not has_transcript(data):
        raise LookupError("the reply has no transcript")
    transcript = values.with_sentiment(_utterances(data), _sentences(data))
    categories = values.mapping(values.mapping(data.get("iab_categories_result")).get("summary"))
    highlights = values.maps(values.mapping(data.get("auto_highlights_result")).get("results"))
    topics = [*categories.items(), *((phrase.get("text"), phrase.get("rank")) for phrase in highlights)]
    return Insights(
        transcript=transcript,
        summary=values.optional_text(data.get("summary")),
        topics=values.best_topics((values.optional_text(text), values.number(score)) for text, score in topics),
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
    language, _, region = str(code or "").partition("_")
    if not region:
        return language or None
    return f"{language}-{'GB' if region == 'uk' else region.upper()}"


def _utterances(data: Mapping[str, Any]) -> list[Utterance]:
    """Read the turns. Without speaker labels there are none: then the words are joined, or the bare text is used."""
    turns = [Utterance(**turn) for turn in _spoken_fields(data.get("utterances"))]
    if turns:
        return turns
    utterances = values.utterances_of(values.Word(**word) for word in _spoken_fields(data.get("words")))
    text = values.optional_text(data.get("text"))
    return utterances or ([Utterance(text)] if text else [])


def _spoken_fields(entries: Any) -> list[dict[str, Any]]:
    """Read turns or words: the fields that `Utterance` and `Word` have in common."""
    return [
        {
            "text": str(entry["text"]),
            "speaker": values.optional_text(entry.get("speaker")),
            "start_ms": values.whole(entry.get("start")),
            "end_ms": values.whole(entry.get("end")),
            "confidence": values.number(entry.get("confidence")),
        }
        for entry in values.maps(entries)
        if entry.get("text")
    ]


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
