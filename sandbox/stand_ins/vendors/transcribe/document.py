"""The transcript document that Transcribe writes to S3.

The speech engine knows the times of utterances, but not of words: each word gets a share by its length. It returns no
confidence either: every word has 1.0. Of what Transcribe redacts, days of the week (DATE_TIME) are found.
Source: https://docs.aws.amazon.com/transcribe/latest/dg/diarization-output-batch.html, /dg/pii-redaction-output.html
"""

from collections.abc import Collection, Sequence
from typing import Any

from sandbox.stand_ins.hearing.language import is_day, punctuated
from sandbox.stand_ins.hearing.speech import Utterance

_MARKS = ".?"
_REDACTED = "[PII]"


def transcript(
    said: Sequence[Utterance], *, job: str, most_speakers: int | None, redact: Collection[str] = ()
) -> dict[str, Any]:
    """Return the document, with speaker labels unless `most_speakers` is None. Further voices share the last label.

    `redact` are the types of personal data to redact.
    """
    labels = _labels(said, most_speakers) if most_speakers else None
    items: list[dict[str, Any]] = []
    audio_segments: list[dict[str, Any]] = []
    for i, utterance in enumerate(said):
        label = {"speaker_label": labels[utterance.speaker]} if labels else {}
        sentence = _redacted(punctuated(utterance.text), redact)
        own = [{"id": len(items) + n, **item, **label} for n, item in enumerate(_items(utterance, sentence))]
        items += own
        span = {"start_time": _seconds(utterance.start_ms), "end_time": _seconds(utterance.end_ms)}
        numbers = [item["id"] for item in own]
        audio_segments.append({"id": i, "transcript": sentence, **span, **label, "items": numbers})
    results: dict[str, Any] = {"transcripts": [{"transcript": " ".join(s["transcript"] for s in audio_segments)}]}
    if labels is not None:
        results["speaker_labels"] = _speaker_labels(items, audio_segments, len(set(labels.values())))
    results |= {"items": items, "audio_segments": audio_segments}
    return {"jobName": job, **({"isRedacted": True} if redact else {}), "results": results, "status": "COMPLETED"}


def _redacted(sentence: str, redact: Collection[str]) -> str:
    if not {"ALL", "DATE_TIME"} & set(redact):
        return sentence
    words = [
        word.replace(bare, _REDACTED) if is_day(bare := word.rstrip(_MARKS)) else word for word in sentence.split()
    ]
    return " ".join(words)


def _labels(said: Sequence[Utterance], most: int) -> dict[str, str]:
    voices = dict.fromkeys(utterance.speaker for utterance in said)
    return {voice: f"spk_{min(i, most - 1)}" for i, voice in enumerate(voices)}


def _items(utterance: Utterance, sentence: str) -> list[dict[str, Any]]:
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
                "alternatives": [_alternative(word)],
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


def _alternative(word: str) -> dict[str, Any]:
    if word == _REDACTED:
        return {"content": word, "redactions": [{"confidence": "1.0"}]}
    return {"confidence": "1.0", "content": word}


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
