"""The answer of GET /recordings/{id}/insights: one document from all media objects of a recording."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.insights import LISTS, Insights, mean_sentiment
from recording_insights.store.insights import Collection
from recording_insights.store.media import newest_per_key

TRANSCRIPT_BYTES = 4_500_000
"""Of transcript in one answer; Lambda ends at 6 MB. The rest comes with the cursor.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


def answer_insights(recording_id: str, collection: Collection, *, cursor: str | None = None) -> dict[str, Any]:
    """Everything found in the recording's finished media objects, in the order of their keys.

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
    parts = list(_in_order(collection))
    utterances = [utterance for part in parts for utterance in part.transcript]
    summary = "\n\n".join(part.summary for part in parts if part.summary)
    sentiment = parts[0].sentiment if len(parts) == 1 else mean_sentiment(utterances)
    missing = [name for part in parts for name in part.missing]

    first = int(cursor or 0)
    page: list[dict[str, Any]] = []
    room = TRANSCRIPT_BYTES
    for utterance in utterances[first:]:
        line = utterance.to_map()
        room -= len(json.dumps(line, default=str).encode()) + 2
        if room < 0 and page:
            break
        page.append(line)
    rest = first + len(page)

    answer: dict[str, Any] = {
        "recording_id": recording_id,
        "status": recording["status"],
        "reason": recording.get("reason"),
        "provider": recording["provider"],
        "transcript": page,
        "summary": summary or None,
        **{kind: [entry.to_map() for part in parts for entry in getattr(part, kind)] for kind in LISTS},
        "sentiment": sentiment,
        "ratings": {name: value for part in parts for name, value in part.ratings.items()},
        "missing": missing or None,
        "cursor": str(rest) if rest < len(utterances) else None,
    }
    return {name: value for name, value in answer.items() if value is not None}


def _in_order(collection: Collection) -> Iterator[Insights]:
    media: Mapping[str, Mapping[str, Any]] = collection.media
    for item in newest_per_key(list(media.values())):
        if insights := collection.insights.get(str(item["media_id"])):
            yield insights
