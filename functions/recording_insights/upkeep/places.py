"""Where the files of a recording lie: prefixes and keys of both buckets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from recording_insights.agora.file_names import AgoraName
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, DERIVED, OUTPUTS
from recording_insights.model.media_object import PREPARED, UPLOADS
from recording_insights.store.rows import MediaRow, RecordingRow, TryRow

Bucket = Literal["recordings", "replies"]
RECORDINGS: Bucket = "recordings"
REPLIES: Bucket = "replies"
FOLDERS = ("recordings/", UPLOADS)
"""The recorder writes to `recordings/<recording id>/`, and a caller to `uploads/<recording id>/`."""

Count = Literal["media_objects", "prepared_objects", "reply_objects", "delivery_objects"]


def _any(key: str) -> bool:
    return True


@dataclass(frozen=True)
class Place:
    """Objects of one bucket under a prefix that are `only` these; `count` names them in the receipt."""

    count: Count
    bucket: Bucket
    prefix: str
    only: Callable[[str], bool] = _any

    @classmethod
    def of_key(cls, count: Count, bucket: Bucket, key: str) -> "Place":
        """Return the place of one object."""
        return cls(count, bucket, key, lambda found: found == key)


def places_of_id(recording_id: str, *, providers: Iterable[str], job_prefix: str) -> Iterator[Place]:
    """Yield the places that follow from the recording's id: late files and late results come there too.

    `providers` are those that may have written results, `job_prefix` begins the names of jobs at services of AWS.
    """
    for folder in FOLDERS:
        yield Place("media_objects", RECORDINGS, f"{folder}{recording_id}/")
    yield Place("prepared_objects", RECORDINGS, f"{PREPARED}{recording_id}/")
    yield Place("reply_objects", REPLIES, f"{recording_id}/")
    yield Place("reply_objects", REPLIES, f"{DERIVED}{recording_id}/")
    named = f"-{recording_id}-"
    for provider in sorted(providers):
        yield Place("delivery_objects", REPLIES, f"{DELIVERIES}{provider}/{recording_id}-")
        # The names of callbacks' bodies begin with a digest, and end in the name of the job.
        yield Place("delivery_objects", REPLIES, f"{CALLBACKS}{provider}/", lambda key: named in key)
    for begin in ("", "redacted-"):
        yield Place("delivery_objects", REPLIES, f"{OUTPUTS}{begin}{job_prefix}{recording_id}-")


def places_of_rows(recording: RecordingRow, media: Sequence[MediaRow], tries: Sequence[TryRow]) -> Iterator[Place]:
    """Yield the places that only the rows name: files that were put by hand, and results under a vendor's id."""
    own = tuple(f"{folder}{recording['recording_id']}/" for folder in FOLDERS)
    keys = {key for row in media for key in (row["key"], *row.get("copies", ()))}
    for key in sorted(keys):
        if not key.startswith(own):
            yield Place.of_key("media_objects", RECORDINGS, key)
    if "prefix" not in recording and (sid := recording.get("sid")):
        # Agora's files of a recorder that was started elsewhere: segments and playlists lie beside the media objects.
        for folder in sorted({key.rpartition("/")[0] for key in keys}):
            begin = f"{folder}/" if folder else ""
            for prefix in (f"{begin}{sid}_", f"{begin}bak"):
                yield Place("media_objects", RECORDINGS, prefix, _of_recorder(begin, sid))
    if prepared := sorted({row["prepared"]["key"] for row in media if "prepared" in row}):
        yield from (Place.of_key("prepared_objects", RECORDINGS, key) for key in prepared)
    for row in (*media, *tries):
        job = row.get("job", {})
        outputs = [job["key"]] if "bucket" in job and "key" in job else []
        for key in filter(None, (row.get("delivery"), *outputs)):
            yield Place.of_key("delivery_objects", REPLIES, key)
        if "reply" in row:
            yield Place.of_key("reply_objects", REPLIES, row["reply"])


def media_in(places: Iterable[Place]) -> Iterator[Place]:
    """Yield the places of media and of what was made of them for providers."""
    return (place for place in places if place.count in ("media_objects", "prepared_objects"))


def segments_in(places: Iterable[Place]) -> Iterator[Place]:
    """Yield the places of media, of which only Agora's segments and playlists are meant."""
    for place in places:
        if place.count == "media_objects":
            yield replace(place, only=_segments_of(place.only))


def _segments_of(only: Callable[[str], bool]) -> Callable[[str], bool]:
    def is_segment(key: str) -> bool:
        name = AgoraName.parse(key.rpartition("/")[2])
        return only(key) and name is not None and (name.is_playlist or name.is_segment or name.is_named_as_segment)

    return is_segment


def _of_recorder(folder: str, sid: str) -> Callable[[str], bool]:
    def is_of_recorder(key: str) -> bool:
        name = AgoraName.parse(key.removeprefix(folder))
        return name is not None and name.sid == sid

    return is_of_recorder
