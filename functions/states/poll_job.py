"""State "Poll job"."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.poll_job import poll_job
from recording_insights.processing.progress import Progress
from recording_insights.settings import PollJobSettings
from wiring import Wiring, utc_now

logger = function_logger("poll-job")
wiring = Wiring(PollJobSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = poll_job(
        Progress.enter(event),
        store=wiring.media,
        provider_for=wiring.provider_for,
        replies=wiring.replies,
        turns=wiring.turns,
        ceiling_minutes=wiring.settings.poll_ceiling_minutes,
        now=utc_now,
    )
    logger.info("polled", extra=progress.to_state())
    return progress.to_state()
