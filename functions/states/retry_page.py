"""State "Retry page"."""

from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.logs import function_logger, with_ids
from recording_insights.retries.retry_page import retry_page
from recording_insights.settings import RetryPageSettings
from wiring import Wiring

logger = function_logger("retry-page")
wiring = Wiring(RetryPageSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"retry_id"}` in, and out with the outcome and the seconds to wait."""
    page = retry_page(
        event,
        store=wiring.media,
        retries=wiring.retries,
        executions=wiring.workflow,
        per_minute=wiring.settings.retries_per_minute,
        deadline=Deadline.after(context.get_remaining_time_in_millis() / 1000),
    )
    logger.info("retried", extra=page)
    return page
