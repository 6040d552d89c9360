"""EventBridge "Object Created" in the recordings bucket → one execution of the workflow."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from recording_insights.aws import clients
from recording_insights.aws.recordings_bucket import S3TrackFolder
from recording_insights.media.intake import admit_media
from recording_insights.media.probe import RangeReader
from recording_insights.model.media_object import MediaObject
from recording_insights.settings import IntakeSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="admit-media")
settings = lru_cache(maxsize=1)(IntakeSettings.from_env)


def handler(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    """Returns what became of the object; an exception makes Lambda try again, then the dead-letter queue has it."""
    media = MediaObject.from_event(event)
    outcome = admit_media(
        media,
        store=MediaStore(clients.table(settings().table_name)),
        default_provider=settings().provider,
        prefix_providers=settings().prefix_providers,
        reader=_reader,
        folder=S3TrackFolder(clients.s3(), media.bucket),
        start_execution=partial(clients.start_execution, settings().workflow_arn),
    )
    logger.info("ignored" if "ignored" in outcome else "admitted", extra={"key": media.key, **outcome})
    return outcome


def _reader(media: MediaObject) -> RangeReader:
    s3 = clients.s3()

    def read(first: int, last: int) -> bytes:
        try:
            reply = s3.get_object(
                Bucket=media.bucket, Key=media.key, IfMatch=f'"{media.etag}"', Range=f"bytes={first}-{last}"
            )
        except s3.exceptions.NoSuchKey:
            raise FileNotFoundError("the object is gone") from None
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            # Its successor has an event of its own; both would be a second job for the same bytes.
            raise FileNotFoundError("the object was replaced by another") from None
        return reply["Body"].read()

    return read
