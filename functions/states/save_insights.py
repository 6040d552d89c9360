"""State "Save insights"."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.progress import Progress
from recording_insights.processing.save_insights import save_insights
from recording_insights.settings import SaveInsightsSettings
from wiring import Wiring

logger = function_logger("save-insights")
wiring = Wiring(SaveInsightsSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in. Returns the ids, and how many items of each kind were written."""
    progress = Progress.enter(event)
    counts = save_insights(
        progress,
        store=wiring.media,
        insight_store=wiring.insights,
        replies=wiring.replies,
        # The adapters only read replies: this function has no right to read a secret.
        provider_for=wiring.provider_for,
    )
    saved = {"recording_id": progress.recording_id, "media_id": progress.media_id, "items": counts}
    logger.info("saved", extra=saved)
    return saved
