"""Corrections of the waits of Step Functions.

The wait scale multiplies the duration of Wait states and the intervals of `Retry`. It does not touch the time-outs of
tasks and task tokens: what a task does takes real time, whatever the scale.
"""

import math
import random
import threading
import time
from collections.abc import Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

_SCALED_SLEEP = ("scaled = seconds * _SFN_WAIT_SCALE", "time.sleep(scaled)")
_RETRIED = (
    ("_execute_task", "_scaled_sleep(min(sleep_sec, 60))"),
    ("_with_retry_and_catch", '_scaled_sleep(min(interval * (retrier.get("BackoffRate", 2.0) ** count), 60))'),
)
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

    @wraps(stepfunctions._scaled_sleep)
    def sleep(seconds: float) -> None:
        left = seconds
        with scale_may_have_changed:
            while left > 0 and (scale := stepfunctions._SFN_WAIT_SCALE) > 0:
                since = time.monotonic()
                timed_out = not scale_may_have_changed.wait(left * scale)
                left = 0 if timed_out else left - (time.monotonic() - since) / scale

    @wraps(configure)
    async def configure_and_wake(path: str, method: str, body: bytes) -> Any:
        answer = await configure(path, method, body)
        if answer is not None:
            with scale_may_have_changed:
                scale_may_have_changed.notify_all()
        return answer

    stepfunctions._scaled_sleep = sleep
    app._handle_admin_config_request = configure_and_wake


def retry_as_documented() -> None:
    """Let `Retry` respect MaxDelaySeconds and JitterStrategy, and wait longer than 60 s where it says so.

    ministack ignores both fields, and waits for 60 s at most.
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html

    Raises:
        RuntimeError: the installed ministack retries in a way that this module does not know.
    """
    from ministack.services import stepfunctions

    for name, line in _RETRIED:
        require_source(getattr(stepfunctions, name), "_find_matching_retrier(", line)
    require_parameters(stepfunctions._find_matching_retrier, "retriers", "error", "retry_counts")
    find, sleep = stepfunctions._find_matching_retrier, stepfunctions._scaled_sleep
    # A thread that has found a retrier sleeps next: its interval replaces the one that ministack computes.
    found = threading.local()

    @wraps(find)
    def find_and_note_interval(retriers: Any, error: str, counts: Mapping[int, int]) -> Any:
        retrier, index = find(retriers, error, counts)
        found.interval = None if retrier is None else retry_interval(retrier, counts.get(index, 0))
        return retrier, index

    @wraps(sleep)
    def sleep_as_noted(seconds: float) -> None:
        interval, found.interval = getattr(found, "interval", None), None
        sleep(seconds if interval is None else interval)

    stepfunctions._find_matching_retrier = find_and_note_interval
    stepfunctions._scaled_sleep = sleep_as_noted


def retry_interval(retrier: Mapping[str, Any], retries: int) -> float:
    """Return the seconds before the next retry, after so many `retries` of the same retrier."""
    interval: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries
    interval = min(interval, retrier.get("MaxDelaySeconds", math.inf))
    return random.uniform(0, interval) if retrier.get("JitterStrategy") == "FULL" else interval  # noqa: S311 - no secret
