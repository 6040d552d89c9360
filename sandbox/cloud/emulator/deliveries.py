"""Corrections of the events that EventBridge and asynchronous callers deliver.

An event of a function is tried as often as AWS tries it, and is a dead letter then. So is an event that a rule cannot
deliver. The wait scale multiplies the pauses between tries, and no scaled wait is shorter than a delivery.
"""

import contextvars
import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source
from sandbox.cloud.emulator.rights import role_allows, rule_may_deliver

_log = logging.getLogger(__name__)
_DISPATCHED = (
    "target=lambda_svc._execute_function_with_config_scope, args=(exec_record, event), daemon=True",
    ").start()",
)
_DELIVERY_SECONDS = 60
_PAUSE_SECONDS = 60
_LONGEST_PAUSE_SECONDS = 300
_RETRIES = 2
_LONGEST_AGE_SECONDS = 6 * 3600
Deliver = Callable[[str, Any, Callable[[], None]], None]


def try_events_as_documented() -> Deliver:
    """Try an event of a function again after an error, twice, and for hours while the function is throttled.

    An event whose tries are used up, or that is older than the function allows, goes to the function's `OnFailure`
    destination or its dead-letter queue, if its role allows that. ministack counts a throttle as a try. Call this after
    `apply_wait_scale_at_once`.

    Returns: deliver(function ARN, event, when_tried), which calls `when_tried` after the first try.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

    Raises:
        RuntimeError: the installed ministack calls functions in another way.
    """
    from ministack.services import lambda_svc, stepfunctions  # type: ignore[import-untyped]

    require_parameters(lambda_svc.invoke_async_with_retry, "func", "event")
    require_source(lambda_svc.invoke_async_with_retry, "last_result = _execute_function(func, event)")
    require_source(lambda_svc._execute_function, "return _throttle_response(")
    require_source(lambda_svc._throttle_response, '"throttle": True')
    require_parameters(lambda_svc._route_async_failure, "target_arn", "func_name", "event", "result")
    pause = stepfunctions._scaled_sleep

    def tries(arn: str, event: Any, when_tried: Callable[[], None]) -> None:
        retries = throttles = 0
        age = 0.0
        while True:
            function, config, name = lambda_svc._get_func_record_for_ref(arn)
            if not function:
                _log.warning("The function %s does not exist: an event is dropped", name)
                when_tried()
                return
            record = lambda_svc._execution_record_for_config(function, config)
            result = lambda_svc._execute_function_with_config_scope(record, event)
            when_tried()
            rules = _invoke_config(function)
            if result.get("throttle"):
                seconds = min(2**throttles, _LONGEST_PAUSE_SECONDS)
                throttles += 1
            elif not result.get("error"):
                return
            else:
                retries += 1
                seconds = _PAUSE_SECONDS * retries
            age += seconds
            if retries > rules.get("MaximumRetryAttempts", _RETRIES) or age > rules.get(
                "MaximumEventAgeInSeconds", _LONGEST_AGE_SECONDS
            ):
                _bury(name, config, rules, event, result)
                return
            pause(seconds)

    under_way: dict[str, Mapping[str, Any]] = {}

    def deliver(arn: str, event: Any, when_tried: Callable[[], None] = lambda: None) -> None:
        key, context = str(uuid.uuid4()), contextvars.copy_context()
        under_way[key] = {"arn": arn, "event": event}

        def run() -> None:
            tries(arn, event, when_tried)
            del under_way[key]

        threading.Thread(target=context.run, args=(run,), daemon=True).start()

    @wraps(lambda_svc.invoke_async_with_retry)
    def invoke(function: Mapping[str, Any], event: Any) -> None:
        deliver(function["config"]["FunctionArn"], event)

    _keep_over_restarts(under_way, deliver)
    lambda_svc.invoke_async_with_retry = invoke
    return deliver


def _keep_over_restarts(under_way: Mapping[str, Mapping[str, Any]], deliver: Callable[[str, Any], None]) -> None:
    """Save the events that are under way when ministack stops, and deliver them again when it is ready."""
    from ministack import app  # type: ignore[import-untyped]
    from ministack.services import lambda_svc

    require_source(lambda_svc.get_state, '"functions": funcs')
    require_source(lambda_svc.load_persisted_state, "_restore_state(data)")
    require_source(app._run_ready_scripts, "ready.d")
    get, load, ready = lambda_svc.get_state, lambda_svc.load_persisted_state, app._run_ready_scripts
    saved: list[Mapping[str, Any]] = []

    @wraps(get)
    def get_with_events() -> Any:
        return {**get(), "events_under_way": list(under_way.values())}

    @wraps(load)
    def load_with_events(state: Mapping[str, Any]) -> None:
        load(state)
        saved.extend(state.get("events_under_way", ()))

    @wraps(ready)
    async def deliver_saved() -> None:
        await ready()
        for item in saved:
            deliver(item["arn"], item["event"])

    lambda_svc.get_state, lambda_svc.load_persisted_state = get_with_events, load_with_events
    app._run_ready_scripts = deliver_saved


def _invoke_config(function: Mapping[str, Any]) -> Mapping[str, Any]:
    configs = function.get("event_invoke_configs") or {}
    return function.get("event_invoke_config") or configs.get("$LATEST") or {}


def _bury(
    name: str, config: Mapping[str, Any], rules: Mapping[str, Any], event: Any, result: Mapping[str, Any]
) -> None:
    """Send an event that failed to the destination of failures or the dead-letter queue of its function."""
    from ministack.services import lambda_svc

    destination = rules.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    letters = config.get("DeadLetterConfig", {}).get("TargetArn")
    if destination and role_allows(config["Role"], "sqs:SendMessage", destination):
        lambda_svc._route_async_failure(destination, name, event, result)
    elif letters and role_allows(config["Role"], "sqs:SendMessage", letters):
        body = result.get("body")
        message = body.get("errorMessage") if isinstance(body, Mapping) else None
        attributes = {"RequestID": str(uuid.uuid4()), "ErrorCode": "200", "ErrorMessage": message}
        _send(letters, json.dumps(event), attributes)
    else:
        _log.warning("An event of the function %s failed for good, and nothing keeps it", name)


def _send(queue_arn: str, body: str, attributes: Mapping[str, str | None]) -> None:
    from ministack.services import sqs

    queue = sqs._queue_by_arn(queue_arn)
    if queue is None:
        _log.warning("The dead-letter queue %s does not exist", queue_arn)
        return
    given = {name: {"DataType": "String", "StringValue": value[:1024]} for name, value in attributes.items() if value}
    url = sqs._queue_url(queue_arn.rsplit(":", 1)[-1])
    sqs._act_send_message({"QueueUrl": url, "MessageBody": body, "MessageAttributes": given}, url)


def bury_what_rules_cannot_deliver() -> None:
    """Let a rule deliver to a function, a queue and a log group only with permission, and keep what it cannot deliver.

    What is refused, or has no target any more, goes to the `DeadLetterConfig` of the target, whose policy must let the
    rule send.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

    Raises:
        RuntimeError: the installed ministack delivers events in another way.
    """
    from ministack.services import eventbridge

    require_parameters(eventbridge._invoke_target, "target", "event", "rule", "view")
    require_source(eventbridge._invoke_target, "_dispatch_to_lambda(arn, event_payload)", "_dispatch_to_sqs(spec, ")
    require_source(eventbridge._pattern_event_view, '"detail-type"')
    invoke = eventbridge._invoke_target

    @wraps(invoke)
    def invoke_or_bury(target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], view: Any = None) -> None:
        arn, rule_arn = target.get("Arn", ""), str(rule.get("Arn", ""))
        code = _fault(target, rule_arn)
        if code is None:
            invoke(target, event, rule, view)
            return
        letters = (target.get("DeadLetterConfig") or {}).get("Arn", "")
        _log.warning("The rule %s cannot deliver to %s: %s", rule_arn, arn, code)
        if letters and rule_may_deliver(rule_arn, letters):
            view = view or eventbridge._pattern_event_view(event)
            attributes = {"RULE_ARN": rule_arn, "TARGET_ARN": arn, "ERROR_CODE": code}
            _send(letters, json.dumps(view.event_with_detail()), attributes)

    eventbridge._invoke_target = invoke_or_bury


def _fault(target: Mapping[str, Any], rule: str) -> str | None:
    """Return the error code of EventBridge if a rule cannot deliver to a target."""
    from ministack.services import cloudwatch_logs, lambda_svc, sqs

    arn = target.get("Arn", "")
    actions = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage"}
    find: Mapping[str, Callable[[str], Any]] = {
        "lambda": lambda arn: lambda_svc._get_func_record_for_ref(arn)[0],
        "sqs": sqs._queue_by_arn,
        "logs": cloudwatch_logs._resolve_group_by_arn,
    }
    service = arn.split(":")[2]
    if service not in find:
        return None
    if find[service](arn) is None:
        return "RESOURCE_NOT_FOUND"
    # A schedule of EventBridge Scheduler calls its target under a role of its own.
    if ":schedule/" in rule and service in actions:
        allowed = role_allows(target.get("RoleArn", ""), actions[service], arn)
    else:
        allowed = rule_may_deliver(rule, arn)
    return None if allowed else "NO_PERMISSIONS"


def deliver_events_before_waits_end(deliver: Deliver) -> None:
    """Let a wait last until the functions have returned that were handling events of rules when its time was over.

    On AWS an event reaches its function, and the function returns, within seconds, so minutes of waiting see the
    result. Here waits are shorter than the clock, but functions take as long as they take. `deliver` is what
    `try_events_as_documented` returned. Call this after `retry_as_documented`.

    Raises:
        RuntimeError: the installed ministack delivers events to functions in a way that this module does not know.
    """
    from ministack.services import eventbridge, stepfunctions

    require_source(eventbridge._dispatch_to_lambda, *_DISPATCHED)
    deliveries: set[Future[None]] = set()
    sleep = stepfunctions._scaled_sleep

    @wraps(eventbridge._dispatch_to_lambda)
    def dispatch(arn: str, payload: str) -> None:
        delivery: Future[None] = Future()
        deliveries.add(delivery)

        def tried() -> None:
            if not delivery.done():
                deliveries.discard(delivery)
                delivery.set_result(None)

        deliver(arn, json.loads(payload), tried)

    @wraps(sleep)
    def sleep_and_see_events_delivered(seconds: float) -> None:
        sleep(seconds)
        wait(list(deliveries), timeout=_DELIVERY_SECONDS)

    eventbridge._dispatch_to_lambda = dispatch
    stepfunctions._scaled_sleep = sleep_and_see_events_delivered
