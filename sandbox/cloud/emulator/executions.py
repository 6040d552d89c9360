"""Corrections of executions: one that is stopped or takes too long ends its task; time-outs of tokens have a scale."""

import contextvars
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source
from sandbox.cloud.emulator.scales import add_scale

TOKEN_SCALE = "stepfunctions._SFN_TOKEN_SCALE"  # noqa: S105 - no secret
"""The setting of `/_ministack/config` that multiplies the TimeoutSeconds of tasks that wait for a token."""


class _Aborted(BaseException):
    """Ends the thread of an execution that has ended meanwhile, past every Retry and Catch."""


def end_tokens_of_stopped_executions() -> Callable[[str], None]:
    """Let StopExecution end the task that waits for a token. Its token is unknown then.

    ministack lets the task wait on, accepts its token, and writes into the history of the stopped execution.
    Return a function that ends the tokens of an execution.
    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html (TaskDoesNotExist)

    Raises:
        RuntimeError: the installed ministack stops executions or awaits tokens in another way.
    """
    from ministack.services import stepfunctions  # type: ignore[import-untyped]

    require_parameters(stepfunctions._run_execution, "exec_arn")
    require_source(stepfunctions._stop_execution, 'execution["status"] = "ABORTED"', 'data.get("executionArn")')
    require_parameters(stepfunctions._invoke_with_callback, "resource", "input_data", "token", "state_def")
    require_source(stepfunctions._invoke_with_callback, "evt.wait(timeout=timeout)", "_task_tokens.pop(token, {})")
    run, stop, wait = (
        stepfunctions._run_execution,
        stepfunctions._stop_execution,
        stepfunctions._invoke_with_callback,
    )
    running: contextvars.ContextVar[str] = contextvars.ContextVar("running_execution", default="")
    tokens: defaultdict[str, set[str]] = defaultdict(set)

    @wraps(run)
    def run_until_aborted(execution_arn: str) -> None:
        running.set(execution_arn)
        try:
            run(execution_arn)
        except _Aborted:
            pass
        finally:
            tokens.pop(execution_arn, None)

    @wraps(wait)
    def wait_until_aborted(resource: str, given: Any, token: str, state: Any) -> Any:
        execution = running.get()
        tokens[execution].add(token)
        try:
            result = wait(resource, given, token, state)
        finally:
            tokens[execution].discard(token)
        if (stepfunctions._executions.get(execution) or {}).get("status") in ("ABORTED", "TIMED_OUT"):
            raise _Aborted
        return result

    @wraps(stop)
    def stop_and_end_tokens(data: Mapping[str, Any]) -> Any:
        answer = stop(data)
        if answer[0] < 400:
            end_tokens(str(data.get("executionArn")))
        return answer

    def end_tokens(execution_arn: str) -> None:
        for token in list(tokens.get(execution_arn, ())):
            if waiting := stepfunctions._task_tokens.pop(token, None):
                waiting["event"].set()

    stepfunctions._run_execution = run_until_aborted
    stepfunctions._invoke_with_callback = wait_until_aborted
    stepfunctions._stop_execution = stop_and_end_tokens
    return end_tokens


def fail_only_what_runs() -> None:
    """Keep the status of an execution that has ended while one of its tasks was still running, even if that task fails.

    In ministack a stopped execution becomes a failed one, and EventBridge hears of both.

    Raises:
        RuntimeError: the installed ministack lets executions fail in another way.
    """
    from ministack.services import stepfunctions

    require_parameters(stepfunctions._fail_execution, "execution", "error", "cause")
    require_source(stepfunctions._run_execution, "_fail_execution(execution, err.error, err.cause)")
    fail = stepfunctions._fail_execution

    @wraps(fail)
    def fail_if_it_runs(execution: Mapping[str, Any], error: str, cause: Any) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    stepfunctions._fail_execution = fail_if_it_runs


def end_executions_that_take_too_long(end_tokens: Callable[[str], None]) -> None:
    """End an execution as TIMED_OUT after the TimeoutSeconds of its state machine, in seconds of the clock.

    ministack ignores them. The state that runs then runs on, as a function does on AWS, but leads nowhere. After a stop
    and a start of the local cloud the time begins anew.
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html (TimeoutSeconds)

    Raises:
        RuntimeError: the installed ministack runs executions in another way.
    """
    from ministack import app  # type: ignore[import-untyped]
    from ministack.services import stepfunctions

    require_source(app.call_service_handler_sync, "loop = _MAIN_LOOP")
    require_source(stepfunctions._run_execution, 'while current_name and execution["status"] == "RUNNING":')
    require_parameters(stepfunctions._add_event, "execution", "event_type", "details")
    require_parameters(stepfunctions._emit_execution_status_event, "execution")
    run = stepfunctions._run_execution

    @wraps(run)
    def run_in_time(execution_arn: str) -> None:
        execution = stepfunctions._executions.get(execution_arn) or {}
        machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {"definition": "{}"}
        if seconds := json.loads(machine["definition"]).get("TimeoutSeconds"):
            # Where StopExecution runs too: no request comes between.
            app._MAIN_LOOP.call_soon_threadsafe(app._MAIN_LOOP.call_later, seconds, end, execution)
        run(execution_arn)

    def end(execution: dict[str, Any]) -> None:
        if execution["status"] == "RUNNING":
            execution.update(status="TIMED_OUT", stopDate=stepfunctions.now_iso())
            stepfunctions._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
            stepfunctions._emit_execution_status_event(execution)
            end_tokens(execution["executionArn"])

    stepfunctions._run_execution = run_in_time


def scale_time_outs_of_tokens() -> None:
    """Multiply the TimeoutSeconds of tasks that wait for a token by a setting of their own, TOKEN_SCALE (1 at first).

    The wait scale leaves literal ones alone: what answers a token takes real time. Those that an expression gives are
    waits of our own, and have the wait scale. A change counts for waits that begin after it.

    Raises:
        RuntimeError: the installed ministack awaits tokens, or is configured, in another way.
    """
    from ministack.services import stepfunctions

    require_source(stepfunctions._invoke_with_callback, 'timeout = state_def.get("TimeoutSeconds", 99999)')
    add_scale(TOKEN_SCALE, stepfunctions)
    wait = stepfunctions._invoke_with_callback

    @wraps(wait)
    def wait_scaled(resource: str, given: Any, token: str, state: Mapping[str, Any]) -> Any:
        seconds = state.get("TimeoutSeconds")
        if isinstance(seconds, _Evaluated):
            state = {**state, "TimeoutSeconds": seconds * stepfunctions._SFN_WAIT_SCALE}
        elif isinstance(seconds, int | float):
            state = {**state, "TimeoutSeconds": seconds * stepfunctions._SFN_TOKEN_SCALE}
        return wait(resource, given, token, state)

    stepfunctions._invoke_with_callback = wait_scaled


class _Evaluated(int):
    """A time-out in seconds that an expression gave: how long our functions wait, so the wait scale applies."""


def evaluate_time_outs() -> None:
    """Evaluate the TimeoutSeconds of a task if it is a JSONata expression. ministack takes a number only.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html

    Raises:
        RuntimeError: the installed ministack executes tasks in another way.
    """
    from ministack.services import stepfunctions

    require_parameters(stepfunctions._execute_task, "state_def", "raw_input", "execution", "ctx")
    require_parameters(stepfunctions._jsonata_state_field, "state_def", "field", "expected", "raw_input", "ctx")
    execute = stepfunctions._execute_task

    @wraps(execute)
    def execute_evaluated(state: Mapping[str, Any], given: Any, execution: Any, ctx: Any) -> Any:
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", given, ctx)
            if not float(seconds).is_integer() or seconds < 1:
                fault = f"The TimeoutSeconds field must be a positive integer, but was: {json.dumps(seconds)}"
                raise stepfunctions._ExecutionError("States.QueryEvaluationError", fault)
            state = {**state, "TimeoutSeconds": _Evaluated(seconds)}
        return execute(state, given, execution, ctx)

    stepfunctions._execute_task = execute_evaluated
