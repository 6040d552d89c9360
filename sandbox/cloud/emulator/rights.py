"""Corrections of IAM: AWS's own services act under the rights they were given.

ministack checks the rights of clients and functions. It lets state machines, rules, event source mappings and
schedules do everything, so that a missing grant of theirs would be seen on AWS only.
"""

import contextvars
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

_log = logging.getLogger(__name__)
_EVENTS = "events.amazonaws.com"
_POLLS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_SERVICES = {
    "dynamodb": ("dynamodb", "DynamoDB_20120810.", "DynamoDb.DynamoDbException"),
    "sfn": ("states", "AWSStepFunctions.", "Sfn.SfnException"),
    "secretsmanager": ("secretsmanager", "secretsmanager.", "SecretsManager.SecretsManagerException"),
    "sqs": ("sqs", "AmazonSQS.", "Sqs.SqsException"),
}
"""Services of the SDK integrations of Step Functions: their IAM prefix, their header, and their general error."""


_ResourcesOf = Callable[[Mapping[str, Any]], Sequence[str]]


def _queues_in(given: Mapping[str, Any]) -> Sequence[str]:
    return [_named_in("sqs", "AmazonSQS.SendMessage", given)]


def _topics_in(given: Mapping[str, Any]) -> Sequence[str]:
    return [given.get("TopicArn") or "*"]


def _buses_in(given: Mapping[str, Any]) -> Sequence[str]:
    from ministack.core.responses import get_account_id  # type: ignore[import-untyped]

    names = [entry.get("EventBusName") or "default" for entry in given.get("Entries", [])]
    ours = f"arn:aws:events:{_region()}:{get_account_id()}:event-bus/"
    return [name if name.startswith("arn:") else ours + name for name in names]


_OPTIMISED: Mapping[str, tuple[str, str, _ResourcesOf]] = {
    "arn:aws:states:::sqs:sendMessage": ("sqs:SendMessage", "SQS.AmazonSQSException", _queues_in),
    "arn:aws:states:::sns:publish": ("sns:Publish", "SNS.AmazonSNSException", _topics_in),
    "arn:aws:states:::events:putEvents": ("events:PutEvents", "EventBridge.AmazonEventBridgeException", _buses_in),
}
"""Optimised integrations of Step Functions: their action, their general error, and the ARNs of what they use."""


def role_allows(role_arn: str, action: str, resource: str) -> bool:
    """Tell whether the policies of a role allow an action on a resource (an ARN, or * if the action has none)."""
    from ministack.core import iam_evaluator  # type: ignore[import-untyped]

    name, account = role_arn.rsplit("/", 1)[-1], role_arn.split(":")[4]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/service"
    asked = iam_evaluator.EvalContext(session, "AssumedRole", account, action, resource, _region())
    return bool(iam_evaluator.evaluate(asked, iam_evaluator._gather_role_policies(name, account)).decision == "Allow")


def enforce_roles_of_state_machines() -> None:
    """Let a state machine call functions and other services only as its role allows.

    A refused call fails its state with the error that Step Functions reports:
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html

    Raises:
        RuntimeError: the installed ministack runs executions in another way.
    """
    from ministack.services import stepfunctions  # type: ignore[import-untyped]

    require_parameters(stepfunctions._run_execution, "exec_arn")
    require_source(stepfunctions._run_execution, '_state_machines.get(execution["stateMachineArn"])')
    require_parameters(stepfunctions._invoke_aws_sdk_integration, "resource", "input_data")
    require_parameters(stepfunctions._call_lambda, "func_ref", "event")
    run, integrate, call = (
        stepfunctions._run_execution,
        stepfunctions._invoke_aws_sdk_integration,
        stepfunctions._call_lambda,
    )
    require_parameters(stepfunctions._invoke_sqs_send_message, "resource", "input_data")
    require_source(stepfunctions._invoke_resource, "_SERVICE_DISPATCH.items()", "return handler(resource, input_data)")
    # An execution runs on a thread with a context of its own.
    role: contextvars.ContextVar[str] = contextvars.ContextVar("role", default="")

    def check(action: str, resource: str, error: str) -> None:
        if role.get() and not role_allows(role.get(), action, resource):
            refused = f"{role.get()} is not authorized to perform: {action} on resource: {resource}"
            raise stepfunctions._ExecutionError(error, refused)

    @wraps(run)
    def run_with_role(execution_arn: str) -> Any:
        execution = stepfunctions._executions.get(execution_arn)
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) if execution else None
        role.set(machine["roleArn"] if machine else "")
        return run(execution_arn)

    @wraps(integrate)
    def integrate_as_allowed(resource: str, given: Any) -> Any:
        name, operation = resource.removesuffix(".waitForTaskToken").split(":")[6:8]
        if known := _SERVICES.get(name.lower()):
            service, header, error = known
            action = operation[0].upper() + operation[1:]
            check(f"{service}:{action}", _named_in(service, header + action, given), error)
        return integrate(resource, given)

    @wraps(call)
    def call_as_allowed(function: str, event: Any) -> Any:
        check("lambda:InvokeFunction", _function_arn(function), "Lambda.AWSLambdaException")
        return call(function, event)

    stepfunctions._run_execution = run_with_role
    stepfunctions._invoke_aws_sdk_integration = integrate_as_allowed
    stepfunctions._call_lambda = call_as_allowed
    stepfunctions._SERVICE_DISPATCH.update(_optimised_as_allowed(stepfunctions._SERVICE_DISPATCH, check))


def _optimised_as_allowed(
    handlers: Mapping[str, Callable[..., Any]], check: Callable[[str, str, str], None]
) -> dict[str, Callable[..., Any]]:
    """Return the handlers of optimised integrations, each of which first checks the role of the state machine."""

    def as_allowed(handle: Callable[..., Any], action: str, error: str, resources: _ResourcesOf) -> Callable[..., Any]:
        @wraps(handle)
        def handle_as_allowed(resource: str, given: Any) -> Any:
            for arn in resources(given):
                check(action, arn, error)
            return handle(resource, given)

        return handle_as_allowed

    return {name: as_allowed(handlers[name], *rule) for name, rule in _OPTIMISED.items()}


def enforce_roles_of_mappings() -> None:
    """Let a mapping take messages of a queue only if the role of its function allows it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html

    Raises:
        RuntimeError: the installed ministack polls queues in another way.
    """
    from ministack.services import lambda_svc

    require_parameters(lambda_svc._sqs_esm_concurrency, "esm", "func_rec", "config", "queue")
    require_source(lambda_svc._poll_sqs, ">= _sqs_esm_concurrency(esm, func_rec, _cfg, queue)")
    batches_at_once = lambda_svc._sqs_esm_concurrency

    @wraps(batches_at_once)
    def batches_as_allowed(mapping: Mapping[str, Any], function: Any, config: Any, queue: Any = None) -> int:
        role, source = function["config"]["Role"], mapping["EventSourceArn"]
        if missing := [action for action in _POLLS if not role_allows(role, action, source)]:
            _log.warning("The role %s may not perform %s on %s: nothing is polled", role, ", ".join(missing), source)
            return 0
        return int(batches_at_once(mapping, function, config, queue))

    lambda_svc._sqs_esm_concurrency = batches_as_allowed


def rule_may_deliver(rule_arn: str, target_arn: str) -> bool:
    """Tell whether the policy of a function, a queue or a log group lets a rule of EventBridge deliver to it.

    Other targets always do.
    """
    from ministack.services import lambda_svc, sqs

    service = target_arn.split(":")[2]
    if service == "lambda":
        record = lambda_svc._get_base_func_record_for_ref(target_arn)[0]
        return _may("lambda:InvokeFunction", target_arn, [(record or {}).get("policy")], rule_arn)
    if service == "sqs":
        queue = sqs._queue_by_arn(target_arn)
        return _may("sqs:SendMessage", target_arn, [(queue or {}).get("attributes", {}).get("Policy")], rule_arn)
    return service != "logs" or _may_log(target_arn, rule_arn)


def _may_log(target_arn: str, rule_arn: str) -> bool:
    """Tell whether a rule may write to a log group. The rule is the source of PutLogEvents only.

    Source: https://github.com/aws-samples/serverless-patterns/pull/618
    """
    from ministack.services import cloudwatch_logs

    group = cloudwatch_logs._resolve_group_by_arn(target_arn)
    own = cloudwatch_logs._log_group_policies.get(group) if group else None
    policies = [policy["policyDocument"] for policy in (own, *cloudwatch_logs._resource_policies.values()) if policy]
    stream = f"{target_arn.removesuffix(':*')}:log-stream:any"
    return _may("logs:CreateLogStream", stream, policies) and _may("logs:PutLogEvents", stream, policies, rule_arn)


def _may(action: str, resource: str, policies: Sequence[Any], rule_arn: str | None = None) -> bool:
    """Tell whether one of these resource policies allows EventBridge the action, if there is one for a rule."""
    from ministack.core import iam_evaluator

    account = resource.split(":")[4]
    source = {"aws:sourceaccount": account, **({"aws:sourcearn": rule_arn} if rule_arn else {})}
    asked = iam_evaluator.EvalContext(_EVENTS, "Service", account, action, resource, _region(), service_context=source)
    decisions = [iam_evaluator.evaluate_resource_policy(policy, asked, service=_EVENTS) for policy in policies]
    return any(decided.decision == "Allow" for decided in decisions)


def _region() -> str:
    from ministack.core.responses import get_region

    return str(get_region())


def _named_in(service: str, target: str, given: Any) -> str:
    """Return the ARN that a request names, * if it names none."""
    from ministack.core import iam_actions
    from ministack.core.responses import get_account_id

    headers, body = {"x-amz-target": target}, json.dumps(given, default=str).encode()
    arn = iam_actions.extract_resource_arn(service, "POST", "/", headers, body, {}, _region(), get_account_id())
    return str(arn or "*")


def _function_arn(function: str) -> str:
    from ministack.core.responses import get_account_id

    return (
        function
        if function.startswith("arn:")
        else f"arn:aws:lambda:{_region()}:{get_account_id()}:function:{function}"
    )
