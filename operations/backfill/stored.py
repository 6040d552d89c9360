"""What lies in the recordings bucket, and how long it is, read by lists, heads and a few ranges."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from operations.deployed_stack import OperationFailed
from recording_insights.aws.recordings_bucket import S3Media, S3TrackFolder
from recording_insights.errors import MediaObjectGone
from recording_insights.hls.playlist import NotAPlaylist, parse_playlist
from recording_insights.media.probe.duration import media_duration_ms
from recording_insights.model.media_object import MediaObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects cannot be read before somebody has them restored."""
_CANNOT_BE_READ = "InvalidObjectState"
_NO_SUCH_KEY = ("400", "404", "KeyTooLongError", "NoSuchKey")


class Archived(Exception):
    """The object is in an archive of S3 and cannot be read."""


@dataclass(frozen=True)
class Stored:
    """An object of the bucket; `etag` has no quotes, `size` is in bytes. `is_archived`: S3 would not return it."""

    key: str
    etag: str
    size: int
    modified: datetime
    is_archived: bool = False

    def media_in(self, bucket: str) -> MediaObject:
        """Return it as the media object that its arrival means."""
        return MediaObject(bucket, self.key, self.etag, self.size, self.modified).in_channel("")


@dataclass(frozen=True)
class RecordingsBucket:
    """Reads one bucket. Raises botocore's `ClientError` for faults of S3."""

    s3: "S3Client"
    name: str

    def list(self, prefix: str) -> Iterator[Stored]:
        """Yield every object whose key begins with the prefix, by key; one call for each 1,000."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
        )
        for page in pages:
            for entry in page.get("Contents", ()):
                is_restored = "RestoreExpiryDate" in entry.get("RestoreStatus", {})
                yield Stored(
                    entry["Key"],
                    entry["ETag"].strip('"'),
                    entry["Size"],
                    entry["LastModified"],
                    is_archived=entry.get("StorageClass") in ARCHIVED and not is_restored,
                )

    def find(self, key: str) -> Stored | None:
        """Return the object of a key, or None if there is none."""
        from botocore.exceptions import ClientError

        try:
            head = self.s3.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_SUCH_KEY:
                return None
            raise
        return Stored(
            key, head["ETag"].strip('"'), head["ContentLength"], head["LastModified"], is_archived=_is_archived(head)
        )

    def duration_ms(self, media: MediaObject) -> int | None:
        """Return the length in ms, read by 8 ranged GETs at most; None if it cannot be known, or not by this caller.

        The length of a track is that of the segments in its playlist.

        Raises:
            NotMedia: the object is recognised as something else.
            MediaObjectGone: it was deleted or replaced.
            Archived: S3 does not return it.
        """
        from botocore.exceptions import ClientError

        try:
            if media.is_track:
                return self._track_ms(media)
            return media_duration_ms(S3Media(self.s3).range_reader(media), media.size)
        except ClientError as error:
            if error.response["Error"]["Code"] == _CANNOT_BE_READ:
                raise Archived from None
            return None

    def _track_ms(self, track: MediaObject) -> int | None:
        found = S3TrackFolder(self.s3, self.name).read(track.playlist)
        if found is None:
            raise MediaObjectGone("the object is gone")
        try:
            return round(1000 * sum(segment.seconds for segment in parse_playlist(found[0]).segments)) or None
        except NotAPlaylist:
            return None


def _is_archived(head: Mapping[str, Any]) -> bool:
    is_restored = 'ongoing-request="false"' in head.get("Restore", "")
    is_cold = head.get("StorageClass") in ARCHIVED or "ArchiveStatus" in head
    return is_cold and not is_restored


def keys_in(lines: Iterable[str], bucket: str) -> list[str]:
    """Return the keys of a list with one in each line, each once. Blanks belong to a key, empty lines do not count.

    Raises:
        OperationFailed: a line names another bucket.
    """
    keys = (line.removeprefix("\ufeff").rstrip("\r\n") for line in lines)
    return [*dict.fromkeys(key_in(key, bucket) for key in keys if key)]


def key_in(text: str, bucket: str) -> str:
    """Return the key of `s3://<bucket>/<key>`, or the text itself if it is no such address.

    Raises:
        OperationFailed: it names another bucket.
    """
    if not text.startswith("s3://"):
        return text
    named, _, key = text.removeprefix("s3://").partition("/")
    if named != bucket:
        raise OperationFailed(f"{text} is not in the recordings bucket {bucket}: copy it there first.")
    return key
