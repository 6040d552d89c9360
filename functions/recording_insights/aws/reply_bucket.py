"""The raw replies of providers in S3, without the credentials of links that vendors repeat."""

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from recording_insights.bounded import CHUNK, LARGEST_REPLY, read_at_most
from recording_insights.errors import ReplyGone, ReplyTooLarge
from recording_insights.redaction import redact_credentials

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CALLBACKS, DELIVERIES, OUTPUTS = "callbacks/", "deliveries/", "outputs/"
"""The prefixes of results that are not yet kept as replies.

A webhook brought them, a vendor uploaded them, or a service of AWS wrote them.
"""


DERIVED = "derived/"
"""The prefix of what is kept while a model derives insights: what it reads, its answers, and how far it has come."""
WORDS = ".words.json.gz"
"""The end of the keys of words, which lie beside the replies that they are from."""


def delivery_key(provider: str, job_name: str) -> str:
    """The key under which a vendor uploads the result of a job."""
    return f"{DELIVERIES}{provider}/{job_name}.json"


def kept_result_key(provider: str, body: bytes, job_name: str | None = None) -> str:
    """The key of a result that a webhook brought; it ends in the name of the job if the webhook's path has it.

    The key follows from the body as received, before redaction. A repeated callback has the same key, and another one
    does not replace it.
    """
    name = f"-{job_name}" if job_name else ""
    return f"{CALLBACKS}{provider}/{sha256(body).hexdigest()}{name}.json"


def read_reply(body: Any, key: str) -> bytes:
    """Return what the body of an object of the replies bucket holds; a vendor may have written it.

    Raises:
        ReplyTooLarge: it holds more than `LARGEST_REPLY`; the rest was not read.
    """
    reply = read_at_most(iter(partial(body.read, CHUNK), b""))
    if reply is None:
        body.close()
        raise ReplyTooLarge(_too_large(key))
    return reply


def _too_large(key: str) -> str:
    return f"the reply {key} has more than {LARGEST_REPLY >> 20} MB"


@dataclass(frozen=True)
class ReplyStore:
    """One object for each try of a media object. Raises botocore's `ClientError` for faults of S3."""

    s3: "S3Client"
    bucket: str

    def keep(self, recording_id: str, media_id: str, number: int, reply: bytes) -> str:
        """Store the reply of a try and return its key.

        Raises:
            ReplyTooLarge: nobody could read it again; nothing was stored.
        """
        key = f"{recording_id}/{media_id}-{number}.json"
        self.put(key, reply)
        return key

    def put(self, key: str, reply: bytes) -> None:
        """Store a reply under a key. Bytes that are no UTF-8 stay as they are, so that a reader refuses them too.

        Raises:
            ReplyTooLarge: nobody could read it again; nothing was stored.
        """
        body = redact_credentials(reply.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        if len(body) > LARGEST_REPLY:
            raise ReplyTooLarge(_too_large(key))
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def keep_words(self, recording_id: str, media_id: str, number: int, words: bytes) -> str:
        """Store the words of a try in one object, compressed as they are, and return its key."""
        key = f"{recording_id}/{media_id}-{number}{WORDS}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=words, ContentType="application/gzip")
        return key

    def read(self, key: str) -> bytes:
        """Return the reply under a key.

        Raises:
            ReplyGone: there is none.
            ReplyTooLarge: it is larger than any that is read.
        """
        from botocore.exceptions import ClientError

        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise ReplyGone(f"there is no {key} in the replies bucket") from None
        return read_reply(body, key)

    def upload_link(self, key: str, *, minutes: int) -> str:
        """A presigned URL that puts an object under a key for so many minutes."""
        params = {"Bucket": self.bucket, "Key": key}
        return self.s3.generate_presigned_url("put_object", Params=params, ExpiresIn=minutes * 60)
