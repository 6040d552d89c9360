"""State "Report failure"."""

from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.processing.report_failure import fault_of, report_failure
from recording_insights.settings import ReportFailureSettings
from wiring import Wiring

logger = Logger(service="report-failure")
wiring = Wiring(ReportFailureSettings)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, after a Catch with `error` and `failed_state`. Returns the reason, for the console."""
    reason = report_failure(event, store=wiring.media, turns=wiring.turns)
    ids = {name: event[name] for name in ("recording_id", "media_id", "key")}
    logger.error("failed", extra={**ids, "reason": reason, "fault": fault_of(event.get("error", {}))})
    return {"recording_id": event["recording_id"], "key": event["key"], "reason": reason}
