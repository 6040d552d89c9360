"""Conversations of Symbl in the normalised shape.

The kept reply is one JSON object that `calls` builds: each part of the conversation under the last segment of its path.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recording_insights.model.insights import (
    ActionItem,
    Entity,
    Insights,
    Number,
    Question,
    Topic,
    Utterance,
    Word,
    mean_sentiment,
)
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.json import parse_object, promised_list, promised_object
from recording_insights.providers.toolkit.values import NO_REASON, mapping, maps, number, optional_text
from recording_insights.redaction import hide_urls, vendor_message

EXPECTED_PARTS = {
    "topics": "topics",
    "action-items": "actionItems",
    "follow-ups": "followUps",
    "questions": "questions",
    "analytics": "metrics",
}
"""The parts that every conversation has, each with the field that contains its entries."""
_KINDS = ("customType", "subType", "type")
_TEXTS = ("text", "value", "detectedValue")
"""Fields of an entity, or of its match, the most exact one first.

Source: "GET Entities" in https://github.com/symblai/symbl-docs; https://docs.symbl.ai/docs/get-detected-entities for
`matches`, where no sample shows whether the text is `value` or `detectedValue`
"""
UNAVAILABLE = "unavailable"
"""The field that `calls` puts in place of a part which Symbl could not deliver, with the fault."""


def read_insights(reply: bytes) -> Insights:
    """Read the parts. `missing` names expected parts that Symbl did not deliver; a summary may be absent.

    Raises:
        ValueError: the reply contains no messages; the text names the field.
    """
    parts = parse_object(reply)
    messages = maps(promised_list(promised_object(parts, "messages"), "messages"))
    transcript = _transcript(messages, mapping(parts.get("conversation")).get("startTime"))
    return Insights(
        transcript=transcript,
        summary=" ".join(str(line["text"]) for line in _entries(parts, "summary")) or None,
        topics=[Topic(str(topic["text"]), number(topic.get("score"))) for topic in _entries(parts, "topics")],
        action_items=_actions(parts, "action-items"),
        follow_ups=_actions(parts, "follow-ups"),
        questions=[Question(str(question["text"])) for question in _entries(parts, "questions")],
        entities=list(_entities(parts, messages, transcript)),
        sentiment=mean_sentiment(transcript),
        ratings=_ratings(parts),
        missing=list(_missing(parts)),
    )


def reason_of(data: Any) -> str:
    """Return the message of an error without its links: the webhook's URL has a token in its path."""
    message = mapping(data).get("message") or mapping(data).get("error")
    return hide_urls(vendor_message(message)) if message else NO_REASON


def _missing(parts: Mapping[str, Any]) -> Iterator[str]:
    """Yield each expected part that is not there, and each other part that was unavailable, with the reason."""
    for part in dict.fromkeys((*EXPECTED_PARTS, *parts)):
        content = mapping(parts.get(part))
        if UNAVAILABLE in content:
            yield f"{part}: {vendor_message(content[UNAVAILABLE])}"
        elif part in EXPECTED_PARTS and EXPECTED_PARTS[part] not in content:
            yield f"{part}: {reason_of(parts.get(part))}"


def _entries(parts: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    """Return the entries of a part that have a text."""
    field = EXPECTED_PARTS.get(part, part)
    return [entry for entry in maps(mapping(parts.get(part)).get(field)) if optional_text(entry.get("text"))]


def _actions(parts: Mapping[str, Any], part: str) -> list[ActionItem]:
    return [
        ActionItem(str(action["text"]), _name_of(action.get("assignee")), optional_text(action.get("dueBy")))
        for action in _entries(parts, part)
    ]


def _transcript(messages: list[dict[str, Any]], conversation_start: Any) -> list[Utterance]:
    """Read the messages. Their times are offsets in seconds, or else moments.

    Moments count from the start of the conversation, or from the first message if that is earlier.
    """
    starts = [message.get("startTime") for message in messages]
    first = next((start for start in starts if start), None)
    since_first = [values.ms_between(first, start) for start in starts]
    known = [ms for ms in (*since_first, values.ms_between(first, conversation_start)) if ms is not None]
    zero = min(known, default=0)
    return [
        _utterance(message, None if ms is None else ms - zero)
        for message, ms in zip(messages, since_first, strict=True)
    ]


def _utterance(message: Mapping[str, Any], moment_ms: int | None) -> Utterance:
    start_ms = values.ms_of_seconds(message.get("timeOffset"))
    if start_ms is None:
        start_ms = moment_ms
    duration_ms = values.ms_of_seconds(message.get("duration"))
    if duration_ms is None:
        duration_ms = values.ms_between(message.get("startTime"), message.get("endTime"))
    return Utterance(
        words=values.timed_words(_words(message, start_ms)),
        text=optional_text(message.get("text")) or "",
        speaker=_name_of(message.get("from")),
        start_ms=start_ms,
        end_ms=None if start_ms is None or duration_ms is None else start_ms + duration_ms,
        sentiment=_sentiment(mapping(message.get("sentiment"))),
        confidence=values.mean(number(word.get("score")) for word in maps(message.get("words"))),
    )


def _words(message: Mapping[str, Any], start_ms: int | None) -> Iterator[Word]:
    """Yield the words of a message that begins at `start_ms`. Their times are offsets in seconds, or else moments."""
    for entry in maps(message.get("words")):
        text = optional_text(entry.get("word"))
        begins_ms = values.ms_of_seconds(entry.get("timeOffset"))
        since_start = values.ms_between(message.get("startTime"), entry.get("startTime"))
        if begins_ms is None and start_ms is not None and since_start is not None:
            begins_ms = start_ms + since_start
        lasts_ms = values.ms_of_seconds(entry.get("duration"))
        if lasts_ms is None:
            lasts_ms = values.ms_between(entry.get("startTime"), entry.get("endTime"))
        ends_ms = None if begins_ms is None or lasts_ms is None else begins_ms + lasts_ms
        if text:
            yield Word(text, begins_ms, ends_ms, number(entry.get("score")))


def _entities(
    parts: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], transcript: Sequence[Utterance]
) -> Iterator[Entity]:
    """Yield each entity once for each message that it is found in, with the times of its words there."""
    pairs = zip(messages, transcript, strict=True)
    spoken = {name: said for message, said in pairs if (name := optional_text(message.get("id")))}
    for entry in maps(mapping(parts.get("entities")).get("entities")):
        kind = _first_text(entry, _KINDS)
        # A later form of the API has the texts in `matches`, each with its messages.
        for match in maps(entry.get("matches")) or [entry]:
            text = _first_text(match, _TEXTS) or ""
            for ref in maps(match.get("messageRefs")) or [{}]:
                said = spoken.get(optional_text(ref.get("id")) or "")
                if found := values.entity(text, kind, *_span_in(said, values.whole(ref.get("offset")), len(text))):
                    yield found


def _span_in(said: Utterance | None, offset: int | None, length: int) -> tuple[int | None, int | None]:
    """Return start and end of some characters of a message; those of the message if their words are not known."""
    if said is None:
        return None, None
    inside = [
        word
        for word, place in zip(said.words, _places(said), strict=True)
        if place is not None and offset is not None and place < offset + length and place + len(word.text) > offset >= 0
    ]
    return (inside[0].start_ms, inside[-1].end_ms) if inside else (said.start_ms, said.end_ms)


def _places(said: Utterance) -> Iterator[int | None]:
    """Yield the place of each word in the text of its message; None if it is not found there."""
    end = 0
    for word in said.words:
        place = said.text.find(word.text, end)
        end = end if place < 0 else place + len(word.text)
        yield None if place < 0 else place


def _sentiment(sentiment: Mapping[str, Any]) -> Number | None:
    polarity = values.sentiment(mapping(sentiment.get("polarity")).get("score"))
    return values.sentiment(sentiment.get("suggested")) if polarity is None else polarity


def _name_of(person: Any) -> str | None:
    return _first_text(mapping(person), ("name", "email", "userId", "id"))


def _first_text(found: Mapping[str, Any], fields: Sequence[str]) -> str | None:
    return next(filter(None, (optional_text(found.get(field)) for field in fields)), None)


def _ratings(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Read talk times and pace, and count the messages in which each tracker and each entity occurs."""
    analytics = mapping(parts.get("analytics"))
    ratings: dict[str, Number | None] = {}
    for metric in maps(analytics.get("metrics")):
        for unit in ("percent", "seconds"):
            ratings[f"{metric.get('type')}_{unit}"] = number(metric.get(unit))
    for member in maps(analytics.get("members")):
        name, talk_time = _name_of(member) or "unknown", mapping(member.get("talkTime"))
        ratings[f"talk_time_percent:{name}"] = number(talk_time.get("percentage"))
        ratings[f"talk_time_seconds:{name}"] = number(talk_time.get("seconds"))
        ratings[f"pace_wpm:{name}"] = number(mapping(member.get("pace")).get("wpm"))
    return {name: value for name, value in ratings.items() if value is not None} | _mentions(parts)


def _mentions(parts: Mapping[str, Any]) -> dict[str, int]:
    """Count the messages in which each tracker and each entity occurs."""
    # An older form of the API has the trackers under another path.
    trackers = maps(parts.get("trackers-detected")) or maps(parts.get("trackers"))
    matches = [
        (f"tracker:{tracker.get('name')}", match) for tracker in trackers for match in maps(tracker.get("matches"))
    ]
    for entity in _entries(parts, "entities"):
        matches.append((f"entity:{entity.get('customType') or entity.get('type')}", entity))
    mentions: dict[str, int] = {}
    for name, match in matches:
        mentions[name] = mentions.get(name, 0) + len(maps(match.get("messageRefs")))
    return mentions
