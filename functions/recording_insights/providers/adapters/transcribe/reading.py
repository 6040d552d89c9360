"""Transcripts of Amazon Transcribe in the normalised shape.

Source: https://docs.aws.amazon.com/transcribe/latest/dg/diarization-output-batch.html
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recording_insights.model.insights import Insights, Utterance
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.values import (
    Word,
    mapping,
    maps,
    ms_of_seconds,
    number,
    optional_text,
    utterances_of,
)

_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_FALSE_SPACE = re.compile(f"(?<=[{_NO_SPACES}]) (?=[{_NO_SPACES}])")
"""A space between two words of a script that is written without spaces."""


def read_insights(reply: bytes) -> Insights:
    """Read the transcript; Transcribe finds no sentiment, no topics and no questions."""
    results = transcript_results(reply)
    utterances = utterances_of(_words(results)) or _segments(results) or _plain_texts(results)
    return Insights(
        transcript=[replace(utterance, text=_FALSE_SPACE.sub("", utterance.text)) for utterance in utterances]
    )


def transcript_results(reply: bytes) -> Mapping[str, Any]:
    """Return the `results` of a transcript file.

    Raises:
        LookupError, TypeError, ValueError: the bytes are no transcript file.
    """
    results: Any = parse_json(reply)["results"]
    parts = ("items", "audio_segments", "transcripts")
    if not isinstance(results, dict) or not any(isinstance(results.get(part), list) for part in parts):
        raise LookupError("the results contain no transcript")
    return results


def _words(results: Mapping[str, Any]) -> list[Word]:
    """Read the items: words with times, and punctuation, which has no times and is appended to the word before it."""
    speakers = _speakers_by_span(results)
    words: list[Word] = []
    for item in maps(results.get("items")):
        best = next(iter(maps(item.get("alternatives"))), {})
        text = optional_text(best.get("content"))
        if text is None:
            continue
        if item.get("type") == "punctuation":
            if words:
                words[-1] = replace(words[-1], text=words[-1].text + text)
            continue
        word = Word(
            text=text,
            start_ms=ms_of_seconds(item.get("start_time")),
            end_ms=ms_of_seconds(item.get("end_time")),
            speaker=optional_text(item.get("speaker_label") or speakers.get(_span(item))),
            confidence=number(best.get("confidence")),
        )
        words.append(word)
    return words


def _speakers_by_span(results: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Return the speaker of each span; older transcripts name the speakers only here, newer ones in each item too."""
    return {
        _span(item): item.get("speaker_label")
        for segment in maps(mapping(results.get("speaker_labels")).get("segments"))
        for item in maps(segment.get("items"))
    }


def _span(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("start_time")), str(item.get("end_time"))


def _segments(results: Mapping[str, Any]) -> list[Utterance]:
    return [
        Utterance(
            text=str(segment["transcript"]),
            speaker=optional_text(segment.get("speaker_label")),
            start_ms=ms_of_seconds(segment.get("start_time")),
            end_ms=ms_of_seconds(segment.get("end_time")),
        )
        for segment in maps(results.get("audio_segments"))
        if segment.get("transcript")
    ]


def _plain_texts(results: Mapping[str, Any]) -> list[Utterance]:
    texts = [optional_text(entry.get("transcript")) for entry in maps(results.get("transcripts"))]
    return [Utterance(text=text) for text in texts if text]
