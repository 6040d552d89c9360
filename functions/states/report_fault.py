"""State "Report fault"."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.report_failure import fault_of
from recording_insights.processing.report_fault import report_fault
from recording_insights.settings import ReportFaultSettings
from wiring import Wiring

logger = function_logger("report-fault")
wiring = Wiring(ReportFaultSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` with `error` and `failed_state` in, `Progress` out."""
    progress = report_fault(event, store=wiring.media, give_up_hours=wiring.settings.give_up_hours)
    logger.warning("fault", extra={**progress.to_state(), "fault": fault_of(event["error"])})
    return progress.to_state()
