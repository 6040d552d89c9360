"""State "Report failure"."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.processing.report_failure import report_failure
from recording_insights.settings import FunctionSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="report-failure")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress`, after a Catch with `error` and `failed_state`, in; out: the reason, for the console."""
    reason = report_failure(event, store=MediaStore(clients.table(settings().table_name)))
    logger.error("failed", extra={"recording_id": event["recording_id"], "key": event["key"], "reason": reason})
    return {"recording_id": event["recording_id"], "key": event["key"], "reason": reason}
