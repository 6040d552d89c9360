"""Correction of the events that EventBridge delivers to functions: no scaled wait may be shorter than a delivery."""

import json
import logging
import threading
from concurrent.futures import Future, wait
from functools import wraps

from sandbox.cloud.emulator.internals import require_source

_log = logging.getLogger(__name__)
_DISPATCHED = (
    "target=lambda_svc._execute_function_with_config_scope, args=(exec_record, event), daemon=True",
    ").start()",
)
_DELIVERY_SECONDS = 60


def deliver_events_before_waits_end() -> None:
    """Let a wait last until the functions have returned that were handling events when its time was over.

    On AWS an event reaches its function, and the function returns, within seconds, so minutes of waiting see the
    result. Here waits are shorter than the clock, but functions take as long as they take. Call this after
    `apply_wait_scale_at_once`.

    Raises:
        RuntimeError: the installed ministack delivers events to functions in a way that this module does not know.
    """
    from ministack.services import eventbridge, lambda_svc, stepfunctions  # type: ignore[import-untyped]

    require_source(eventbridge._dispatch_to_lambda, *_DISPATCHED)
    deliveries: set[Future[None]] = set()
    sleep = stepfunctions._scaled_sleep

    @wraps(eventbridge._dispatch_to_lambda)
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

    @wraps(sleep)
    def sleep_and_see_events_delivered(seconds: float) -> None:
        sleep(seconds)
        wait(list(deliveries), timeout=_DELIVERY_SECONDS)

    eventbridge._dispatch_to_lambda = dispatch
    stepfunctions._scaled_sleep = sleep_and_see_events_delivered
