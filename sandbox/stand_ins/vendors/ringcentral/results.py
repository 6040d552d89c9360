"""The `response` of a job. Times are in seconds; speakers are numbered from "0".

Words have no confidence, and there is no `Energy`: the recogniser returns neither. An abstractive summary is a sentence
about the most frequent words.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sandbox.stand_ins.hearing.language import emotion_of, is_question, keywords_in, punctuated, summary_of, topics_of
from sandbox.stand_ins.hearing.speech import Utterance

Utterances = Sequence[Utterance]

_SLOW_BELOW, _FAST_ABOVE = 120, 170


def interaction(said: Utterances, requested: Collection[str]) -> dict[str, Any]:
    """Return the response of analyze-interaction with the requested insights."""
    utterances = []
    for u in said:
        emotion, confidence = emotion_of(u.text)
        insights = [{"name": "Emotion", "value": emotion, "confidence": confidence}] if "Emotion" in requested else []
        utterances.append({**_span(u), "text": punctuated(u.text), "speakerId": _speaker(u), "insights": insights})
    by_speaker = {"Pace": _pace, "TalkToListenRatio": _ratio, "QuestionsAsked": _questions}
    overall = {
        "KeyPhrases": _key_phrases,
        "ExtractiveSummary": _extract,
        "Topics": _topics,
        "AbstractiveSummaryLong": _abstract,
        "AbstractiveSummaryShort": _short_abstract,
    }
    speakers = sorted({_speaker(u) for u in said})
    return {
        "utteranceInsights": utterances,
        "speakerInsights": {
            "speakerCount": len(speakers),
            "insights": [
                {"name": name, "values": [{"speakerId": speaker, **find(said, speaker)} for speaker in speakers]}
                for name, find in by_speaker.items()
                if name in requested
            ],
        },
        "conversationalInsights": [
            {"name": name, "values": find(said) if said else []} for name, find in overall.items() if name in requested
        ],
    }


def transcription(said: Utterances, *, punctuate: bool, diarize: bool) -> dict[str, Any]:
    """Return the response of speech-to-text; with utterances and speakers only if it diarizes."""
    text = [punctuated(u.text) if punctuate else u.text for u in said]
    found: dict[str, Any] = {"transcript": " ".join(text)}
    if diarize:
        found["speakerCount"] = len({u.speaker for u in said})
        found["utterances"] = [
            {**_span(u), "speakerId": _speaker(u), "text": line, "wordTimings": _words(u, diarize)}
            for u, line in zip(said, text, strict=True)
        ]
    return {**found, "words": [word for u in said for word in _words(u, diarize)]}


def _span(u: Utterance) -> dict[str, float]:
    return {"start": round(u.start_ms / 1000, 2), "end": round(u.end_ms / 1000, 2)}


def _speaker(u: Utterance) -> str:
    return str(int(u.speaker) - 1)


def _words(u: Utterance, diarize: bool) -> list[dict[str, Any]]:
    """Each word gets a share of the utterance's time by its length."""
    words = u.text.split()
    per_letter = (u.end_ms - u.start_ms) / 1000 / max(sum(map(len, words)), 1)
    start, timed = u.start_ms / 1000, []
    for word in words:
        end = start + len(word) * per_letter
        speaker = {"speakerId": _speaker(u)} if diarize else {}
        timed.append({"start": round(start, 2), "end": round(end, 2), "word": word, **speaker})
        start = end
    return timed


def _seconds(said: Utterances) -> float:
    return sum(u.end_ms - u.start_ms for u in said) / 1000


def _of(said: Utterances, speaker: str) -> list[Utterance]:
    return [u for u in said if _speaker(u) == speaker]


def _pace(said: Utterances, speaker: str) -> dict[str, Any]:
    own = _of(said, speaker)
    wpm = round(60 * sum(len(u.text.split()) for u in own) / max(_seconds(own), 0.1), 1)
    return {"value": "slow" if wpm < _SLOW_BELOW else "fast" if wpm > _FAST_ABOVE else "medium", "wpm": wpm}


def _ratio(said: Utterances, speaker: str) -> dict[str, Any]:
    share = round(100 * _seconds(_of(said, speaker)) / max(_seconds(said), 0.1))
    return {"value": f"{share}:{100 - share}"}


def _questions(said: Utterances, speaker: str) -> dict[str, Any]:
    asked = [{"text": punctuated(u.text), **_span(u)} for u in _of(said, speaker) if is_question(u.text)]
    return {"value": len(asked), "questions": asked}


def _key_phrases(said: Utterances) -> list[dict[str, Any]]:
    return [{**_span(u), "value": word} for u in said for word in keywords_in(u.text)]


def _extract(said: Utterances) -> list[dict[str, Any]]:
    return [{**_span(said[i]), "sentence": punctuated(said[i].text)} for i in summary_of([u.text for u in said])]


def _topics(said: Utterances) -> list[dict[str, Any]]:
    return [{"value": topic, **_whole(said)} for topic in topics_of(u.text for u in said)]


def _abstract(said: Utterances) -> list[dict[str, Any]]:
    topics = topics_of(u.text for u in said)
    voices = len({u.speaker for u in said})
    text = f"{voices} {'speaker talks' if voices == 1 else 'speakers talk'} about {', '.join(topics)}."
    return [{"value": text, **_whole(said), "groupId": "0"}]


def _short_abstract(said: Utterances) -> list[dict[str, Any]]:
    return [{"value": f"About {', '.join(topics_of((u.text for u in said), most=2))}.", **_whole(said)}]


def _whole(said: Utterances) -> dict[str, float]:
    return {"start": _span(said[0])["start"], "end": _span(said[-1])["end"]}
