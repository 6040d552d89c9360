"""Tracks in S3: their files are read, and what is made of them is kept, in the recordings bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGEST_BYTES = 64 << 20
"""Ten times as much as a slice of a minute with picture: what a remux holds several times over in memory."""


@dataclass(frozen=True)
class StoredFile:
    """An object of the bucket and when it was written."""

    key: str
    modified: datetime

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class S3TrackFolder:
    """`s3` is boto3's client; every method raises botocore's `ClientError` for a fault of S3, to be retried."""

    s3: "S3Client"
    bucket: str

    def read(self, key: str) -> tuple[bytes, datetime] | None:
        """An object and when it was written; None if there is none. What is too large to be of a track is empty."""
        try:
            reply = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None
        fits = reply["ContentLength"] <= LARGEST_BYTES
        return reply["Body"].read() if fits else b"", reply["LastModified"]

    def list(self, prefix: str) -> Sequence[StoredFile]:
        """Every object of the folder whose key begins so; one call per thousand."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        return [StoredFile(entry["Key"], entry["LastModified"]) for page in pages for entry in page.get("Contents", ())]

    def keep(self, key: str, file: Path) -> tuple[str, int]:
        """Store a file, in parts if it is large; its etag and its size in bytes."""
        self.s3.upload_file(str(file), self.bucket, key, ExtraArgs={"ContentType": "audio/mp4"})
        stored = self.s3.head_object(Bucket=self.bucket, Key=key)
        return stored["ETag"].strip('"'), stored["ContentLength"]
