"""State "Submit recording"."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.media_stream import S3MediaStream
from recording_insights.aws.reply_bucket import DELIVERIES
from recording_insights.aws.secrets import read_secret
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.callbacks import callback_token
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import ProviderChoice
from recording_insights.processing.submit_recording import Handover, submit_recording
from recording_insights.providers.port import CallbackAddress, Delivery, Provider
from recording_insights.providers.registry import PROVIDERS, load_provider
from recording_insights.settings import SubmitSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="submit-recording")
settings = lru_cache(maxsize=1)(SubmitSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = submit_recording(
        Progress.from_state(event),
        store=MediaStore(clients.table(settings().table_name)),
        providers=ProviderChoice(
            load=load,
            checks=lambda name: PROVIDERS[name].options,
            options=settings().provider_options,
            failover=settings().failover,
        ),
        handover=Handover(link=_make_link, stream=_open, callback=_callback, delivery=_delivery),
        ceiling_minutes=settings().submit_ceiling_minutes,
        failover_minutes=settings().failover_minutes,
        now=lambda: datetime.now(UTC),
    )
    taken = progress.outcome in ("running", "awaiting")
    logger.info("submitted" if taken else "not submitted", extra=progress.to_state())
    return progress.to_state()


@cache
def load(name: str) -> Provider:
    """Kept while the worker lives, and with it the provider's token."""
    return load_provider(name, settings())


def _make_link(media: MediaObject) -> str:
    return clients.s3().generate_presigned_url(
        "get_object",
        Params={"Bucket": media.bucket, "Key": media.key},
        ExpiresIn=settings().link_minutes * 60,
    )


def _open(media: MediaObject) -> S3MediaStream:
    body = clients.s3().get_object(Bucket=media.bucket, Key=media.key, IfMatch=f'"{media.etag}"')["Body"]
    return S3MediaStream(body, media.size)


def _callback(provider: str, job_name: str) -> CallbackAddress:
    secret = read_secret(settings().webhook_secret, ("key",))["key"]
    url = f"{settings().webhook_url}/webhooks/{provider}/{job_name}"
    return CallbackAddress(url, callback_token(secret, provider, job_name))


def _delivery(provider: str, job_name: str) -> Delivery:
    bucket, key = settings().replies_bucket, f"{DELIVERIES}{provider}/{job_name}.json"

    def make_link() -> str:
        return clients.s3().generate_presigned_url(
            "put_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=settings().link_minutes * 60
        )

    return Delivery(bucket, key, make_link)
