"""Pages of a transcript: as many utterances as fit into one response, and the cursor of the next page."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.model.insights import Utterance


def first_utterance(cursor: str | None) -> int:
    """Return the number of the first utterance of a page, counted from 0; a cursor is that number.

    Raises:
        InvalidRequest: the cursor is not a number that a response can have given.
    """
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise InvalidRequest("cursor", "must be the cursor of the page before")
    return int(cursor)


def transcript_page(
    utterances: Sequence[Utterance], speakers: Mapping[str, str], *, first: int, room: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of utterances that take at most `room` bytes of the response, and the cursor of the next page.

    A page has at least one utterance, or the cursor would never advance. A speaker whose uid is among `speakers` gets
    a `speaker_name`.
    """
    page: list[dict[str, Any]] = []
    for utterance in utterances[first:]:
        line = utterance.to_map()
        if name := speakers.get(utterance.speaker or ""):
            line["speaker_name"] = name
        room -= response_bytes(line)
        if room < 0 and page:
            break
        page.append(line)
    end = first + len(page)
    return page, str(end) if end < len(utterances) else None


def response_bytes(value: Any) -> int:
    """Return the bytes that a value adds to a response of Lambda.

    Lambda counts the body as a JSON string inside of JSON: quotes and line breaks are escaped twice.
    """
    return len(json.dumps(json.dumps(value, default=str, ensure_ascii=False)))
