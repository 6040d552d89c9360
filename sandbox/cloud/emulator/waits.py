"""Corrections of the waits of Step Functions, and of what may not be slower than they are.

The wait scale multiplies the duration of Wait states and the intervals of `Retry`. It does not touch the time-outs of
tasks and task tokens: what a task does takes real time, whatever the scale.
"""

import json
import logging
import threading
import time
from concurrent.futures import Future, wait
from typing import Any

from sandbox.cloud.emulator.internals import require_source

_log = logging.getLogger(__name__)
_SCALED_SLEEP = ("scaled = seconds * _SFN_WAIT_SCALE", "time.sleep(scaled)")
_DISPATCHED = (
    "target=lambda_svc._execute_function_with_config_scope, args=(exec_record, event), daemon=True",
    ").start()",
)
_DELIVERY_SECONDS = 60
_CONFIGURED = ('"stepfunctions._SFN_WAIT_SCALE"', "setattr(mod, var_name, value)")


def apply_wait_scale_at_once() -> None:
    """Let a change of the wait scale also change the waits that are under way.

    ministack reads the scale when a wait begins. Here a wait has a number of seconds left, which pass 1 / scale times
    as fast as the clock. A change through `/_ministack/config` wakes all waits to read the scale again.

    Raises:
        RuntimeError: the installed ministack waits, or is configured, in a way that this module does not know.
    """
    from ministack import app  # type: ignore[import-untyped]
    from ministack.services import stepfunctions  # type: ignore[import-untyped]

    require_source(stepfunctions._scaled_sleep, *_SCALED_SLEEP)
    require_source(app._handle_admin_config_request, *_CONFIGURED)
    scale_may_have_changed = threading.Condition()
    configure = app._handle_admin_config_request

    def sleep(seconds: float) -> None:
        left = seconds
        with scale_may_have_changed:
            while left > 0 and (scale := stepfunctions._SFN_WAIT_SCALE) > 0:
                since = time.monotonic()
                timed_out = not scale_may_have_changed.wait(left * scale)
                left = 0 if timed_out else left - (time.monotonic() - since) / scale

    async def configure_and_wake(path: str, method: str, body: bytes) -> Any:
        answer = await configure(path, method, body)
        if answer is not None:
            with scale_may_have_changed:
                scale_may_have_changed.notify_all()
        return answer

    stepfunctions._scaled_sleep = sleep
    app._handle_admin_config_request = configure_and_wake


def deliver_events_before_waits_end() -> None:
    """Let a wait last until the functions have returned that were handling events when its time was over.

    On AWS an event reaches its function, and the function returns, within seconds, so minutes of waiting see the
    result. Here waits are shorter than the clock, but functions take as long as they take. Call this after
    `apply_wait_scale_at_once`.

    Raises:
        RuntimeError: the installed ministack delivers events to functions in a way that this module does not know.
    """
    from ministack.services import eventbridge, lambda_svc, stepfunctions

    require_source(eventbridge._dispatch_to_lambda, *_DISPATCHED)
    deliveries: set[Future[None]] = set()
    sleep = stepfunctions._scaled_sleep

    def dispatch(arn: str, payload: str) -> None:
        function, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not function or not config:
            _log.warning("EventBridge delivers to the function %s, which does not exist", name)
            return
        record, event = lambda_svc._execution_record_for_config(function, config), json.loads(payload)
        delivery: Future[None] = Future()
        deliveries.add(delivery)

        def deliver() -> None:
            try:
                lambda_svc._execute_function_with_config_scope(record, event)
            finally:
                deliveries.discard(delivery)
                delivery.set_result(None)

        threading.Thread(target=deliver, daemon=True).start()

    def sleep_and_see_events_delivered(seconds: float) -> None:
        sleep(seconds)
        wait(list(deliveries), timeout=_DELIVERY_SECONDS)

    eventbridge._dispatch_to_lambda = dispatch
    stepfunctions._scaled_sleep = sleep_and_see_events_delivered
