"""Corrections of CloudWatch: it has the metrics that functions print, and those that AWS's services report.

ministack keeps what PutMetricData brings. Of its services only Lambda reports, and only of some calls.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.emf import read_emf
from sandbox.cloud.emulator.internals import require_parameters, require_source

_EXECUTIONS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}
"""The metric that counts the executions which take a status."""


def lose_no_values() -> None:
    """Keep the values of a metric in one list, whichever threads add to it while another one forgets old values.

    ministack's lists may be replaced between the moment at which a thread finds one and the moment at which it adds.

    Raises:
        RuntimeError: the installed ministack keeps or forgets values in another way.
    """
    from ministack.services import cloudwatch  # type: ignore[import-untyped]

    require_source(cloudwatch._metric_bucket, "pts = _metrics.get(key)", "_metrics[key] = pts")
    require_source(cloudwatch._evict_old_metrics, "cutoff = time.time() - TWO_WEEKS_SECONDS", "del _metrics[key]")
    bucket, evict = cloudwatch._metric_bucket, cloudwatch._evict_old_metrics

    @wraps(bucket)
    def one_list(key: tuple[str, ...]) -> Any:
        return cloudwatch._metrics.setdefault(key, [])

    @wraps(evict)
    def evict_in_place() -> None:
        cutoff = time.time() - cloudwatch.TWO_WEEKS_SECONDS
        for key, points in cloudwatch._metrics.items():
            while points and points[0]["Timestamp"] < cutoff:
                del points[0]
                if not points:
                    cloudwatch._metrics.pop(key, None)

    cloudwatch._metric_bucket = one_list
    cloudwatch._evict_old_metrics = evict_in_place


def read_metrics_of_functions() -> None:
    """Turn each line that a function prints in the embedded metric format into metrics, when it is printed.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html

    Raises:
        RuntimeError: the installed ministack reads the output of functions, or keeps metrics, in another way.
    """
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]
    from ministack.services import cloudwatch

    require_source(
        lambda_runtime.Worker._read_stderr,
        "for line in self._proc.stderr:",
        'self._stderr_queue.put(line.rstrip("\\n"))',
    )
    require_parameters(
        cloudwatch._store_datum, *("namespace", "name", "dims", "ts", "unit", "value", "values", "counts")
    )
    read = lambda_runtime.Worker._read_stderr

    @wraps(read)
    def read_also_metrics(worker: Any) -> None:
        process, lines = worker._proc, worker._stderr_queue
        with suppress(OSError, ValueError):  # the process has ended
            for line in process.stderr:
                lines.put(line.rstrip("\n"))
                for namespace, name, dimensions, timestamp, unit, values in read_emf(line):
                    cloudwatch._store_datum(namespace, name, dimensions, timestamp, unit, None, values, None, None)

    lambda_runtime.Worker._read_stderr = read_also_metrics


def count_calls_of_functions() -> None:
    """Report AWS/Lambda for every call: Invocations, Errors and Duration of a call, Throttles of one that is refused.

    ministack does so for calls of its own API only, and knows no error of an asynchronous one.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

    Raises:
        RuntimeError: the installed ministack calls functions, or reports of them, in another way.
    """
    from ministack.services import lambda_svc

    require_parameters(lambda_svc._execute_function, "func", "event")
    require_source(lambda_svc._execute_function, "if _function_config_scope_mismatch(config):", "_throttle_response(")
    require_source(lambda_svc._emit_lambda_metrics, '"AWS/Lambda", "Throttles"')
    execute, emit = lambda_svc._execute_function, lambda_svc._emit_lambda_metrics

    @wraps(execute)
    def execute_and_report(function: Mapping[str, Any], event: Any) -> Any:
        config = function.get("config") or function
        if lambda_svc._function_config_scope_mismatch(config):
            return execute(function, event)  # which comes back here, in the scope of the function
        since = time.monotonic()
        result = execute(function, event)
        milliseconds, throttled = 1000 * (time.monotonic() - since), bool(result.get("throttle"))
        for dimensions in ({"FunctionName": config["FunctionName"]}, {}):
            _count("AWS/Lambda", dimensions, {"Throttles": float(throttled)})
            if not throttled:
                _count("AWS/Lambda", dimensions, {"Invocations": 1.0, "Errors": float(bool(result.get("error")))})
                _record("AWS/Lambda", dimensions, "Duration", milliseconds, "Milliseconds")
        return result

    @wraps(emit)
    def emit_nothing(*_: Any, **__: Any) -> None:
        """The call itself is reported."""

    lambda_svc._execute_function = execute_and_report
    lambda_svc._emit_lambda_metrics = emit_nothing


def count_executions() -> None:
    """Report AWS/States, by state machine: executions that started, succeeded, failed, were aborted or timed out.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html

    Raises:
        RuntimeError: the installed ministack changes the status of executions in another way.
    """
    from ministack.services import stepfunctions

    require_parameters(stepfunctions._emit_execution_status_event, "execution")
    for changes in ("_start_execution", "_run_execution", "_fail_execution", "_stop_execution"):
        require_source(getattr(stepfunctions, changes), "_emit_execution_status_event(")
    emit = stepfunctions._emit_execution_status_event

    @wraps(emit)
    def count_and_emit(execution: Mapping[str, Any]) -> None:
        _count("AWS/States", {"StateMachineArn": execution["stateMachineArn"]}, {_EXECUTIONS[execution["status"]]: 1.0})
        emit(execution)

    stepfunctions._emit_execution_status_event = count_and_emit


def count_requests_of_apis() -> None:
    """Report AWS/ApiGateway of HTTP APIs: Count, 4xx and 5xx, also of requests that IAM denies.

    They are there by API, by API and stage, and by route, as with detailed metrics.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html

    Raises:
        RuntimeError: the installed ministack serves HTTP APIs in another way.
    """
    from ministack import app  # type: ignore[import-untyped]
    from ministack.services import apigateway

    require_parameters(app._enforce_execute_api, "api_id", "stage", "method", "execute_path")
    require_source(app._handle_execute_api_request, "denied = _enforce_execute_api(", "apigw_v2.handle_execute(")
    require_parameters(apigateway._handle_execute_in_scope, "api_id", "stage", "path", "method")
    require_source(apigateway._match_route, 'route.get("routeKey", "")')
    enforce, handle = app._enforce_execute_api, apigateway._handle_execute_in_scope

    def count(api: str, stage: str, method: str, path: str, status: int) -> None:
        if api not in apigateway._apis:
            return
        answered = {"Count": 1.0, "4xx": float(400 <= status < 500), "5xx": float(status >= 500)}
        route = apigateway._match_route(api, method, "/" + path.lstrip("/"))
        of_stage = {"ApiId": api, "Stage": stage}
        _count("AWS/ApiGateway", {"ApiId": api}, answered)
        _count("AWS/ApiGateway", of_stage, answered)
        if route and (parts := route["routeKey"].split(" ", 1))[1:]:
            _count("AWS/ApiGateway", {**of_stage, "Method": parts[0], "Resource": parts[1]}, answered)

    @wraps(enforce)
    def enforce_and_count(api: str, stage: str, method: str, path: str, *rest: Any, **named: Any) -> Any:
        denied = enforce(api, stage, method, path, *rest, **named)
        if denied:
            count(api, stage, method, path, denied[0])
        return denied

    @wraps(handle)
    async def handle_and_count(api: str, stage: str, path: str, method: str, *rest: Any, **named: Any) -> Any:
        status = 500
        try:
            response = await handle(api, stage, path, method, *rest, **named)
            status = response[0]
            return response
        finally:
            count(api, stage, method, path, status)

    app._enforce_execute_api = enforce_and_count
    apigateway._handle_execute_in_scope = handle_and_count


def report_of_queues() -> Callable[[float], None]:
    """Return a function that reports AWS/SQS at a time, by queue.

    It reports the numbers of the messages, and the age of the oldest one in seconds. The age in a dead-letter queue
    begins when the message is moved there.
    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html

    Raises:
        RuntimeError: the installed ministack keeps messages in another way.
    """
    from ministack.services import sqs

    require_source(sqs._act_send_message, '"sent_at": now', '"visible_at": now + delay', '"receive_count": 0')
    require_source(sqs._dlq_sweep, 'moved["visible_at"] = now', 'setdefault("DeadLetterQueueSourceArn"')
    require_source(
        sqs._ensure_msg_fields, 'm.setdefault("sent_at", time.time())', 'm.setdefault("receipt_handle", None)'
    )
    require_source(sqs._refresh_counts, 'm["visible_at"] <= now', 'm["receive_count"] == 0')

    def report(now: float) -> None:
        for queue in sqs._queues.values():
            messages = list(queue["messages"])
            for message in messages:
                sqs._ensure_msg_fields(message)  # as before a message is received
            hidden = [message for message in messages if message["visible_at"] > now]
            delayed = sum(not message["receive_count"] for message in hidden)
            dimensions = {"QueueName": queue["name"]}
            numbers = {
                "ApproximateNumberOfMessagesVisible": float(len(messages) - len(hidden)),
                "ApproximateNumberOfMessagesNotVisible": float(len(hidden) - delayed),
                "ApproximateNumberOfMessagesDelayed": float(delayed),
            }
            _count("AWS/SQS", dimensions, numbers)
            age = now - min([now, *map(_came_at, messages)])
            _record("AWS/SQS", dimensions, "ApproximateAgeOfOldestMessage", age, "Seconds")

    return report


def _came_at(message: Mapping[str, Any]) -> float:
    """Return the time at which a message came into the queue where it is."""
    was_moved = message["receipt_handle"] is None and "DeadLetterQueueSourceArn" in (message.get("sys") or {})
    return float(message["visible_at"] if was_moved else message["sent_at"])


def _count(namespace: str, dimensions: Mapping[str, str], counted: Mapping[str, float]) -> None:
    for name, value in counted.items():
        _record(namespace, dimensions, name, value, "Count")


def _record(namespace: str, dimensions: Mapping[str, str], name: str, value: float, unit: str) -> None:
    from ministack.services import cloudwatch

    cloudwatch.record_metric(namespace, name, value, unit, dimensions)
