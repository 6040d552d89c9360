"""Marsview's models: the result of each, under its key in the metadata."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.stand_ins.hearing.language import (
    action_in,
    emotion_of,
    is_question,
    keywords_in,
    punctuated,
    sentiment_of,
    summary_of,
    topics_of,
)
from sandbox.stand_ins.hearing.speech import Utterance

MODEL_TYPES = frozenset(
    {
        "speech_to_text",
        "emotion_analysis",
        "sentiment_analysis",
        "speech_type_analysis",
        "action_items",
        "question_response",
        "extractive_summary",
        "meeting_topics",
        "screengrabs",
        "screen_activity",
        "data_insights",
    }
)

Config = Mapping[str, Any]
Utterances = Sequence[Utterance]


def _span(utterance: Utterance) -> dict[str, float]:
    return {"startTime": utterance.start_ms, "endTime": utterance.end_ms}


def transcript(said: Utterances, config: Config) -> list[dict[str, Any]]:
    """Sentences with times in ms (with fractions) and speakers as strings in a list."""
    separated = "speaker_seperation" in config
    return [
        {
            "sentence": punctuated(u.text) if config.get("automatic_punctuation") else u.text,
            **_span(u),
            "speakers": [u.speaker] if separated else [],
            "channelId": "0",
            "keySentence": False,
            "keywords": [
                {"keyword": word, "metadata": [], "type": "Keyword"}
                for word in keywords_in(u.text)
                if config.get("enableKeywords")
            ],
            "topics": [{"name": word, "tiers": []} for word in keywords_in(u.text) if config.get("enableTopics")],
        }
        for u in said
    ]


def sentiment(said: Utterances, config: Config) -> list[dict[str, Any]]:
    """Very Negative … Very Positive for each sentence."""
    return [
        {**_span(u), "sentence": u.text, "speakers": [u.speaker], "sentiment": _sentiment_word(sentiment_of(u.text))}
        for u in said
    ]


def _sentiment_word(score: float) -> str:
    if abs(score) < 0.05:
        return "Neutral"
    return ("Very " if abs(score) >= 0.75 else "") + ("Positive" if score > 0 else "Negative")


def emotion(said: Utterances, config: Config) -> list[dict[str, Any]]:
    """An emotion and a tone for each sentence; the tone too comes from the words."""
    found = []
    for u in said:
        value, confidence = emotion_of(u.text)
        tone = "Calm" if value in ("Neutral", "Sadness") else "Excited"
        found.append(
            {
                **_span(u),
                "speakers": [u.speaker],
                "emotion": {"value": value, "confidence": confidence},
                "tone": {"value": tone, "confidence": confidence},
            }
        )
    return found


def actions(said: Utterances, config: Config) -> list[dict[str, Any]]:
    """Promises and requests. The assignee of a promise is its speaker."""
    found = []
    for u in said:
        if action := action_in(u.text):
            found.append(
                {
                    **_span(u),
                    "actions": punctuated(action.text),
                    "assignee": f"Speaker {u.speaker}" if action.promised else None,
                    "completionDate": action.due,
                    "speakers": [u.speaker],
                    **({"priority": "high" if action.urgent else "low"} if config.get("priority") else {}),
                }
            )
    return found


def questions(said: Utterances, config: Config) -> list[dict[str, Any]]:
    """Each question with the next utterance of another voice as its response."""
    found = []
    for i, u in enumerate(said):
        if is_question(u.text):
            answer = next((later for later in said[i + 1 :] if later.speaker != u.speaker), None)
            block = {
                "question": punctuated(u.text),
                "response": punctuated(answer.text) if answer else "",
                "questionSpeaker": u.speaker,
                "responseSpeaker": answer.speaker if answer else None,
            }
            found.append({**_span(u), "questionBlock": [block]})
    return found


def summary(said: Utterances, config: Config) -> list[dict[str, Any]]:
    """The sentences that sum up the rest."""
    return [
        {**_span(said[i]), "speaker": said[i].speaker, "sentence": punctuated(said[i].text)}
        for i in summary_of([u.text for u in said])
    ]


def topics(said: Utterances, config: Config) -> list[str]:
    """Plain strings."""
    return topics_of(u.text for u in said)


COMPUTED: Mapping[str, tuple[str, Callable[[Utterances, Config], list[Any]]]] = {
    "speech_to_text": ("transcript", transcript),
    "sentiment_analysis": ("sentiment", sentiment),
    "emotion_analysis": ("emotion", emotion),
    "action_items": ("actionsData", actions),
    "question_response": ("questionResponse", questions),
    "extractive_summary": ("summaryData", summary),
    "meeting_topics": ("topicsData", topics),
}
"""The models that this stand-in computes, each with its key in the metadata. The others end in "error"."""
