"""The life of a recording as the API sees it: start, stop, look at one, list them."""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraError, Conflict, InvalidRequest, NotFound, SecretUnusable
from recording_insights.model.parts import place
from recording_insights.model.status import RECORDING_STATUSES
from recording_insights.recordings.end import end_left, end_stopped, free_channel
from recording_insights.store.recordings import Position, RecordingStore, position
from recording_insights.store.rows import MediaRow, RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

LARGEST_PAGE = 100
USUAL_PAGE = 20

_INTERNAL = {"pk", "sk", "version", "resource_id", "fingerprint", "media", "last_fail_over", "changing_until"}
_INTERNAL_OF_MEDIA = {
    "pk",
    "sk",
    "recording_id",
    "job",
    "callback_job",
    "task_token",
    "delivery",
    "unconfirmed",
    "asking",
    "being_made",
    "went_on",
}
_LISTED = (
    *("recording_id", "status", "reason", "created_at", "updated_at", "complete_at"),
    *("channel", "sid", "provider"),
)


def stop_recording(
    recording_id: str, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> RecordingRow:
    """Have the recorder leave its channel; returns the recording as it is then. Repeating it changes nothing.

    A recording that was never started through the API, or never began, has nothing to stop.

    Raises:
        NotFound: there is no such recording.
        Conflict: Agora has not named the recorder yet, and cannot be told to stop it.
        SecretUnusable, AgoraError: the recorder may still be in the channel.
    """
    recording = store.get(recording_id)
    never_began = recording["status"] == "failed" and "sid" not in recording
    if "channel" not in recording or "stopped_at" in recording or never_began:
        return recording
    if not {"sid", "resource_id"} <= recording.keys():
        raise Conflict("the recorder has not reported its id yet; try again in a few seconds")
    stopped = agora.stop(recording, deadline)
    if stopped.left:
        after = end_left(recording_id, store=store, why=stopped.reason or "Agora finds it no more")
    else:
        after = end_stopped(recording_id, store=store, empty=stopped.reason if stopped.empty else None)
    free_channel(recording, store=store)
    return after or store.get(recording_id)


def describe_recording(
    recording_id: str, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> dict[str, Any]:
    """The recording, its media objects and, until its files are here, Agora's live state.

    Agora being out of reach does not hide the rest: `live` then says why it is missing.

    Raises:
        NotFound: there is no such recording.
    """
    found = store.find_with_media(recording_id)
    if found is None:
        raise NotFound(f"no recording {recording_id}")
    recording, media = found
    live: dict[str, Any] | None = None
    if recording["status"] in ("starting", "recording", "stopping") and {"sid", "resource_id"} <= recording.keys():
        try:
            state = agora.query(recording, deadline)
        except (AgoraError, SecretUnusable) as error:
            live = {"unavailable": str(error)}
        else:
            live = {"status": state.status, "meaning": state.meaning, "files": list(state.files)}
            live |= {} if state.onhold is None else {"onhold": state.onhold}
            if state.records:
                recording = store.update(recording_id, {"status": "recording"}, only_in=("starting",)) or recording
    return {
        **public(recording),
        "media": [_public_media(item) for item in sorted(media, key=place)],
        **({"live": live} if live else {}),
    }


def list_recordings(query: Mapping[str, str], *, store: RecordingStore) -> dict[str, Any]:
    """A page of recordings, newest first: `{"recordings": […], "cursor"?: …}`.

    `query` may hold `status`, `limit` (1 to 100) and the `cursor` of the page before; without a cursor in the
    answer there are no more.

    Raises:
        InvalidRequest: names the parameter that is unknown or wrong.
    """
    for name in query:
        if name not in ("status", "limit", "cursor"):
            raise InvalidRequest(name, "unknown; the parameters are status, limit, cursor")
    status, limit = query.get("status"), query.get("limit", str(USUAL_PAGE))
    if status is not None and status not in RECORDING_STATUSES:
        raise InvalidRequest("status", f"must be one of {', '.join(RECORDING_STATUSES)}")
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 3 and 1 <= int(limit) <= LARGEST_PAGE):
        raise InvalidRequest("limit", f"must be a whole number from 1 to {LARGEST_PAGE}")
    before = _position_of(query["cursor"]) if "cursor" in query else None
    found = store.newest([status] if status else RECORDING_STATUSES, int(limit) + 1, before=before)
    page = found[: int(limit)]
    return {
        "recordings": [_listed(recording) for recording in page],
        **({"cursor": _cursor_of(position(page[-1]))} if len(found) > len(page) else {}),
    }


def public(recording: RecordingRow) -> dict[str, Any]:
    """A recording without what only concerns its storage."""
    return {name: value for name, value in recording.items() if name not in _INTERNAL}


def _public_media(item: MediaRow) -> dict[str, Any]:
    """A media object without the vendor's ids of its jobs; who gave up on it, and why, is its story."""
    given_up = [{name: value for name, value in one.items() if name != "job"} for one in item.get("given_up", ())]
    told = {name: value for name, value in item.items() if name not in _INTERNAL_OF_MEDIA}
    return {**told, **({"given_up": given_up} if given_up else {})}


def _listed(recording: RecordingRow) -> dict[str, Any]:
    media = sorted(recording.get("media", {}).values(), key=lambda summary: summary["key"])
    return {**{name: value for name, value in recording.items() if name in _LISTED}, "media": media}


def _cursor_of(where: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(where).encode()).decode().rstrip("=")


def _position_of(cursor: str) -> Position:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        created_at, recording_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not (isinstance(created_at, str) and created_at and isinstance(recording_id, str)):
            raise ValueError(cursor)
    except (ValueError, TypeError, RecursionError):
        raise InvalidRequest("cursor", "is not one that this list has given") from None
    return created_at, recording_id
