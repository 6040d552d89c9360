"""Metadata of Marsview in the normalised shape."""

from collections.abc import Mapping
from typing import Any

from recording_insights.model.insights import ActionItem, Emotion, Insights, Question, Topic, Utterance, mean_sentiment
from recording_insights.providers.toolkit.json import parse_object, promised_object
from recording_insights.providers.toolkit.values import mapping, maps, number, optional_text, sentiment, whole
from recording_insights.redaction import vendor_message


def read_insights(reply: bytes) -> Insights:
    """Read the metadata of all models; a key is absent if its model was not ordered."""
    data = promised_object(parse_object(reply), "data")
    transcript = _transcript(data)
    summary = " ".join(filter(None, (optional_text(line.get("sentence")) for line in maps(data.get("summaryData")))))
    return Insights(
        transcript=transcript,
        summary=summary or None,
        topics=_topics(data.get("topicsData")),
        action_items=[item for action in maps(data.get("actionsData")) if (item := _action(action))],
        questions=[
            Question(text=text, answer=optional_text(block.get("response")))
            for entry in maps(data.get("questionResponse"))
            for block in maps(entry.get("questionBlock"))
            if (text := optional_text(block.get("question")))
        ],
        emotions=[emotion for entry in maps(data.get("emotion")) if (emotion := _emotion(entry))],
        sentiment=mean_sentiment(transcript),
    )


def _transcript(data: Mapping[str, Any]) -> list[Utterance]:
    """Read the lines; a sentiment belongs to the line with the same start."""
    sentiments = {whole(entry.get("startTime")): entry.get("sentiment") for entry in maps(data.get("sentiment"))}
    utterances = []
    lines = data.get("transcript") or []
    if not isinstance(lines, list):
        raise LookupError("the transcript is no list")
    for line in maps(lines):
        speakers = line.get("speakers")
        start_ms = whole(line.get("startTime"))
        utterance = Utterance(
            text=optional_text(line.get("sentence")) or "",
            speaker=optional_text(speakers[0]) if isinstance(speakers, list) and speakers else None,
            start_ms=start_ms,
            end_ms=whole(line.get("endTime")),
            sentiment=None if start_ms is None else sentiment(sentiments.get(start_ms)),
        )
        utterances.append(utterance)
    return utterances


def _action(action: Mapping[str, Any]) -> ActionItem | None:
    text = optional_text(action.get("actions"))
    if text is None:
        return None
    return ActionItem(
        text=text,
        assignee=optional_text(action.get("assignee")),
        due=optional_text(action.get("completionDate")),
        priority=optional_text(action.get("priority")),
    )


def _emotion(entry: Mapping[str, Any]) -> Emotion | None:
    emotion = mapping(entry.get("emotion"))
    name = optional_text(emotion.get("value"))
    if name is None:
        return None
    return Emotion(
        emotion=name,
        tone=optional_text(mapping(entry.get("tone")).get("value")),
        confidence=number(emotion.get("confidence")),
        start_ms=whole(entry.get("startTime")),
        end_ms=whole(entry.get("endTime")),
    )


def _topics(topics: Any) -> list[Topic]:
    entries = topics if isinstance(topics, list) else []
    return [Topic(text) for entry in entries if entry and (text := _topic_text(entry))]


def _topic_text(topic: Any) -> str | None:
    """Read a topic: a text, or an object under one of two names; any other object is shown as JSON."""
    if not isinstance(topic, dict):
        return optional_text(topic)
    return optional_text(topic.get("topic")) or optional_text(topic.get("name")) or vendor_message(topic)
