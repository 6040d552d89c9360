"""Transcripts of Amazon Transcribe in the normalised shape.

Source: https://docs.aws.amazon.com/transcribe/latest/dg/diarization-output-batch.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from recording_insights.model.insights import Insights, Utterance
from recording_insights.providers.toolkit.json import parse_object, promised
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
    utterances = _spoken(results) or _segments(results) or _plain_texts(results)
    return Insights(
        transcript=[replace(utterance, text=_FALSE_SPACE.sub("", utterance.text)) for utterance in utterances],
        language=_language(results),
    )


def transcript_results(reply: bytes) -> Mapping[str, Any]:
    """Return the `results` of a transcript file.

    Raises:
        LookupError, TypeError, ValueError: the bytes are no transcript file.
    """
    results: Any = promised(parse_object(reply), "results")
    parts = ("items", "audio_segments", "transcripts")
    if not isinstance(results, dict) or not any(isinstance(results.get(part), list) for part in parts):
        raise LookupError("the results contain no transcript")
    return results


def _language(results: Mapping[str, Any]) -> str | None:
    """Return the language, or all languages if Transcribe identified several."""
    codes = [optional_text(entry.get("language_code")) for entry in maps(results.get("language_codes"))]
    return optional_text(results.get("language_code")) or ", ".join(code for code in codes if code) or None


def _spoken(results: Mapping[str, Any]) -> list[Utterance]:
    """Join the words of each channel to utterances, in order of their start. Channels may overlap."""
    speakers = _speakers_by_span(results)
    channels = _items_by_channel(results)
    said = list(chain.from_iterable(utterances_of(_words(items, speakers, name)) for name, items in channels.items()))
    return sorted(said, key=lambda utterance: utterance.start_ms or 0) if len(channels) > 1 else said


def _items_by_channel(results: Mapping[str, Any]) -> dict[str | None, list[dict[str, Any]]]:
    """Return the items by the label of their channel; without channel identification all under None.

    The labels are in the items. Where they are not, the list of channels repeats the items.
    """
    items, channels = maps(results.get("items")), maps(mapping(results.get("channel_labels")).get("channels"))
    if not channels:
        return {None: items}
    if not any(item.get("channel_label") for item in items):
        return {optional_text(channel.get("channel_label")): maps(channel.get("items")) for channel in channels}
    by_channel: dict[str | None, list[dict[str, Any]]] = {}
    label: str | None = None
    for item in items:
        # Punctuation without a label belongs to the word before it.
        label = optional_text(item.get("channel_label")) or label
        by_channel.setdefault(label, []).append(item)
    return by_channel


def _words(
    items: Sequence[Mapping[str, Any]], speakers: Mapping[tuple[str, str], Any], channel: str | None
) -> list[Word]:
    """Read the items: words with times, and punctuation, which has no times and is appended to the word before it.

    The channel is the speaker, or is put before the speaker if Transcribe separated speakers as well.
    """
    words: list[Word] = []
    for item in items:
        best = next(iter(maps(item.get("alternatives"))), {})
        text = optional_text(best.get("content"))
        if text is None:
            continue
        if item.get("type") == "punctuation":
            if words:
                words[-1] = replace(words[-1], text=words[-1].text + text)
            continue
        label = optional_text(item.get("speaker_label") or speakers.get(_span(item)))
        word = Word(
            text=text,
            start_ms=ms_of_seconds(item.get("start_time")),
            end_ms=ms_of_seconds(item.get("end_time")),
            speaker=" ".join(filter(None, (channel, label))) or None,
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
            text=text,
            speaker=optional_text(segment.get("speaker_label")),
            start_ms=ms_of_seconds(segment.get("start_time")),
            end_ms=ms_of_seconds(segment.get("end_time")),
        )
        for segment in maps(results.get("audio_segments"))
        if (text := optional_text(segment.get("transcript")))
    ]


def _plain_texts(results: Mapping[str, Any]) -> list[Utterance]:
    texts = [optional_text(entry.get("transcript")) for entry in maps(results.get("transcripts"))]
    return [Utterance(text=text) for text in texts if text]
