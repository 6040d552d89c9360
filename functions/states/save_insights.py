"""State "Save insights"."""

from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.processing.progress import Progress
from recording_insights.processing.save_insights import save_insights
from recording_insights.providers.port import Provider
from recording_insights.providers.registry import load_provider
from recording_insights.settings import FunctionSettings
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore

logger = Logger(service="save-insights")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in; out: the ids and how many items of each kind were written."""
    progress = Progress.from_state(event)
    table = clients.table(settings().table_name)
    counts = save_insights(
        progress,
        store=MediaStore(table),
        insight_store=InsightStore(table),
        replies=ReplyStore(clients.s3(), settings().replies_bucket),
        provider_for=provider_for,
    )
    saved = {"recording_id": progress.recording_id, "media_id": progress.media_id, "items": counts}
    logger.info("saved", extra=saved)
    return saved


@cache
def provider_for(name: str) -> Provider:
    """Only its reading of replies is used: this function may read no secret."""
    return load_provider(name, settings())
