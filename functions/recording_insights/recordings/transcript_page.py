"""Pages of a transcript: as many utterances as fit into one response, and the cursor of the next page.

A cursor holds the number of lines of each media object that earlier pages had. A position in the whole transcript
would move whenever a track ends between two pages, because the transcript is sorted by time.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from recording_insights.recordings.insights_timeline import Line
from recording_insights.validation import matching

_ID_CHARACTERS = 10
"""Of a media id, to keep a cursor short. 300 media objects share a beginning once in 20 million recordings."""
cursor_of_page = matching(
    r"[0-9a-z]{1,10}-[0-9]{1,9}(?:\.[0-9a-z]{1,10}-[0-9]{1,9})*", "must be the cursor of the page before"
)
"""The cursor that a response has given."""


def lines_told(cursor: str | None) -> Mapping[str, int]:
    """Return how many lines of each media object were on the pages before, by the beginning of its media id.

    Raises:
        InvalidRequest: no response can have given the cursor.
    """
    if cursor is None:
        return {}
    counts = (entry.split("-") for entry in cursor_of_page("cursor", cursor).split("."))
    return {media: int(count) for media, count in counts}


def transcript_page(
    lines: Sequence[Line], speakers: Mapping[str, str], *, told: Mapping[str, int], room: int | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of lines that take at most `room` bytes of the response, and the cursor of the next page.

    None is room for all lines. The page has no line that is among the first `told` ones of its media object. It has at
    least one line, or the cursor would never advance. A speaker whose uid is among `speakers` gets a `speaker_name`.
    """
    page: list[dict[str, Any]] = []
    passed: Counter[str] = Counter()
    for media_id, utterance in lines:
        media = media_id[:_ID_CHARACTERS]
        if passed[media] < told.get(media, 0):
            passed[media] += 1
            continue
        line = utterance.to_map()
        if name := speakers.get(utterance.speaker or ""):
            line["speaker_name"] = name
        if room is not None:
            room -= response_bytes(line)
            if room < 0 and page:
                return page, _cursor(Counter(told) | passed)
        page.append(line)
        passed[media] += 1
    return page, None


def _cursor(told: Mapping[str, int]) -> str:
    return ".".join(f"{media}-{count}" for media, count in told.items())


def response_bytes(value: Any) -> int:
    """Return the bytes that a value adds to a response of Lambda.

    Lambda counts the body as a JSON string inside of JSON: quotes and line breaks are escaped twice.
    """
    return len(json.dumps(json.dumps(value, default=str, ensure_ascii=False)))
