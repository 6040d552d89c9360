"""Corrections of ministack where its behaviour differs from AWS in a way that the stack notices.

ministack is faithful in most of what the stack uses. This module corrects, each as AWS documents it:

* A Lambda function that raises reports its exception's class name as the error type, so that `Retry` and `Catch`
  in the state machine can name it. ministack calls every exception `Runtime.HandlerError`.
* A Lambda function that raises keeps its process for the next call. ministack ends it, so that every retry waits for
  a cold start.
* The log of a Lambda function has what libraries warn of. ministack's root logger has no handler.
* A throttled function fails its state with `Lambda.TooManyRequestsException`. ministack says `Lambda.Unknown`.
* EventBridge delivers to a CloudWatch Logs group whose name begins with `/aws/events/`. ministack has no such target.
* IAM knows the state machine of a task token, so that a policy can grant SendTaskSuccess by its ARN, as CDK's grants
  do. ministack names no resource.
* Waits and retries of Step Functions: waits.py.
* Executions that are stopped or take too long, and the time-outs of tokens: executions.py.
* Executions go on after a stop and a start: restarts.py.
* Events of functions, their tries and dead letters: deliveries.py.
* Message move tasks, throttled batches and hidden messages of queues: queues.py.
* The roles of state machines, mappings, rules and schedules: rights.py. Conditions and patterns: conditions.py.
* Streams of tables have what expires, outlive restarts, and are read as roles allow: streams.py.
* What stacks say of functions and tables: stacks.py. What they delete and import: deletions.py.
* Updates of functions: updates.py. Their zips: packages.py.
* Logs are filtered by patterns and page by page: log_events.py.
* Metrics that functions print (emf.py) and that services report: metrics.py. Alarms: alarms.py.
* Web pages and well-known keys are refused: doors.py.
* S3 has a checksum for every object: checksums.py. Transcribe: transcribe.py. Bedrock: bedrock.py.

They replace internals of one exact version, which `__main__` checks at the start. Each correction also checks what it
replaces, and raises RuntimeError if ministack does it in another way. What wraps a function of ministack says so with
`functools.wraps`: a later correction of the same function then checks ministack's own.
"""

import contextvars
import json
import threading
import time
import uuid
from collections.abc import Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source, require_text

_EVENT_LOGS = "/aws/events/"
_REPORTED = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
_RAISED = (
    '{"status": "ok", "raised": {"error": str(e), "error_type": type(e).__name__, "trace": traceback.format_exc()}}'
)
_STDOUT_TO_LOG = "    sys.stdout = sys.stderr\n"
_ALL_TO_LOG = f"{_STDOUT_TO_LOG}    import logging\n    logging.getLogger().addHandler(logging.StreamHandler())\n"


def log_what_libraries_warn_of() -> None:
    """Give the root logger of a function a handler. A library's logger often has one that drops all, and no other.

    Source: `_setup_logging` in https://github.com/aws/aws-lambda-python-runtime-interface-client, bootstrap.py

    Raises:
        RuntimeError: the installed ministack sets functions up in another way.
    """
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    require_text("ministack.core.lambda_runtime._PYTHON_WORKER_SCRIPT", script, _STDOUT_TO_LOG)
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_STDOUT_TO_LOG, _ALL_TO_LOG)


def keep_functions_that_raise() -> None:
    """Report the class name of a function's exception as the error type, and let its process live.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (only a crash or a time-out
    resets the environment of a function)

    Raises:
        RuntimeError: the installed ministack reports exceptions in another way.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc  # type: ignore[import-untyped]

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    require_text("ministack.core.lambda_runtime._PYTHON_WORKER_SCRIPT", script, _REPORTED)
    require_source(lambda_runtime.Worker.invoke, 'if response.get("status") == "error":', "_signal(proc)")
    require_source(lambda_svc._execute_function_warm, "worker.invoke(", 'error_type = "Runtime.HandlerError"')
    # ministack ends a process that answers "error". So an exception is an answer that is "ok" on its way.
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_REPORTED, _RAISED)
    raised = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    @wraps(invoke)
    def invoke_noting_type(worker: Any, *args: Any, **kwargs: Any) -> Any:
        result = invoke(worker, *args, **kwargs)
        exception = result.get("raised")
        if exception is None:
            return result
        raised.error_type = exception["error_type"]
        return {**result, **exception, "status": "error"}

    @wraps(execute)
    def execute_naming_type(*args: Any, **kwargs: Any) -> Any:
        raised.error_type = None
        result = execute(*args, **kwargs)
        if result.get("error") and raised.error_type:
            result["body"]["errorType"] = raised.error_type
        return result

    lambda_runtime.Worker.invoke = invoke_noting_type
    lambda_svc._execute_function_warm = execute_naming_type


def correct_throttling() -> None:
    """Report a throttled function under the name that Step Functions uses.

    Raises:
        RuntimeError: the installed ministack reports throttled functions in another way.
    """
    from ministack.services import lambda_svc, stepfunctions

    require_source(stepfunctions._call_lambda, 'body.get("errorType", "Lambda.Unknown")')
    require_source(lambda_svc._throttle_response, '"__type": "TooManyRequestsException"')
    call = stepfunctions._call_lambda

    @wraps(call)
    def call_naming_throttle(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except stepfunctions._ExecutionError as error:
            if error.error == "Lambda.Unknown" and "TooManyRequestsException" in str(error.cause):
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    stepfunctions._call_lambda = call_naming_throttle


def add_log_group_target() -> None:
    """Let a rule of EventBridge deliver its events to a log group, each in its own log stream.

    Raises:
        RuntimeError: the installed ministack delivers events in another way.
    """
    from ministack.services import cloudwatch_logs, eventbridge

    require_parameters(eventbridge._invoke_target, "target", "event", "rule", "view")
    require_parameters(eventbridge._apply_input_transformer, "transformer", "rule", "view")
    require_source(eventbridge._pattern_event_view, '"detail-type"')
    require_parameters(cloudwatch_logs._create_log_stream, "data")
    require_parameters(cloudwatch_logs._put_log_events, "data")
    invoke = eventbridge._invoke_target

    @wraps(invoke)
    def invoke_log_group(target: Any, event: Any, rule: Any, view: Any = None) -> None:
        _, _, group = target.get("Arn", "").partition(":log-group:")
        if not group.startswith(_EVENT_LOGS):
            invoke(target, event, rule, view)
            return
        view = view or eventbridge._pattern_event_view(event)
        transformer = target.get("InputTransformer")
        if transformer:
            # AWS: the template of this target is {"timestamp": …, "message": …}.
            message = str(json.loads(eventbridge._apply_input_transformer(transformer, rule, view))["message"])
        else:
            message = json.dumps(view.event_with_detail())
        stream = str(uuid.uuid4())
        group = group.removesuffix(":*")
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
        cloudwatch_logs._put_log_events(
            {
                "logGroupName": group,
                "logStreamName": stream,
                "logEvents": [{"timestamp": int(time.time() * 1000), "message": message}],
            }
        )

    eventbridge._invoke_target = invoke_log_group


def name_state_machine_of_tokens_to_iam() -> None:
    """Let a policy that names a state machine allow SendTaskSuccess and the like, for the tokens of its executions.

    A token keeps its machine after its task has ended: then Step Functions answers, and not IAM.

    Raises:
        RuntimeError: the installed ministack creates task tokens in another way.
    """
    from ministack.core import iam_actions
    from ministack.services import stepfunctions

    require_parameters(iam_actions.extract_resource_arn, "service", "method", "path", "headers", "body")
    require_parameters(stepfunctions._execute_task, "state_def", "raw_input", "execution")
    require_source(stepfunctions._execute_task, "task_result = _invoke_with_callback(")
    require_parameters(stepfunctions._invoke_with_callback, "resource", "input_data", "token")
    execute, wait, arn_of = (
        stepfunctions._execute_task,
        stepfunctions._invoke_with_callback,
        iam_actions.extract_resource_arn,
    )
    # A task waits for its token on the thread that executes it.
    running: contextvars.ContextVar[str | None] = contextvars.ContextVar("running", default=None)
    machine_of_token: dict[str, str | None] = {}

    @wraps(execute)
    def execute_noting_machine(state: Any, given: Any, execution: Any, *rest: Any) -> Any:
        before = running.set(execution["stateMachineArn"] if execution else None)
        try:
            return execute(state, given, execution, *rest)
        finally:
            running.reset(before)

    @wraps(wait)
    def wait_noting_machine(resource: Any, given: Any, token: str, *rest: Any) -> Any:
        machine_of_token[token] = running.get()
        return wait(resource, given, token, *rest)

    @wraps(arn_of)
    def arn_of_machine(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        machine = machine_of_token.get(_task_token(headers, body)) if service == "states" else None
        return machine or arn_of(service, method, path, headers, body, *rest)

    stepfunctions._execute_task = execute_noting_machine
    stepfunctions._invoke_with_callback = wait_noting_machine
    iam_actions.extract_resource_arn = arn_of_machine


def _task_token(headers: Mapping[str, Any], body: bytes) -> str:
    """Return the token in a SendTask request, "" for any other request."""
    target = str(headers.get("x-amz-target") or headers.get("X-Amz-Target") or "")
    if not target.startswith("AWSStepFunctions.SendTask"):
        return ""
    try:
        return str(json.loads(body)["taskToken"])
    except (ValueError, LookupError, TypeError):
        return ""
