"""State "Poll job"."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.processing.poll_job import poll_job
from recording_insights.processing.progress import Progress
from recording_insights.providers.port import Provider
from recording_insights.providers.registry import load_provider
from recording_insights.settings import FunctionSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="poll-job")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = poll_job(
        Progress.from_state(event),
        store=MediaStore(clients.table(settings().table_name)),
        provider_for=provider_for,
        replies=ReplyStore(clients.s3(), settings().replies_bucket),
        ceiling_minutes=settings().poll_ceiling_minutes,
        now=lambda: datetime.now(UTC),
    )
    logger.info("polled", extra=progress.to_state())
    return progress.to_state()


@cache
def provider_for(name: str) -> Provider:
    """Kept while the worker lives, and with it the provider's token."""
    return load_provider(name, settings())
