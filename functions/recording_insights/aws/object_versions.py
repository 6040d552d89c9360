"""Delete objects of a bucket with all of their versions, and the markers of deletions before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recording_insights.errors import AwsUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class ObjectVersions:
    """The versions of one bucket's objects. Raises botocore's `ClientError` for faults of S3."""

    s3: "S3Client"
    bucket: str

    def delete(self, prefix: str, *, only: Callable[[str], bool] = lambda key: True) -> Iterator[int]:
        """Delete every version under the keys with a prefix that are `only` these; yield how many, page by page.

        A page has up to 1,000 versions. Without versioning, each object has one. Repeating this deletes what is left.

        Raises:
            AwsUnavailable: S3 has not deleted some of them.
        """
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        for page in pages:
            listed: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed if only(each["Key"])]
            if found:
                self._delete(found)
            yield len(found)

    def delete_object(self, key: str) -> Iterator[int]:
        """Delete every version of one object."""
        return self.delete(key, only=lambda found: found == key)

    def _delete(self, versions: list[Any]) -> None:
        reply = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": versions, "Quiet": True})
        if errors := reply.get("Errors"):
            codes = ", ".join(sorted({str(error.get("Code")) for error in errors}))
            raise AwsUnavailable(f"S3 has not deleted {len(errors)} of {len(versions)} versions ({codes})")
