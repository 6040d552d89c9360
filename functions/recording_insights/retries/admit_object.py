"""Take an object of the recordings bucket that was ignored or never seen, as its event would have."""

from collections.abc import Callable, Mapping
from typing import Any

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.errors import Conflict, NotFound
from recording_insights.model.media_object import MediaObject
from recording_insights.store.media import MediaStore


def admit_object(
    key: str,
    *,
    bucket: str,
    store: MediaStore,
    find: Callable[[str], StoredFile | None],
    admit: Callable[[MediaObject], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Write the row of the object and start its execution; returns `{"recording_id", "media_id", "execution"}`.

    `find` returns the object of a key, and `admit` does what its event would have done.

    Raises:
        NotFound: there is no such object.
        Conflict: it is ignored, or is a media object already; says why, and what to do.
    """
    file = find(key)
    if file is None:
        raise NotFound(f"the recordings bucket has no object {key}")
    media = MediaObject(bucket, key, file.etag, file.size, file.modified).in_channel("")
    if not media.is_track:
        _check_unknown(media, store)
    admission = admit(media)
    if "ignored" in admission:
        raise Conflict(f"{key} is not processed: {admission['ignored']}")
    return admission


def _check_unknown(media: MediaObject, store: MediaStore) -> None:
    """Refuse a media object that has a row. A track has one row for each continuation, which `admit` tells apart."""
    recording_id = store.recordings.recording_of(media)
    if row := store.find(recording_id, media.media_id):
        known = f"{media.key} is media object {media.media_id} of recording {recording_id} already"
        again = f"POST /recordings/{recording_id}/retry processes it again"
        raise Conflict(f"{known}, and is {row['status']}: {again}")
