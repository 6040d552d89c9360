"""Correction of Step Functions: executions go on after the local cloud was stopped and started.

ministack saves executions when it stops, and fails those that run when it starts, without an event. On AWS nothing
stops. Here an execution goes on in the state in which it was:

* A Task, Map or Parallel state is entered again, so that its calls may be made twice, as after a `Retry`.
* A Task state that waits for its token waits on for the same token, without a second call. A Wait state waits for what
  was left of its seconds. The clock stands still meanwhile.
* The history has a second event of the state's beginning.

The local cloud stops when the calls that are under way have ended, or after CALLS_SECONDS. Calls that fail because it
stops do not count as failures.
"""

import asyncio
import contextvars
import copy
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import Replacements, require_parameters, require_source, rewrite

_RUN: Replacements = [
    (
        '    try:\n        while current_name and execution["status"] == "RUNNING":',
        """    all_states, current_name, current_input = _go_on(exec_arn, ctx, all_states, current_name, current_input)
    try:
        while current_name and execution["status"] == "RUNNING":""",
    ),
    (
        'ctx["State"] = {"Name": current_name, "EnteredTime": now_iso(), "RetryCount": 0}',
        """ctx["State"] = {"Name": current_name, "EnteredTime": now_iso(), "RetryCount": 0}
            _enter(exec_arn, ctx, all_states, current_name, current_input)""",
    ),
]
_TASK: Replacements = [
    ('ctx["Task"] = {"Token": new_uuid()}', 'ctx["Task"] = {"Token": _token_before() or new_uuid()}')
]
_CALLBACK: Replacements = [
    (
        '    timeout = state_def.get("TimeoutSeconds", 99999)\n',
        '    _await_token(token)\n    timeout = state_def.get("TimeoutSeconds", 99999)\n',
    ),
]
CALLS_VARIABLE = "SANDBOX_CALLS_SECONDS"
"""The variable that replaces CALLS_SECONDS."""
CALLS_SECONDS = 60
"""The time that functions have to end their work before the local cloud stops: that of a call to a vendor, and more.

A function that is cut off between a vendor's answer and its row pays a second time."""
_LOOK_SECONDS = 0.05
_CALLED_BEFORE = "called before"
"""A resource that is none: ministack calls nothing, and awaits the token."""


def go_on_after_restarts() -> None:
    """Let executions go on where they were. Must come before the other corrections of Step Functions.

    Raises:
        RuntimeError: the installed ministack runs, saves or restores executions, or stops, in another way.
    """
    import hypercorn.asyncio
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]
    from ministack.services import stepfunctions  # type: ignore[import-untyped]

    require_source(stepfunctions.get_state, '"executions": copy.deepcopy(_executions)')
    require_source(stepfunctions.load_persisted_state, "return _restore_state(data)")
    require_source(stepfunctions._restore_state, 'exc["error"] = "States.ServiceRestart"', "_executions.update(")
    require_parameters(stepfunctions._execute_wait, "state_def", "raw_input", "ctx")
    require_parameters(stepfunctions._jsonata_wait_seconds, "state_def", "raw_input", "ctx")
    require_parameters(stepfunctions._find_matching_retrier, "retriers", "error", "retry_counts")
    require_parameters(stepfunctions._fail_execution, "execution", "error", "cause")
    require_parameters(stepfunctions._invoke_with_callback, "resource", "input_data", "token", "state_def")
    require_source(lambda_runtime.acquire_worker, "worker.in_use = True", "_workers")
    require_source(app.main, "hypercorn_serve(app, config)")
    require_source(app._run_ready_scripts, "ready.d")
    require_parameters(app.save_all, "services")
    require_parameters(hypercorn.asyncio.serve, "app", "config")
    rewrite(
        (stepfunctions._run_execution, _RUN),
        (stepfunctions._execute_task, _TASK),
        (stepfunctions._invoke_with_callback, _CALLBACK),
    )
    restarts = _Restarts(stepfunctions)
    stepfunctions._go_on, stepfunctions._enter = restarts.go_on, restarts.enter
    stepfunctions._token_before, stepfunctions._await_token = restarts.token_before, restarts.await_token
    for name in ("_execute_wait", "_invoke_with_callback", "_find_matching_retrier", "_fail_execution"):
        setattr(stepfunctions, name, getattr(restarts, name.removeprefix("_"))(getattr(stepfunctions, name)))
    for name in ("get_state", "load_persisted_state"):
        setattr(stepfunctions, name, getattr(restarts, name)(getattr(stepfunctions, name)))
    app._run_ready_scripts = restarts.start_after(app._run_ready_scripts)
    app.save_all = _as_the_last_work(app.save_all)
    hypercorn.asyncio.serve = restarts.until_stopped(hypercorn.asyncio.serve)


Place = dict[str, Any]
"""{states, name, input, variables, since, token?, waited?}: where an execution is.

`since` is the time at which its state, or the wait for its token, began. `waited` are seconds of that before a restart.
"""


class _Restarts:
    """Knows where each execution is, and wraps the functions of ministack that this concerns."""

    def __init__(self, stepfunctions: Any) -> None:
        self._stepfunctions = stepfunctions
        self._places: dict[str, Place] = {}
        self._before: dict[str, Place] = {}
        """The places of the executions that go on, until they are where they were."""
        self._to_start: set[str] = set()
        self._stopping = False
        # An execution runs on a thread with a context of its own.
        self._running: contextvars.ContextVar[str] = contextvars.ContextVar("restarted_execution", default="")

    def go_on(self, execution: str, ctx: dict[str, Any], *start: Any) -> tuple[Any, ...]:
        """Return the states, the name of the first one and its input: those of `start` unless it goes on."""
        self._running.set(execution)
        place = self._before.get(execution)
        if place is None:
            return start
        ctx["variables"] = place["variables"]
        return place["states"], place["name"], place["input"]

    def enter(self, execution: str, ctx: Mapping[str, Any], states: Any, name: str, given: Any) -> None:
        """Note that an execution enters a state."""
        if (before := self._before.get(execution)) and before["name"] != name:
            del self._before[execution]
        variables = copy.deepcopy(ctx["variables"])
        place = {"states": states, "name": name, "input": given, "variables": variables, "since": time.time()}
        self._places[execution] = place
        self._park_if_stopping()

    def token_before(self) -> str | None:
        """Return the token for which the present execution waited, if it goes on with that."""
        return self._before.get(self._running.get(), {}).get("token")

    def await_token(self, token: str) -> None:
        """Note that the call of the present task is made, and that it waits for the token now."""
        place = self._places.get(self._running.get())
        if place and _type_of(place) == "Task":  # the tokens within a Map or Parallel state are made anew
            place.update(token=token, since=time.time())

    def invoke_with_callback(self, invoke: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(invoke)
        def wait_on(resource: str, given: Any, token: str, state: Mapping[str, Any]) -> Any:
            if self.token_before() != token:
                return invoke(resource, given, token, state)
            left = max(state.get("TimeoutSeconds", 99999) - self._waited_before(), 0)
            return invoke(_CALLED_BEFORE, given, token, {**state, "TimeoutSeconds": left})

        return wait_on

    def execute_wait(self, wait: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(wait)
        def wait_for_rest(state: Mapping[str, Any], given: Any, ctx: Any = None) -> Any:
            before = self._before.get(self._running.get())
            if before and _type_of(before) == "Wait" and "Seconds" in state:
                jsonata = self._stepfunctions._state_query_language(state, ctx) == "JSONata"
                seconds = self._stepfunctions._jsonata_wait_seconds(state, given, ctx) if jsonata else state["Seconds"]
                state = {**state, "Seconds": max(round(seconds - self._waited_before()), 0)}
            return wait(state, given, ctx)

        return wait_for_rest

    def _waited_before(self) -> float:
        waited: float = self._before.pop(self._running.get())["waited"]
        self._places[self._running.get()]["waited"] = waited
        return waited

    def find_matching_retrier(self, find: Callable[..., Any]) -> Callable[..., Any]:
        return self._unless_stopping(find)

    def fail_execution(self, fail: Callable[..., Any]) -> Callable[..., Any]:
        return self._unless_stopping(fail)

    def _unless_stopping(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def run(*given: Any) -> Any:
            self._park_if_stopping()
            return work(*given)

        return run

    def _park_if_stopping(self) -> None:
        """Hold the present thread until the process ends, if it is about to."""
        while self._stopping:
            threading.Event().wait()

    def until_stopped(self, serve: Callable[..., Any]) -> Callable[..., Any]:
        """Serve until SIGTERM or SIGINT. Then no execution goes further, while calls end and all is saved."""

        async def stopped() -> None:
            asked, loop = asyncio.Event(), asyncio.get_running_loop()
            for signum in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(signum, asked.set)
            await asked.wait()
            self._stopping = True
            deadline = time.monotonic() + float(os.environ.get(CALLS_VARIABLE, CALLS_SECONDS))
            while _calls_run() and time.monotonic() < deadline:
                await asyncio.sleep(_LOOK_SECONDS)

        @wraps(serve)
        def serve_until_stopped(served: Any, config: Any) -> Any:
            return serve(served, config, shutdown_trigger=stopped)

        return serve_until_stopped

    def get_state(self, get: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(get)
        def get_with_places() -> Any:
            state, now = get(), time.time()
            running = [item["executionArn"] for item in state["executions"].all_values() if item["status"] == "RUNNING"]
            scale = self._stepfunctions._SFN_WAIT_SCALE
            places = {}
            for execution in running:
                if place := self._places.get(execution):
                    passed = (now - place["since"]) / (scale or 1 if _type_of(place) == "Wait" else 1)
                    places[execution] = {**copy.deepcopy(place), "waited": place.get("waited", 0) + passed}
            return {**state, "running": running, "places": places}

        return get_with_places

    def load_persisted_state(self, load: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @wraps(load)
        def load_and_go_on(state: Any) -> None:
            load(state)
            running = set(state.get("running", ()))
            for execution in self._stepfunctions._executions.all_values():
                if execution["executionArn"] in running:
                    execution.update(status="RUNNING", stopDate=None, error=None, cause=None)
            self._before.update(state.get("places", {}))
            self._to_start = running

        return load_and_go_on

    def start_after(self, ready: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(ready)
        async def start() -> None:
            await ready()
            for execution in self._to_start:
                threading.Thread(target=self._run, args=(execution,), daemon=True).start()

        return start

    def _run(self, execution: str) -> None:
        from ministack.core.responses import set_request_account_id, set_request_region  # type: ignore[import-untyped]

        _, _, _, region, account, *_ = execution.split(":")
        set_request_account_id(account)
        set_request_region(region)
        self._stepfunctions._run_execution(execution)


def _calls_run() -> bool:
    from ministack.core import lambda_runtime

    return any(worker.in_use for workers in list(lambda_runtime._workers.values()) for worker in list(workers))


def _type_of(place: Place) -> str:
    return str(place["states"][place["name"]]["Type"])


def _as_the_last_work(save: Callable[..., Any]) -> Callable[..., Any]:
    """End the process when all is saved: Python would wait for the calls and executions that are under way."""

    @wraps(save)
    def save_and_end(services: Any) -> None:
        save(services)
        logging.shutdown()
        os._exit(0)

    return save_and_end
