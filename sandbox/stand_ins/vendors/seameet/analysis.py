"""SeaMeet's analysis of a conversation: the payload of its callback."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.stand_ins.hearing.language import (
    action_in,
    is_question,
    keywords_in,
    punctuated,
    sentiment_of,
    summary_of,
    topics_of,
)
from sandbox.stand_ins.hearing.speech import Utterance

_GRADES = ((0.5, "A"), (0.1, "B"), (-0.1, "C"), (-0.5, "D"))
_RISKY = -0.3


def payload_of(meeting_id: str, said: Sequence[Utterance], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return transcript (without times), summary and title; for a customer service call also ratings."""
    texts = [utterance.text for utterance in said]
    agent, customer = _parties(said, parameters)
    names = _names(agent, customer, parameters)
    is_service = parameters.get("scenario") == "customer_service_call"
    topics = topics_of(texts)
    return {
        "meeting_id": meeting_id,
        "customer_satisfaction_rating": _grade(said, customer) if is_service else None,
        "agent_performance_rating": _grade(said, agent) if is_service else None,
        "agent_performance_feedback": _feedback(said, agent) if is_service else None,
        "risk_factor": _risk(said) if is_service else None,
        "summary": " ".join(punctuated(texts[i]) for i in summary_of(texts)),
        "title": f"Conversation about {', '.join(topics)}" if topics else "Conversation",
        "transcript": [
            {
                "text": punctuated(u.text) if parameters.get("enable_punctuation") else u.text,
                "speaker": names.get(u.speaker, f"Speaker {u.speaker}"),
            }
            for u in said
        ],
    }


def _parties(said: Sequence[Utterance], parameters: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Agent and customer: the person who is called speaks first."""
    voices = list(dict.fromkeys(u.speaker for u in said))
    first, second = [*voices, None, None][:2]
    outbound = (parameters.get("scenario_parameters") or {}).get("direction") == "OUTBOUND"
    return (second, first) if outbound else (first, second)


def _names(agent: str | None, customer: str | None, parameters: Mapping[str, Any]) -> dict[str | None, str]:
    scenario = parameters.get("scenario_parameters") or {}
    if not scenario.get("enable_agent_recognition"):
        return {}
    named = ((agent, scenario.get("agent_name")), (customer, scenario.get("customer_name")))
    return {voice: name for voice, name in named if name}


def _grade(said: Sequence[Utterance], voice: str | None) -> str | None:
    """A (best) to E, by the mean sentiment of a voice; None if it says nothing."""
    scores = [sentiment_of(u.text) for u in said if u.speaker == voice]
    if not scores:
        return None
    mean = sum(scores) / len(scores)
    return next((grade for least, grade in _GRADES if mean >= least), "E")


def _feedback(said: Sequence[Utterance], agent: str | None) -> str | None:
    texts = [u.text for u in said if u.speaker == agent]
    if not texts:
        return None
    questions = sum(is_question(text) for text in texts)
    promises = sum(action.promised for text in texts if (action := action_in(text)))
    return f"The agent's turns: {len(texts)} of {len(said)}, questions: {questions}, promises: {promises}."


def _risk(said: Sequence[Utterance]) -> str | None:
    worst = min((u.text for u in said), key=sentiment_of, default="")
    return f"Dissatisfaction: {', '.join(keywords_in(worst))}" if sentiment_of(worst) <= _RISKY else None
