"""EventBridge: a result that a vendor laid into the replies bucket, or the end of a job at a service of AWS."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import NotFound
from recording_insights.processing.callbacks import Callbacks
from recording_insights.providers.registry import capabilities_of
from recording_insights.settings import FunctionSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="receive-result-event")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Returns what became of it; an exception makes Lambda try again, then the dead-letter queue has the event."""
    callbacks = Callbacks(
        MediaStore(clients.table(settings().table_name)),
        ReplyStore(clients.s3(), settings().replies_bucket),
        clients.end_wait,
    )
    try:
        if event["source"] == "aws.s3":
            outcome: str = callbacks.receive_delivery(event["detail"]["object"]["key"])
        else:
            outcome = callbacks.receive_state_change(*_job_of(event))
    except NotFound as error:
        outcome = str(error)
    logger.info("received", extra={"source": event["source"], "outcome": outcome})
    return {"outcome": outcome}


def _job_of(event: dict[str, Any]) -> tuple[str, str]:
    for provider in settings().providers:
        service = capabilities_of(provider).aws_service
        if service and service.event_source == event["source"]:
            return provider, str(event["detail"][service.job_name])
    raise NotFound(f"no provider of this stack is {event['source']}")
