"""Corrections of the waits of Step Functions.

The wait scale multiplies the duration of Wait states and the intervals of `Retry`. It does not touch the time-outs of
tasks and task tokens: what a task does takes real time, whatever the scale.
"""

import threading
import time
from typing import Any

from sandbox.cloud.emulator.internals import require_source

_SCALED_SLEEP = ("scaled = seconds * _SFN_WAIT_SCALE", "time.sleep(scaled)")
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
