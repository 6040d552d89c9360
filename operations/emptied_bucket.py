"""Empty a bucket that goes with its stack: S3 deletes none that holds an object, an old version or a delete marker."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.deployed_stack import Clients, OperationFailed, Report
from recording_insights.aws.object_versions import ObjectVersions
from recording_insights.errors import AwsUnavailable

NO_WRITES = "NoWritesBeforeDeletion"
"""The statement of the bucket's policy that ends what writes."""
MOST_PASSES = 5
EVERY = 10_000
_GONE = ("NoSuchBucket", "NoSuchUpload")


@dataclass(frozen=True)
class Content:
    """Versions of objects, delete markers counted with them, and multipart uploads that have not ended."""

    versions: int = 0
    uploads: int = 0


@dataclass(frozen=True)
class EmptiedBucket:
    """One bucket. Each method does nothing to a bucket that is gone. They raise botocore's `ClientError`."""

    client: Clients
    name: str
    partition: str
    report: Report

    def content(self) -> Content:
        """Count what the bucket holds, with a call for each 1,000 of them."""
        versions = uploads = 0
        with _unless_gone():
            for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
                before = versions
                versions += len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ()))
                self._say("Counting in", before, versions)
            uploads = sum(1 for _ in self._uploads())
        return Content(versions, uploads)

    def end_writes(self) -> None:
        """Deny everybody to write objects: functions, providers, links and recorders under way."""
        with _unless_gone():
            policy = self._policy()
            if any(statement.get("Sid") == NO_WRITES for statement in policy["Statement"]):
                return
            arn = f"arn:{self.partition}:s3:::{self.name}/*"
            deny = {"Sid": NO_WRITES, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": arn}
            policy["Statement"].append(deny)
            self._s3.put_bucket_policy(Bucket=self.name, Policy=json.dumps(policy))

    def empty(self) -> int:
        """Delete all versions, markers and unfinished uploads, page by page; return how many versions.

        A run that breaks off can be repeated. It looks again until it finds nothing, because a policy takes some
        seconds until it acts everywhere.

        Raises:
            OperationFailed: S3 does not delete some of them, or somebody writes on.
        """
        deleted = 0
        with _unless_gone():
            for _ in range(MOST_PASSES):
                found = self._end_uploads()
                for count in self._delete():
                    before, deleted, found = deleted, deleted + count, found + count
                    self._say("Emptying", before, deleted)
                if not found:
                    return deleted
            raise OperationFailed(f"Somebody still writes to {self.name}: find out who, and run the command again.")
        return deleted

    @property
    def _s3(self) -> Any:
        return self.client("s3")

    def _policy(self) -> dict[str, Any]:
        try:
            text = self._s3.get_bucket_policy(Bucket=self.name)["Policy"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
                raise
            return {"Version": "2012-10-17", "Statement": []}
        policy: dict[str, Any] = json.loads(text)
        return policy

    def _uploads(self) -> Iterator[Mapping[str, Any]]:
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.name):
            yield from page.get("Uploads", ())

    def _end_uploads(self) -> int:
        ended = 0
        for upload in self._uploads():
            with _unless_gone():
                self._s3.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])
                ended += 1
        return ended

    def _delete(self) -> Iterator[int]:
        try:
            yield from ObjectVersions(self._s3, self.name).delete("")
        except AwsUnavailable as error:
            raise OperationFailed(f"{self.name}: {error}. Run the command again.") from None

    def _say(self, doing: str, before: int, now: int) -> None:
        if now // EVERY > before // EVERY:
            self.report(f"{doing} {self.name}: {now:,} versions of objects so far")


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Do nothing if the bucket, or the upload, is gone."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
