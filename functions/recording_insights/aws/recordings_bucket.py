"""The recordings bucket: media objects as links, streams and byte ranges, and the files of tracks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from recording_insights.errors import MediaObjectGone

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

LARGEST_BYTES = 64 << 20
"""Ten times the size of a segment of one minute with video. A remux holds several segments in memory."""
CHUNK_BYTES = 1024 * 1024
_CHECKSUMS = ("CRC64NVME", "CRC32", "CRC32C", "SHA1", "SHA256")
"""An object has one checksum. Where S3 returns several, the first of these counts."""
_GONE = {
    "404": "the object is gone",
    "NoSuchKey": "the object is gone",
    # The new version has an event of its own. Both events together would pay for two jobs.
    "412": "the object was replaced by another",
    "PreconditionFailed": "the object was replaced by another",
}
"""What S3's error codes say of a version that is not there any more. A reply to HEAD has the number only."""
_CONTENT_TYPES = {
    "mp4": "audio/mp4",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
}


class S3Object(Protocol):
    """One version of an object: its bucket, key and ETag, and its size in bytes."""

    @property
    def bucket(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def etag(self) -> str: ...

    @property
    def size(self) -> int: ...


@dataclass(frozen=True)
class S3MediaStream:
    """The bytes of a media object in chunks, never all in memory. `len` is their number."""

    body: "StreamingBody"
    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return self.body.iter_chunks(CHUNK_BYTES)


@dataclass(frozen=True)
class S3Media:
    """Reads media objects with boto3's client. Raises botocore's `ClientError` for faults of S3."""

    s3: "S3Client"

    def link(self, media: S3Object, *, minutes: int) -> str:
        """A presigned URL that gets the object for so many minutes."""
        params = {"Bucket": media.bucket, "Key": media.key}
        return self.s3.generate_presigned_url("get_object", Params=params, ExpiresIn=minutes * 60)

    def play_link(self, bucket: str, key: str, content_type: str, minutes: int) -> str:
        """A presigned URL that gets an object for so many minutes, and as this content type."""
        params = {"Bucket": bucket, "Key": key, "ResponseContentType": content_type}
        return self.s3.generate_presigned_url("get_object", Params=params, ExpiresIn=minutes * 60)

    def upload_link(
        self, bucket: str, key: str, *, size: int, content_type: str, checksum: str | None, minutes: int
    ) -> str:
        """A presigned URL that puts one object with this size and content type, for so many minutes.

        S3 refuses another size or type, and a second object under the key. With a `checksum`, the SHA-256 in base64, it
        refuses another content.
        Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        params = {
            "Bucket": bucket,
            "Key": key,
            "ContentLength": size,
            "ContentType": content_type,
            "IfNoneMatch": "*",
            **({"ChecksumSHA256": checksum} if checksum else {}),
        }
        return self.s3.generate_presigned_url("put_object", Params=params, ExpiresIn=minutes * 60)

    def stream(self, media: S3Object) -> S3MediaStream:
        """The bytes of exactly this version of the object."""
        reply = self.s3.get_object(Bucket=media.bucket, Key=media.key, IfMatch=f'"{media.etag}"')
        return S3MediaStream(reply["Body"], media.size)

    def range_reader(self, media: S3Object) -> Callable[[int, int], bytes]:
        """A function that reads the bytes from a first to a last offset of exactly this version of the object.

        The function raises `MediaObjectGone` if the object was deleted or replaced.
        """
        from botocore.exceptions import ClientError

        def read(first: int, last: int) -> bytes:
            try:
                reply = self.s3.get_object(
                    Bucket=media.bucket, Key=media.key, IfMatch=f'"{media.etag}"', Range=f"bytes={first}-{last}"
                )
            except ClientError as error:
                if _is_absent(self.s3, media.bucket, media.key, error):
                    raise MediaObjectGone(_GONE["NoSuchKey"]) from None
                raise _gone(error) or error from None
            return reply["Body"].read()

        return read

    def find(self, bucket: str, key: str) -> "StoredFile | None":
        """The present version of an object, or None if there is none."""
        from botocore.exceptions import ClientError

        try:
            head = self.s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if _gone(error):
                return None
            raise
        return StoredFile(key, head["LastModified"], head["ETag"].strip('"'), head["ContentLength"])

    def checksum(self, media: S3Object) -> str | None:
        """S3's own checksum of exactly this version, as `<algorithm>:<type>:<base64>:<size in bytes>`; None without.

        Equal checksums mean equal content. A `COMPOSITE` checksum depends on the parts of the upload as well, so the
        same content may have another one. The content of an object that is encrypted with KMS has a checksum only for
        callers with kms:Decrypt.
        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html

        Raises:
            MediaObjectGone: the object was deleted or replaced.
        """
        from botocore.exceptions import ClientError

        try:
            head = self.s3.head_object(
                Bucket=media.bucket, Key=media.key, IfMatch=f'"{media.etag}"', ChecksumMode="ENABLED"
            )
        except ClientError as error:
            raise _gone(error) or error from None
        found: Mapping[str, Any] = head
        for algorithm in _CHECKSUMS:
            if value := found.get(f"Checksum{algorithm}"):
                kind = head.get("ChecksumType") or ("COMPOSITE" if "-" in value else "FULL_OBJECT")
                return f"{algorithm}:{kind}:{value}:{media.size}"
        return None


def _is_absent(s3: "S3Client", bucket: str, key: str, error: "ClientError") -> bool:
    """Return whether an object that S3 denied is not there.

    Of a missing object, S3 says "access denied" to a caller that may not list the bucket. Whether the right to list a
    prefix is enough is not documented, but it is enough to look for the key.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    from botocore.exceptions import ClientError

    if error.response["Error"]["Code"] != "AccessDenied":
        return False
    try:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    except ClientError:
        return False
    return all(entry["Key"] != key for entry in listed.get("Contents", ()))


def _gone(error: "ClientError") -> MediaObjectGone | None:
    """Return what an error of S3 says of a version that was deleted or replaced; None for any other error."""
    reason = _GONE.get(error.response["Error"]["Code"])
    return MediaObjectGone(reason) if reason else None


@dataclass(frozen=True)
class StoredFile:
    """An object of the bucket and when it was written; `etag` has no quotes, `size` is in bytes."""

    key: str
    modified: datetime
    etag: str = ""
    size: int = 0

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


def stored_file(entry: "ObjectTypeDef") -> StoredFile:
    """Return what an entry of a list says of an object."""
    return StoredFile(entry["Key"], entry["LastModified"], entry["ETag"].strip('"'), entry["Size"])


@dataclass(frozen=True)
class S3TrackFolder:
    """The files of tracks in one bucket. Every method raises botocore's `ClientError` for a fault of S3."""

    s3: "S3Client"
    bucket: str

    def read(self, key: str) -> tuple[bytes, datetime] | None:
        """The content of an object and when it was written, or None if there is none.

        The content is empty if the object is larger than any file of a track.
        """
        from botocore.exceptions import ClientError

        try:
            reply = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            if _is_absent(self.s3, self.bucket, key, error):
                return None
            raise
        fits = reply["ContentLength"] <= LARGEST_BYTES
        return reply["Body"].read() if fits else b"", reply["LastModified"]

    def list(self, prefix: str) -> Sequence[StoredFile]:
        """Every object of the folder whose key begins with the prefix. Makes one call for each 1,000 objects."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        return [stored_file(entry) for page in pages for entry in page.get("Contents", ())]

    def keep(self, key: str, file: Path) -> tuple[str, int]:
        """Store a file, in several parts if it is large. Returns its ETag and its size in bytes.

        Its content type follows from the suffix of the key.
        """
        content_type = _CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        self.s3.upload_file(str(file), self.bucket, key, ExtraArgs={"ContentType": content_type})
        stored = self.s3.head_object(Bucket=self.bucket, Key=key)
        return stored["ETag"].strip('"'), stored["ContentLength"]
