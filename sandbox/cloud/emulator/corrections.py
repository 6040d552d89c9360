"""Corrections of ministack where its behaviour differs from AWS in a way that the stack notices.

ministack is faithful in most of what the stack uses. This module corrects, each as AWS documents it:

* A Lambda function that raises reports its exception's class name as the error type, so that `Retry` and `Catch`
  in the state machine can name it. ministack calls every exception `Runtime.HandlerError`.
* A throttled function fails its state with `Lambda.TooManyRequestsException`. ministack says `Lambda.Unknown`.
* EventBridge delivers to a CloudWatch Logs group whose name begins with `/aws/events/`. ministack has no such target.
* S3 refuses a request without a signature. ministack serves it: a link without its signature would work.
* IAM knows the state machine of a task token, so that a policy can grant SendTaskSuccess by its ARN, as CDK's grants
  do. ministack names no resource. Here it is the only state machine that creates tokens.
* Transcribe, see sandbox/cloud/emulator/transcribe.py.

They replace internals of one exact version, which `__main__` checks at the start.
"""

import json
import threading
import time
import uuid
from typing import Any

_EVENT_LOGS = "/aws/events/"


def correct_error_types() -> None:
    """Report the class name of a function's exception as the error type."""
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]
    from ministack.services import lambda_svc  # type: ignore[import-untyped]

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    sent = '"error": str(e), "trace"'
    if sent not in script:
        raise RuntimeError("ministack's Python worker reports errors in another way than this module corrects")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(
        sent, '"error": str(e), "error_type": type(e).__name__, "trace"'
    )
    raised = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke_noting_type(worker: Any, *args: Any, **kwargs: Any) -> Any:
        result = invoke(worker, *args, **kwargs)
        raised.error_type = result.get("error_type")
        return result

    def execute_naming_type(*args: Any, **kwargs: Any) -> Any:
        raised.error_type = None
        result = execute(*args, **kwargs)
        if result.get("error") and raised.error_type:
            result["body"]["errorType"] = raised.error_type
        return result

    lambda_runtime.Worker.invoke = invoke_noting_type
    lambda_svc._execute_function_warm = execute_naming_type


def correct_throttling() -> None:
    """Report a throttled function under the name that Step Functions uses."""
    from ministack.services import stepfunctions

    call = stepfunctions._call_lambda

    def call_naming_throttle(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except stepfunctions._ExecutionError as error:
            if error.error == "Lambda.Unknown" and "TooManyRequestsException" in str(error.cause):
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    stepfunctions._call_lambda = call_naming_throttle


def add_log_group_target() -> None:
    """Let a rule of EventBridge deliver its events to a log group, each in its own log stream."""
    from ministack.services import cloudwatch_logs, eventbridge

    invoke = eventbridge._invoke_target

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


def refuse_unsigned_s3_requests() -> None:
    """Let S3 refuse every request without a signature: no bucket here is public."""
    from ministack.core import iam_evaluator

    enforce = iam_evaluator.enforce

    def enforce_signed(access_key_id: str, action: str, service: str, *args: Any, **kwargs: Any) -> Any:
        if service == "s3" and iam_evaluator._anonymous.get():
            return iam_evaluator.AuthError("AccessDenied", "Access Denied")
        return enforce(access_key_id, action, service, *args, **kwargs)

    iam_evaluator.enforce = enforce_signed


def name_state_machine_of_tokens_to_iam() -> None:
    """Let a policy that names the state machine allow SendTaskSuccess and the like."""
    from ministack.core import iam_actions
    from ministack.services import stepfunctions

    arn_of = iam_actions.extract_resource_arn

    def arn_of_machine(service: str, method: str, path: str, headers: Any, *rest: Any) -> Any:
        target = str(headers.get("x-amz-target") or headers.get("X-Amz-Target") or "")
        machines = [
            arn
            for arn, machine in stepfunctions._state_machines.items()
            if ".waitForTaskToken" in machine["definition"]
        ]
        if service == "states" and target.startswith("AWSStepFunctions.SendTask") and len(machines) == 1:
            return machines[0]
        return arn_of(service, method, path, headers, *rest)

    iam_actions.extract_resource_arn = arn_of_machine
