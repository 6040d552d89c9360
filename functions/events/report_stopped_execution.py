"""EventBridge "Step Functions Execution Status Change": writes the reason to the row, if no state has done so."""

from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.processing.report_failure import fault_of, report_stopped_execution
from recording_insights.settings import ReportStoppedExecutionSettings
from wiring import Wiring

logger = Logger(service="report-stopped-execution")
wiring = Wiring(ReportStoppedExecutionSettings)


def handler(event: dict[str, Any], context: object) -> None:
    """After an exception, Lambda tries again. In the end the event goes to the dead-letter queue."""
    reason = report_stopped_execution(event["detail"], store=wiring.media, turns=wiring.turns)
    fault = fault_of({"Error": event["detail"].get("error"), "Cause": event["detail"].get("cause")})
    logger.error("stopped", extra={"execution": event["detail"]["name"], "reason": reason, "fault": fault})
