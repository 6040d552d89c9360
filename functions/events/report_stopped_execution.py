"""EventBridge "Step Functions Execution Status Change" → the reason on the row, if nobody left one."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.processing.report_failure import report_stopped_execution
from recording_insights.settings import FunctionSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="report-stopped-execution")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> None:
    """An exception makes Lambda try again, then the dead-letter queue has the event."""
    reason = report_stopped_execution(event["detail"], store=MediaStore(clients.table(settings().table_name)))
    logger.error("stopped", extra={"execution": event["detail"]["name"], "reason": reason})
