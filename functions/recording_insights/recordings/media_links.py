"""Links to play what was recorded, each with its place in the recording."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from recording_insights.model.media_object import is_made_of_segments
from recording_insights.model.moments import utc_text
from recording_insights.model.places import Place, places
from recording_insights.recordings.track_names import names_in
from recording_insights.store.erasures import refuse_erasing
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow

LINK_MINUTES = 15
"""The life of a link: long enough to begin to play. A bucket refuses links that are older than `linkMinutes`."""

Link = Callable[[str, str, str, int], str]
"""Signs a link: bucket, key, content type, minutes."""

CONTENT_TYPES = {
    "mp4": "video/mp4",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "webm": "video/webm",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "mov": "video/quicktime",
    "mkv": "video/matroska",
}
"""By format. The link makes S3 answer with it, whatever the uploader said: a browser plays it, and runs nothing."""


def list_links(
    recording_id: str, *, store: RecordingStore, link: Link, clock: Callable[[], datetime]
) -> dict[str, Any]:
    """Return a link for each media object of a recording that can be played, in the order of its transcript.

    A part is played from its own file. A track, or what was recovered from segments, is played from the file that was
    prepared of it, and has no link before. `offset_ms` is where the file begins in the recording, as in the transcript.
    It is absent behind a part whose length is not known.

    What the retention has deleted has no link, and `media_deleted_at` says when that was.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased, or is being erased.
    """
    recording, media, _ = store.get_whole(recording_id)
    refuse_erasing(recording)
    # Rounded down to the second, as the signature is.
    expires_at = utc_text(clock().replace(microsecond=0) + timedelta(minutes=LINK_MINUTES))
    speakers = recording.get("speakers", {})
    entries = []
    for place, is_known in _places(media):
        file = _file_of(place.media)
        if file is None or place.media["arrived_at"] <= recording.get("media_deleted_at", ""):
            continue
        key, content_type = file
        url = link(place.media["bucket"], key, content_type, LINK_MINUTES)
        uid = place.media.get("uid")
        entry = {
            "media_id": place.media["media_id"],
            "url": url,
            "expires_at": expires_at,
            "content_type": content_type,
            "offset_ms": place.begins_ms if is_known else None,
            "duration_ms": place.media.get("duration_ms"),
            "uid": uid,
            "speaker_name": names_in(speakers, place.media["media_id"]).get(uid or ""),
        }
        entries.append({name: value for name, value in entry.items() if value is not None})
    answer: dict[str, Any] = {"recording_id": recording_id, "media": entries}
    if "media_deleted_at" in recording:
        answer["media_deleted_at"] = recording["media_deleted_at"]
    return answer


def _places(media: Sequence[MediaRow]) -> Iterator[tuple[Place, bool]]:
    """Yield each place in the recording, and whether the lengths of all parts before it are known."""
    is_known = True
    for place in places(media):
        is_known = is_known or "offset_ms" in place.media
        yield place, is_known
        is_known = is_known and ("part" not in place.media or "duration_ms" in place.media)


def _file_of(row: MediaRow) -> tuple[str, str] | None:
    """Return key and content type of the file that can be played; None if there is none yet."""
    if not is_made_of_segments(row):
        return row["key"], CONTENT_TYPES.get(row["format"], "application/octet-stream")
    return (row["prepared"]["key"], "audio/mp4") if "prepared" in row else None
