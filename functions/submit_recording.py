"""State "Submit recording"."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights import aws
from recording_insights.media import MediaObject
from recording_insights.providers.port import Provider
from recording_insights.providers.registry import load_provider
from recording_insights.settings import FunctionSettings
from recording_insights.store.media import MediaStore
from recording_insights.workflow.progress import Progress
from recording_insights.workflow.submit_recording import submit_recording

logger = Logger(service="submit-recording")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = submit_recording(
        Progress.from_state(event),
        store=MediaStore(aws.table(settings().table_name)),
        provider_for=provider_for,
        default_provider=settings().provider,
        default_options=settings().provider_options,
        make_link=_make_link,
        ceiling_minutes=settings().submit_ceiling_minutes,
        now=lambda: datetime.now(UTC),
    )
    logger.info("submitted" if progress.outcome == "running" else "not submitted", extra=progress.to_state())
    return progress.to_state()


@cache
def provider_for(name: str) -> Provider:
    """Kept while the worker lives, and with it the provider's token."""
    return load_provider(name, settings())


def _make_link(media: MediaObject) -> str:
    return aws.s3().generate_presigned_url(
        "get_object",
        Params={"Bucket": media.bucket, "Key": media.key},
        ExpiresIn=settings().link_minutes * 60,
    )
