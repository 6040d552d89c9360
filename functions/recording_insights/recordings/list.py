"""The list of recordings: filters, pages, and what an entry shows."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recording_insights.bounded import parse_bounded
from recording_insights.errors import InvalidRequest
from recording_insights.model.reasons import is_retryable
from recording_insights.model.status import RECORDING_STATUSES, counts_of, first_summaries
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.derivation import WHY, state_of
from recording_insights.recordings.read import retryable
from recording_insights.recordings.request import CALLERS_WORDS, LONGEST_LABEL
from recording_insights.store.newest_first import newest_first
from recording_insights.store.recordings import Position, RecordingStore, position
from recording_insights.store.rows import RecordingRow, Summary
from recording_insights.validation import (
    Reader,
    Schema,
    moment,
    names_in_text,
    object_of,
    one_of,
    text,
    whole_number_in_text,
)

LARGEST_PAGE = 100
USUAL_PAGE = 20
MOST_EXAMINED = 2000
"""Rows of about 2 KB each, so that an answer takes half a second and 500 read units at most."""
MOST_READ = 200
"""Recordings of a reference, and those that changed, are read one by one: an answer takes two seconds at most."""

THE_PAGE_BEFORE = "must be the cursor of the page before"
_CHANGES = "changes"
"""In place of a time: a cursor of changes is none of the list."""
_LONGEST_PLACE = 1024

LISTED = (
    *("recording_id", "status", "stage", "reason", "reason_code", "created_at", "updated_at", "complete_at"),
    *("version", "duration_ms", *WHY),
    *("channel", "sid", "mode", "provider", "reference", "metadata"),
)
"""The attributes of a recording's row that an entry shows."""


def list_recordings(query: Mapping[str, str], *, store: RecordingStore) -> dict[str, Any]:
    """Return a page of recordings, newest first: `{"recordings": […], "cursor"?: …}`.

    With `updated_since` they are those that changed since then, the one that rests the longest first. Such an answer
    always has a cursor, to be kept for the next call, and `more`: whether the next call may be made at once.

    `query` may hold filters, all of which fit what is returned; `limit` (1 to 100); and the `cursor` of the page
    before. The last page has no cursor. A page with filters may have fewer recordings than its limit, or none, and a
    cursor: one call looks at 2,000 recordings at most, or at 200 of a reference.

    Raises:
        InvalidRequest: names the parameter that is unknown or wrong.
    """
    wanted = object_of(LIST_PARAMETERS)("", query)
    limit = wanted.get("limit", USUAL_PAGE)
    is_by_change = "updated_since" in wanted
    if "cursor" in wanted and isinstance(wanted["cursor"], str) != is_by_change:
        raise InvalidRequest("cursor", THE_PAGE_BEFORE)
    if is_by_change:
        return _changed(wanted, limit, store)
    page: list[RecordingRow] = []
    most = MOST_READ if "reference" in wanted else MOST_EXAMINED
    for number, recording in enumerate(_candidates(wanted, limit, store), start=1):
        if recording["created_at"] < wanted.get("since", ""):
            break
        if _fits(recording, wanted):
            if len(page) == limit:
                return _page(page, after=page[-1])
            page.append(recording)
        if number == most:
            return _page(page, after=recording)
    return _page(page)


def _changed(wanted: Mapping[str, Any], limit: int, store: RecordingStore) -> dict[str, Any]:
    """Return a page of recordings in the order of their changes. Each is read at its last change only."""
    place = max(wanted["updated_since"], wanted.get("cursor", ""))
    page: list[RecordingRow] = []
    more = False
    for number, change in enumerate(store.changes.after(place), start=1):
        recording = None if change.is_erased else store.find(change.recording_id)
        if (
            recording
            and change.is_last_of(recording)
            and _began_between(recording, wanted)
            and _fits(recording, wanted)
        ):
            page.append(recording)
        place = change.place
        if more := len(page) == limit or number == MOST_READ:
            break
    return {"recordings": [_listed(recording) for recording in page], "cursor": cursor_of_place(place), "more": more}


def _began_between(recording: RecordingRow, wanted: Mapping[str, Any]) -> bool:
    since, until = wanted.get("since", ""), wanted.get("until", recording["created_at"] + " ")
    return bool(since <= recording["created_at"] < until)


def _candidates(wanted: Mapping[str, Any], limit: int, store: RecordingStore) -> Iterator[RecordingRow]:
    """Yield the recordings among which those that fit are, newest first.

    Several statuses are looked for among all recordings: a recording whose status changes meanwhile is there once.
    """
    before = min(filter(None, (wanted.get("cursor"), _end(wanted))), default=None)
    if "reference" in wanted:
        places = store.references.of(wanted["reference"], before=before)
        return (found for _, recording_id in places if (found := store.find(recording_id)))
    statuses = wanted.get("status", ())
    has_filters = len(statuses) > 1 or wanted.keys() & _EXACT
    at_once = LARGEST_PAGE if has_filters else limit + 1
    return newest_first(store, statuses[0] if len(statuses) == 1 else None, before=before, at_once=at_once)


def _end(wanted: Mapping[str, Any]) -> Position | None:
    return (wanted["until"], "") if "until" in wanted else None


def _fits(recording: RecordingRow, wanted: Mapping[str, Any]) -> bool:
    given: Mapping[str, Any] = recording
    return recording["status"] in wanted.get("status", RECORDING_STATUSES) and all(
        given.get(name) == wanted[name] for name in _EXACT & wanted.keys()
    )


def _page(page: Sequence[RecordingRow], *, after: RecordingRow | None = None) -> dict[str, Any]:
    shown = {"recordings": [_listed(recording) for recording in page]}
    return {**shown, "cursor": _cursor_of(position(after))} if after else shown


def _listed(recording: RecordingRow) -> dict[str, Any]:
    """Return what a list shows of a recording. Rows of earlier versions name all media objects and count none."""
    named = recording.get("media", {})
    media = [_public_summary(media_id, summary) for media_id, summary in first_summaries(named).items()]
    counts = recording.get("media_counts", counts_of(named.values()))
    shown = {name: value for name, value in recording.items() if name in LISTED}
    return {
        **shown,
        "insights": state_of(recording),
        **retryable(recording, counts),
        "media": media,
        "media_counts": counts,
    }


def _public_summary(media_id: str, summary: Summary) -> dict[str, Any]:
    shown = {"media_id": media_id, **summary}
    if summary["status"] == "failed":
        shown["retryable"] = is_retryable(summary.get("reason_code"))
    return shown


def _cursor_of(where: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(where).encode()).decode().rstrip("=")


def cursor_of_place(place: str) -> str:
    """Return the cursor of a place among the changes."""
    return _cursor_of((_CHANGES, place))


def _position_of(path: str, cursor: Any) -> Position | str:
    """Return where a page began: a position in the list, or a place among the changes."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        created_at, recording_id = parse_bounded(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not (isinstance(created_at, str) and created_at and isinstance(recording_id, str)):
            raise ValueError(cursor)
        if created_at == _CHANGES:
            return _read_place(recording_id)
    except (ValueError, TypeError):
        raise InvalidRequest(path, THE_PAGE_BEFORE) from None
    return created_at, recording_id


def _read_place(place: str) -> str:
    # DynamoDB takes no other keys.
    if not (place and len(place.encode()) <= _LONGEST_PLACE):
        raise ValueError(place)
    return place


def _place_of(path: str, cursor: Any) -> str:
    place = _position_of(path, cursor)
    if not isinstance(place, str):
        raise InvalidRequest(path, THE_PAGE_BEFORE)
    return place


_CURSOR: Schema = {"type": "string", "minLength": 1}
cursor_of_changes = Reader(_place_of, _CURSOR)
"""The cursor of an answer that was sorted by change."""


_EXACT = {"channel", "provider", "reference"}
"""The parameters that an attribute of the row has to equal."""
LIST_PARAMETERS: Mapping[str, Reader[Any]] = {
    "status": names_in_text(*RECORDING_STATUSES),
    "channel": text(LONGEST_LABEL),
    "provider": one_of(*PROVIDERS),
    "reference": CALLERS_WORDS["reference"],
    "since": moment,
    "until": moment,
    "updated_since": moment,
    "limit": whole_number_in_text(1, LARGEST_PAGE),
    "cursor": Reader(_position_of, _CURSOR),
}
"""The query parameters of the list: those of starts from `since` on and before `until`."""
