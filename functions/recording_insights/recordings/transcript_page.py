"""Pages of a transcript: as many utterances as fit into one response, and the cursor of the next page.

A cursor holds the number of lines of each media object that earlier pages had. A position in the whole transcript
would move whenever a track ends between two pages, because the transcript is sorted by time.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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


def told_of(media_id: str, told: Mapping[str, int]) -> int:
    """Return how many lines of a media object were told."""
    return told.get(media_id[:_ID_CHARACTERS], 0)


@dataclass(frozen=True)
class Page:
    """What a page of a transcript may hold: bytes of the response, and lines. None is room for all.

    It has no line that is among the first `told` ones of its media object.
    """

    told: Mapping[str, int] = field(default_factory=dict)
    room: int | None = None
    most: int | None = None


def transcript_page(
    lines: Iterable[Line],
    show: Callable[[Line], Mapping[str, Any]],
    wanted: Page,
    *,
    passed: Mapping[str, int] | None = None,
) -> tuple[list[Mapping[str, Any]], str | None]:
    """Return a page of lines, each as `show` has it, and the cursor of the next page.

    The page has at least one line, or the cursor would never advance. `passed` are the lines of each media object that
    come before `lines`, by the media id.
    """
    page: list[Mapping[str, Any]] = []
    room = wanted.room
    ahead = Counter({media_id[:_ID_CHARACTERS]: count for media_id, count in (passed or {}).items()})
    for line in lines:
        media = line.media_id[:_ID_CHARACTERS]
        if ahead[media] < wanted.told.get(media, 0):
            ahead[media] += 1
            continue
        if len(page) == wanted.most:
            return page, _cursor(Counter(wanted.told) | ahead)
        shown = show(line)
        if room is not None:
            room -= response_bytes(shown)
            if room < 0 and page:
                return page, _cursor(Counter(wanted.told) | ahead)
        page.append(shown)
        ahead[media] += 1
    return page, None


def _cursor(told: Mapping[str, int]) -> str:
    return ".".join(f"{media}-{count}" for media, count in told.items())


def response_bytes(value: Any) -> int:
    """Return the bytes that a value adds to a response of Lambda.

    Lambda counts the body as a JSON string inside of JSON: quotes and line breaks are escaped twice.
    """
    return len(json.dumps(json.dumps(value, default=str, ensure_ascii=False)))
