"""The transcript document that Transcribe writes to S3.

The speech engine knows the times of utterances, but not of words: each word gets a share by its length. It returns no
confidence either: every word has 1.0.
Source: https://docs.aws.amazon.com/transcribe/latest/dg/diarization-output-batch.html
"""

from collections.abc import Sequence
from typing import Any

from sandbox.stand_ins.hearing.language import punctuated
from sandbox.stand_ins.hearing.speech import Utterance

_MARKS = ".?"


def transcript(said: Sequence[Utterance], *, job: str, most_speakers: int | None) -> dict[str, Any]:
    """Return the document, with speaker labels unless `most_speakers` is None. Further voices share the last label."""
    labels = _labels(said, most_speakers) if most_speakers else None
    items: list[dict[str, Any]] = []
    audio_segments: list[dict[str, Any]] = []
    for i, utterance in enumerate(said):
        label = {"speaker_label": labels[utterance.speaker]} if labels else {}
        own = [{"id": len(items) + n, **item, **label} for n, item in enumerate(_items(utterance))]
        items += own
        span = {"start_time": _seconds(utterance.start_ms), "end_time": _seconds(utterance.end_ms)}
        numbers = [item["id"] for item in own]
        audio_segments.append({"id": i, "transcript": punctuated(utterance.text), **span, **label, "items": numbers})
    results: dict[str, Any] = {"transcripts": [{"transcript": " ".join(s["transcript"] for s in audio_segments)}]}
    if labels is not None:
        results["speaker_labels"] = _speaker_labels(items, audio_segments, len(set(labels.values())))
    results |= {"items": items, "audio_segments": audio_segments}
    return {"jobName": job, "results": results, "status": "COMPLETED"}


def _labels(said: Sequence[Utterance], most: int) -> dict[str, str]:
    voices = dict.fromkeys(utterance.speaker for utterance in said)
    return {voice: f"spk_{min(i, most - 1)}" for i, voice in enumerate(voices)}


def _items(utterance: Utterance) -> list[dict[str, Any]]:
    sentence = punctuated(utterance.text)
    words = sentence.rstrip(_MARKS).split()
    letters = sum(len(word) for word in words) or 1
    per_letter = (utterance.end_ms - utterance.start_ms) / letters
    items: list[dict[str, Any]] = []
    at = utterance.start_ms
    for word in words:
        ends = at + len(word) * per_letter
        items.append(
            {
                "start_time": _seconds(at),
                "end_time": _seconds(ends),
                "alternatives": [{"confidence": "1.0", "content": word}],
                "type": "pronunciation",
            }
        )
        at = ends
    # Punctuation has no times, and the confidence 0.
    items += [
        {"alternatives": [{"confidence": "0.0", "content": mark}], "type": "punctuation"}
        for mark in sentence[len(sentence.rstrip(_MARKS)) :]
    ]
    return items


def _speaker_labels(
    items: Sequence[dict[str, Any]], segments: Sequence[dict[str, Any]], speakers: int
) -> dict[str, Any]:
    names = ("start_time", "speaker_label", "end_time")
    return {
        "channel_label": "ch_0",
        "speakers": speakers,
        "segments": [
            {
                **{name: segment[name] for name in names},
                "items": [
                    {name: items[n][name] for name in names} for n in segment["items"] if "start_time" in items[n]
                ],
            }
            for segment in segments
        ],
    }


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3f}"
