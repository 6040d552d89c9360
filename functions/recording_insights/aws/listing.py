"""All objects of a bucket in the order of their keys, by lists alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.aws.recordings_bucket import StoredFile, stored_file

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class S3Listing:
    """Lists one bucket. Raises botocore's `ClientError` for faults of S3."""

    s3: "S3Client"
    bucket: str

    def files(self, *, prefix: str = "", after: str = "") -> Iterator[StoredFile]:
        """Yield every object whose key begins with the prefix and comes after a key; one call for each 1,000."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, StartAfter=after)
        for page in pages:
            yield from map(stored_file, page.get("Contents", ()))
