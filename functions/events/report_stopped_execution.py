"""EventBridge "Step Functions Execution Status Change": writes the reason to the row, if no state has done so."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.report_failure import fault_of, report_stopped_execution
from recording_insights.settings import ReportStoppedExecutionSettings
from wiring import Wiring

logger = function_logger("report-stopped-execution")
wiring = Wiring(ReportStoppedExecutionSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> None:
    """After an exception, Lambda tries again. In the end the event goes to the dead-letter queue."""
    reason = report_stopped_execution(event["detail"], store=wiring.media, turns=wiring.turns)
    fault = fault_of({"Error": event["detail"].get("error"), "Cause": event["detail"].get("cause")})
    logger.error("stopped", extra={"execution": event["detail"]["name"], "reason": reason, "fault": fault})
