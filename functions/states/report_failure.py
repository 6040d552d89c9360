"""State "Report failure"."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.report_failure import fault_of, report_failure
from recording_insights.settings import ReportFailureSettings
from wiring import Wiring

logger = function_logger("report-failure")
wiring = Wiring(ReportFailureSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, after a Catch with `error` and `failed_state`. Returns the reason, for the console."""
    reason = report_failure(event, store=wiring.media, turns=wiring.turns)
    logger.error("failed", extra={"key": event["key"], "reason": reason, "fault": fault_of(event.get("error", {}))})
    return {"recording_id": event["recording_id"], "key": event["key"], "reason": reason}
