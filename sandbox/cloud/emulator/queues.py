"""Corrections of SQS: dead letters can be moved back, messages wait for workers, none is hidden for over 12 hours."""

import contextvars
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0
LONGEST_HIDDEN_SECONDS = 12 * 3600


def refuse_to_hide_for_too_long() -> None:
    """Refuse a visibility timeout of more than 12 hours, which ministack takes for a received message.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html

    Raises:
        RuntimeError: the installed ministack changes it in another way.
    """
    from ministack.services import sqs  # type: ignore[import-untyped]

    require_parameters(sqs._act_change_visibility, "data", "qurl")
    require_source(sqs._act_change_visibility, 'vt = int(data.get("VisibilityTimeout", 30))')
    change = sqs._act_change_visibility

    @wraps(change)
    def change_within_bounds(data: Mapping[str, Any], url: str) -> Any:
        seconds = int(data.get("VisibilityTimeout", 30))
        if not 0 <= seconds <= LONGEST_HIDDEN_SECONDS:
            reason = f"Must be between 0 and {LONGEST_HIDDEN_SECONDS}, if provided."
            raise sqs._Err(
                "InvalidParameterValue",
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: {reason}",
            )
        return change(data, url)

    sqs._HANDLERS["ChangeMessageVisibility"] = change_within_bounds


def add_message_move_tasks() -> None:
    """Add StartMessageMoveTask and ListMessageMoveTasks, which ministack does not know. A task ends at once.

    A policy can grant them by the ARN of the dead-letter queue.

    A message goes to the `DestinationArn`, else to the queue from which it was moved when it was received too often.
    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html

    Raises:
        RuntimeError: the installed ministack keeps queues in another way.
    """
    from ministack.services import sqs

    require_parameters(sqs._queue_by_arn, "arn")
    require_parameters(sqs._act_send_message, "data", "qurl")
    require_source(sqs._dlq_sweep, 'setdefault("DeadLetterQueueSourceArn"', 'dlq["messages"].append(moved)')
    tasks: dict[str, list[dict[str, Any]]] = {}

    def start(data: Mapping[str, Any], _url: str) -> dict[str, Any]:
        source, destination = data["SourceArn"], data.get("DestinationArn")
        letters = _queue(source)
        moved, now = 0, time.time()
        for message in [message for message in letters["messages"] if message["visible_at"] <= now]:
            target = _queue(destination or (message.get("sys") or {}).get("DeadLetterQueueSourceArn"))
            letters["messages"].remove(message)
            message.update(receive_count=0, first_receive_at=None, receipt_handle=None, visible_at=now)
            target["messages"].append(message)
            moved += 1
        task = {
            "TaskHandle": str(uuid.uuid4()),
            "Status": "COMPLETED",
            "SourceArn": source,
            **({"DestinationArn": destination} if destination else {}),
            "ApproximateNumberOfMessagesMoved": moved,
            "ApproximateNumberOfMessagesToMove": moved,
            "StartedTimestamp": int(now * 1000),
        }
        tasks.setdefault(source, []).insert(0, task)
        sqs.esm_wake.set()
        return {"TaskHandle": task["TaskHandle"]}

    def listed(data: Mapping[str, Any], _url: str) -> dict[str, Any]:
        return {"Results": tasks.get(data["SourceArn"], [])[: int(data.get("MaxResults", 1))]}

    def _queue(arn: str | None) -> Any:
        queue = sqs._queue_by_arn(arn) if arn else None
        if queue is None:
            raise sqs._Err("ResourceNotFoundException", f"The queue {arn} of the message move task does not exist.")
        return queue

    sqs._HANDLERS["StartMessageMoveTask"] = start
    sqs._HANDLERS["ListMessageMoveTasks"] = listed
    _name_queue_to_iam()


def retry_throttled_batches() -> None:
    """Call a function that is throttled again with the messages of a queue, until they are visible to others again.

    ministack gives a batch up at the first throttle: its messages come again when their visibility time-out is over.
    A throttle outlasts no wait scale, so these pauses are seconds of the clock.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

    Raises:
        RuntimeError: the installed ministack hands batches to functions in another way.
    """
    from ministack.services import lambda_svc, sqs

    require_parameters(lambda_svc._run_sqs_batch, "esm", "func_rec", "event", "batch", "queue_url", "queue_name")
    require_source(lambda_svc._run_sqs_batch, "result = _execute_function(func_rec, event)")
    require_source(lambda_svc._throttle_response, '"throttle": True')
    require_source(sqs._collect_msgs, '["visible_at"] =')
    run, execute = lambda_svc._run_sqs_batch, lambda_svc._execute_function
    kept_until: contextvars.ContextVar[float] = contextvars.ContextVar("kept_until", default=0.0)

    @wraps(run)
    def run_and_retry(esm: Any, func_rec: Any, event: Any, batch: Sequence[Mapping[str, Any]], *queue: str) -> None:
        before = kept_until.set(min(message["visible_at"] for message in batch))
        try:
            run(esm, func_rec, event, batch, *queue)
        finally:
            kept_until.reset(before)

    @wraps(execute)
    def execute_or_wait(*args: Any, **kwargs: Any) -> Any:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            result = execute(*args, **kwargs)
            if not result.get("throttle") or time.time() + pause >= kept_until.get():
                return result
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    lambda_svc._run_sqs_batch, lambda_svc._execute_function = run_and_retry, execute_or_wait


def _name_queue_to_iam() -> None:
    """Let IAM know the queue of a message move task, which names it by its ARN."""
    from ministack.core import iam_actions  # type: ignore[import-untyped]

    require_parameters(iam_actions.extract_resource_arn, "service", "method", "path", "headers", "body")
    arn_of = iam_actions.extract_resource_arn

    @wraps(arn_of)
    def arn_of_source(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        source = _source_of_task(headers, body) if service == "sqs" else None
        return source or arn_of(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = arn_of_source


def _source_of_task(headers: Mapping[str, Any], body: bytes) -> str | None:
    target = str(headers.get("x-amz-target") or headers.get("X-Amz-Target") or "")
    if not target.endswith(("StartMessageMoveTask", "ListMessageMoveTasks")):
        return None
    try:
        return str(json.loads(body)["SourceArn"])
    except (ValueError, LookupError, TypeError):
        return None
