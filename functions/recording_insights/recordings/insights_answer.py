"""The answer of GET /recordings/{id}/insights: one document from all media objects of a recording."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.model.insights import LISTS, Insights, Utterance, mean_sentiment
from recording_insights.model.parts import continuation_suffix, contributions
from recording_insights.store.insights import Collection
from recording_insights.store.rows import MediaRow

ANSWER_BYTES = 5_500_000
"""Of one answer, as Lambda counts it: it ends at 6 MB. The rest of the transcript comes with the cursor.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


def answer_insights(recording_id: str, collection: Collection, *, cursor: str | None = None) -> dict[str, Any]:
    """Everything found in the recording's finished media objects, in their order.

    `cursor` is the number of the first utterance wanted; the answer has one while there are more.

    Raises:
        NotFound: no such recording.
        InvalidRequest: a cursor that no answer gave.
    """
    if not collection.recording:
        raise NotFound(f"no recording {recording_id}")
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise InvalidRequest("cursor", "is none that an answer gave")
    recording = collection.recording
    found = list(_in_order(collection))
    parts = [insights for _, insights in found]
    names = {str(uid): str(name) for uid, name in recording.get("speakers", {}).items()}
    # Whoever took over from the provider that was meant to has found them.
    providers = dict.fromkeys(item["provider"] for item, _ in found if "provider" in item)
    utterances = _in_time([utterance for part in parts for utterance in part.transcript], found)
    whose = _unmistakable(names)
    summary = "\n\n".join(_whose(item, whose, ": ") + part.summary for item, part in found if part.summary)
    sentiment = parts[0].sentiment if len(parts) == 1 else mean_sentiment(utterances)
    missing = [name for part in parts for name in part.missing]
    missing += [f"{_what_lacks(item, whose)}{item['incomplete']}" for item, _ in found if "incomplete" in item]

    answer: dict[str, Any] = {
        "recording_id": recording_id,
        "status": recording["status"],
        "reason": recording.get("reason"),
        "provider": ", ".join(providers) or recording["provider"],
        "transcript": [],
        "summary": summary or None,
        **{kind: [entry.to_map() for part in parts for entry in getattr(part, kind)] for kind in LISTS},
        "sentiment": sentiment,
        "ratings": {
            _whose(item, whose, " ") + name: value for item, part in found for name, value in part.ratings.items()
        },
        "missing": missing or None,
    }
    first = int(cursor or 0)
    page = list(_as_many_as_fit(utterances[first:], names, ANSWER_BYTES - _answer_bytes(answer)))
    rest = first + len(page)
    answer |= {"transcript": page, "cursor": str(rest) if rest < len(utterances) else None}
    return {name: value for name, value in answer.items() if value is not None}


def _as_many_as_fit(utterances: Sequence[Utterance], names: Mapping[str, str], room: int) -> Iterator[dict[str, Any]]:
    """At least one, or the cursor would stand still. A speaker who is known by a uid may have a name."""
    for number, utterance in enumerate(utterances):
        line = utterance.to_map()
        if name := names.get(utterance.speaker or ""):
            line["speaker_name"] = name
        room -= _answer_bytes(line)
        if room < 0 and number:
            return
        yield line


def _answer_bytes(value: Any) -> int:
    """What a value adds to an answer, which is JSON inside of JSON: quotes and line breaks are escaped twice."""
    return len(json.dumps(json.dumps(value, default=str, ensure_ascii=False)))


def _in_order(collection: Collection) -> Iterator[tuple[MediaRow, Insights]]:
    """Media objects with what was found in them; times count from the start of the recording, not of its part.

    A part that failed keeps its length, so that the times of those after it stay true; one that did not follow the
    others at once says when it began. Tracks were recorded side by side: each begins when its own first slice did, and
    the recording with the first of them.
    """
    offset = 0
    media = list(contributions(list(collection.media.values())))
    tracks = [item for item, _ in media if "starts_at_ms" in item and "part" not in item]
    began = min((item["starts_at_ms"] for item in tracks), default=0)
    for item, told_ms in media:
        insights = collection.insights.get(item["media_id"])
        later = max(offset - told_ms, item.get("offset_ms", 0))
        if item in tracks:
            later = item["starts_at_ms"] - began
        if insights:
            rest = _from(insights, told_ms) if told_ms else insights
            yield item, _later(rest, later) if later else rest
        if "part" in item:
            offset = later + (item.get("duration_ms") or _end_of(insights))


def _in_time(utterances: list[Utterance], found: Sequence[tuple[MediaRow, Insights]]) -> list[Utterance]:
    """Tracks become one conversation; where a provider tells no times, one follows the other."""
    if not any("uid" in item for item, _ in found) or any(each.start_ms is None for each in utterances):
        return utterances
    return sorted(utterances, key=lambda each: each.start_ms or 0)


def _unmistakable(names: Mapping[str, str]) -> dict[str, str]:
    """Names by uid; one that several uids have is told with the uid, as of somebody with a laptop and a phone."""
    uids = Counter(names.values())
    return {uid: name if uids[name] == 1 else f"{name} ({uid})" for uid, name in names.items()}


def _whose(item: MediaRow, names: Mapping[str, str], after: str) -> str:
    """Whose track it is, by name if there is one; empty for what holds more than one voice."""
    return names.get(item["uid"], item["uid"]) + continuation_suffix(item) + after if "uid" in item else ""


def _what_lacks(item: MediaRow, names: Mapping[str, str]) -> str:
    return "recovered from slices: " if "recovered" in item else _whose(item, names, ": ")


def _from(insights: Insights, told_ms: int) -> Insights:
    """Without the lines that another media object has told, and those of which nobody knows it."""

    def is_new(entry: Any) -> bool:
        return entry.start_ms is not None and entry.start_ms >= told_ms

    return replace(
        insights,
        transcript=[utterance for utterance in insights.transcript if is_new(utterance)],
        emotions=[emotion for emotion in insights.emotions if is_new(emotion)],
    )


def _later(insights: Insights, offset: int) -> Insights:
    def moved(entry: Any) -> Any:
        times = {name: getattr(entry, name) for name in ("start_ms", "end_ms")}
        return replace(entry, **{name: time + offset for name, time in times.items() if time is not None})

    return replace(
        insights,
        transcript=[moved(utterance) for utterance in insights.transcript],
        emotions=[moved(emotion) for emotion in insights.emotions],
    )


def _end_of(insights: Insights | None) -> int:
    """The end of the last words: the length of a part whose own length nobody could tell."""
    return max((utterance.end_ms or 0 for utterance in insights.transcript), default=0) if insights else 0
