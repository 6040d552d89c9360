"""Correction of the updates of functions: what runs while a function changes runs to its end."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

_LOOK_SECONDS = 0.05
_LONGEST_CALL_SECONDS = 900


def let_running_calls_end() -> None:
    """Let a call end on the old code when the code or the environment of its function changes; the next has the new.

    ministack ends the process of a running call.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

    Raises:
        RuntimeError: the installed ministack updates functions or ends processes in another way.
    """
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]
    from ministack.services import lambda_svc  # type: ignore[import-untyped]

    require_parameters(lambda_runtime.kill_workers, "workers")
    require_source(lambda_runtime.invalidate_worker, "kill_workers(doomed)")
    require_source(lambda_runtime.release_worker, "worker.in_use = False")
    require_source(lambda_svc._update_code, 'invalidate_worker(name, qualifier="$LATEST"')
    require_source(lambda_svc._update_config, 'invalidate_worker(name, qualifier="$LATEST"')
    kill = lambda_runtime.kill_workers
    updating: contextvars.ContextVar[bool] = contextvars.ContextVar("updating", default=False)

    @wraps(kill)
    def kill_when_free(workers: Iterable[Any]) -> None:
        ended = [worker for worker in workers if worker is not None]
        busy = [worker for worker in ended if worker.in_use and updating.get()]
        kill([worker for worker in ended if worker not in busy])
        if busy:
            threading.Thread(target=kill_later, args=(busy,), daemon=True).start()

    def kill_later(busy: list[Any]) -> None:
        deadline = time.monotonic() + _LONGEST_CALL_SECONDS
        while any(worker.in_use for worker in busy) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        kill(busy)

    def as_update(update: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(update)
        def run(*given: Any, **named: Any) -> Any:
            before = updating.set(True)
            try:
                return update(*given, **named)
            finally:
                updating.reset(before)

        return run

    lambda_runtime.kill_workers = kill_when_free
    lambda_svc._update_code = as_update(lambda_svc._update_code)
    lambda_svc._update_config = as_update(lambda_svc._update_config)
