"""Receive result event: EventBridge reports a result in the replies bucket, or the end of a job at a service of AWS.

A vendor uploaded the result, or `keep_result` stored it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from recording_insights.aws.reply_bucket import CALLBACKS
from recording_insights.errors import NotFound
from recording_insights.processing.callbacks import Callbacks
from recording_insights.providers.registry import capabilities_of


def receive_result_event(event: Mapping[str, Any], *, callbacks: Callbacks, providers: Iterable[str]) -> str:
    """End the wait for the event's job. Returns the outcome, or why the event was ignored.

    `providers` are the providers of the stack.

    Raises:
        NotFound: a result that `keep_result` stored belongs to no job here, or not yet. No vendor sends it again, so
            the event must stay.
    """
    key = event["detail"]["object"]["key"] if event["source"] == "aws.s3" else ""
    if key.startswith(CALLBACKS):
        return callbacks.receive_kept_result(key)
    try:
        if key:
            return callbacks.receive_delivery(key)
        return callbacks.receive_state_change(*_job_of(event, providers))
    except NotFound as error:
        return str(error)


def _job_of(event: Mapping[str, Any], providers: Iterable[str]) -> tuple[str, str]:
    """The provider and the name of the job that ended."""
    for provider in providers:
        service = capabilities_of(provider).aws_service
        if service and service.event_source == event["source"]:
            return provider, str(event["detail"][service.job_name])
    raise NotFound(f"no provider of this stack is {event['source']}")
