"""Metadata of Marsview in the normalised shape."""

from collections.abc import Mapping
from typing import Any

from recording_insights.model.insights import ActionItem, Emotion, Insights, Question, Topic, Utterance, mean_sentiment
from recording_insights.providers.toolkit.json import parse_object, promised_object
from recording_insights.providers.toolkit.values import maps, optional_text, sentiment, whole
from recording_insights.redaction import vendor_message


def read_insights(reply: bytes) -> Insights:
    """Read the metadata of all models; a key is absent if its model was not ordered."""
    data = promised_object(parse_object(reply), "data")
    transcript = _transcript(data)
    summary = " ".join(str(line["sentence"]) for line in data.get("summaryData") or () if line.get("sentence"))
    return Insights(
        transcript=transcript,
        summary=summary or None,
        topics=[Topic(_topic_text(topic)) for topic in data.get("topicsData") or () if topic],
        action_items=[_action(action) for action in maps(data.get("actionsData")) if action.get("actions")],
        questions=[
            Question(text=str(block["question"]), answer=optional_text(block.get("response")))
            for entry in maps(data.get("questionResponse"))
            for block in maps(entry.get("questionBlock"))
            if block.get("question")
        ],
        emotions=[_emotion(entry) for entry in maps(data.get("emotion")) if (entry.get("emotion") or {}).get("value")],
        sentiment=mean_sentiment(transcript),
    )


def _transcript(data: Mapping[str, Any]) -> list[Utterance]:
    """Read the lines; a sentiment belongs to the line with the same start."""
    sentiments = {whole(entry.get("startTime")): entry.get("sentiment") for entry in maps(data.get("sentiment"))}
    utterances = []
    for line in data.get("transcript") or ():
        speakers = line.get("speakers") or ()
        start_ms = whole(line.get("startTime"))
        utterance = Utterance(
            text=str(line.get("sentence") or ""),
            speaker=str(speakers[0]) if speakers else None,
            start_ms=start_ms,
            end_ms=whole(line.get("endTime")),
            sentiment=None if start_ms is None else sentiment(sentiments.get(start_ms)),
        )
        utterances.append(utterance)
    return utterances


def _action(action: Mapping[str, Any]) -> ActionItem:
    return ActionItem(
        text=str(action["actions"]),
        assignee=optional_text(action.get("assignee")),
        due=optional_text(action.get("completionDate")),
        priority=optional_text(action.get("priority")),
    )


def _emotion(entry: Mapping[str, Any]) -> Emotion:
    return Emotion(
        emotion=str(entry["emotion"]["value"]),
        tone=optional_text((entry.get("tone") or {}).get("value")),
        confidence=entry["emotion"].get("confidence"),
        start_ms=whole(entry.get("startTime")),
        end_ms=whole(entry.get("endTime")),
    )


def _topic_text(topic: Any) -> str:
    """Read a topic: a text, or an object under one of two names; any other object is shown as JSON."""
    if not isinstance(topic, dict):
        return str(topic)
    return str(topic.get("topic") or topic.get("name") or vendor_message(topic))
