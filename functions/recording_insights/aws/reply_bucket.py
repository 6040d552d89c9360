"""Raw provider replies in S3: kept as they came, but for the links that vendors echo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.redaction import redact_links

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CALLBACKS, DELIVERIES, OUTPUTS = "callbacks/", "deliveries/", "outputs/"
"""Where results lie as they came, until they are kept: with a webhook, by a vendor's own hand, by a service of AWS."""


@dataclass(frozen=True)
class ReplyStore:
    """One object per media object; raises botocore's `ClientError` for faults of S3."""

    s3: "S3Client"
    bucket: str

    def keep(self, recording_id: str, media_id: str, reply: bytes) -> str:
        """Store a reply and return its key."""
        key = f"{recording_id}/{media_id}.json"
        self.put(key, reply)
        return key

    def put(self, key: str, reply: bytes) -> None:
        """Store a reply under a key."""
        body = redact_links(reply.decode()).encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def read(self, key: str) -> bytes:
        """A kept reply."""
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
