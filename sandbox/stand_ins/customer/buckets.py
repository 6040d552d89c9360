"""The customer's bucket, to which a vendor uploads."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class UploadRefused(Exception):
    """The bucket refused the object. `code` is S3's error code, `status` its HTTP status, 0 without an answer."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class BucketAccess:
    """A bucket and the credentials to write to it."""

    bucket: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False, default=None)


class Bucket(Protocol):
    """A bucket with the vendor's access to it."""

    def put(self, key: str, content: bytes | Path) -> None:
        """Upload an object. Raises UploadRefused."""


OpenBucket = Callable[[BucketAccess], Bucket]


def s3_at(endpoint_url: str | None) -> OpenBucket:
    """Return a function that opens buckets at this S3 endpoint (None: AWS) with the customer's credentials."""

    @functools.lru_cache(maxsize=32)  # creating a client takes longer than an upload
    def open_bucket(access: BucketAccess) -> Bucket:
        return _S3Bucket(access, endpoint_url)

    return open_bucket


class _S3Bucket:
    def __init__(self, access: BucketAccess, endpoint_url: str | None) -> None:
        self._bucket = access.bucket
        self._s3 = boto3.session.Session(
            aws_access_key_id=access.access_key,
            aws_secret_access_key=access.secret_key,
            aws_session_token=access.session_token,
            region_name=access.region,
        ).client(
            "s3",
            endpoint_url=endpoint_url,
            config=Config(
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3},
            ),
        )

    def put(self, key: str, content: bytes | Path) -> None:
        try:
            if isinstance(content, Path):
                with content.open("rb") as file:
                    self._s3.put_object(Bucket=self._bucket, Key=key, Body=file)
            else:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        except ClientError as error:
            raise UploadRefused(
                error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            ) from None
        except BotoCoreError as error:
            raise UploadRefused(type(error).__name__, 0) from None
