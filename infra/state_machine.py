"""The parts of all state machines: tasks that retry after faults, a log, traces, and an own role."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.customer_key import key_rights
from infra.log_group import delivered_log_group
from infra.python_function import PythonFunction
from infra.settings import StackSettings
from recording_insights.store.keys import PARTITION, SORT

# A task may wait for a worker before the time-out of its function starts.
START_MARGIN = cdk.Duration.seconds(30)
UNKNOWN_SECONDS = 300
"""The wait after an outcome that a definition does not know."""


class _TokenUntil(tasks.CallAwsService):
    """A call of AWS that waits for its token, and whose time-out is an expression."""

    def to_state_json(self, top_level_query_language: sfn.QueryLanguage | None = None) -> dict[str, Any]:
        """Return the state with the expression where JSONata has it: CDK puts it where only JSONPath may."""
        state: dict[str, Any] = dict(super().to_state_json(top_level_query_language))
        seconds = state.pop("TimeoutSecondsPath")
        return {**state, "TimeoutSeconds": seconds}


def lambda_task(
    scope: Construct, name: str, function: PythonFunction, payload: str = "{% $states.input %}"
) -> tasks.LambdaInvoke:
    """A state that passes its input, or another payload, to a function and returns the function's result."""
    task = tasks.LambdaInvoke.jsonata(
        scope,
        name,
        lambda_function=function.function,
        payload=sfn.TaskInput.from_text(payload),
        outputs="{% $states.result.Payload %}",
        task_timeout=sfn.Timeout.duration(function.timeout.plus(START_MARGIN)),
        retry_on_service_exceptions=False,
    )
    # Throttling ends by itself. No recording may fail because many end at the same time.
    task.add_retry(
        errors=["Lambda.TooManyRequestsException"],
        interval=cdk.Duration.seconds(2),
        max_attempts=20,
        backoff_rate=2,
        max_delay=cdk.Duration.minutes(2),
        jitter_strategy=sfn.JitterType.FULL,
    )
    task.add_retry(
        errors=[sfn.Errors.ALL],
        interval=cdk.Duration.seconds(2),
        max_attempts=6,
        backoff_rate=2,
        max_delay=cdk.Duration.minutes(1),
        jitter_strategy=sfn.JitterType.FULL,
    )
    return task


def wait(scope: Construct, name: str) -> sfn.Wait:
    """A state that waits for the seconds in its input."""
    return sfn.Wait.jsonata(scope, name, time=sfn.WaitTime.seconds("{% $states.input.wait_seconds %}"))


def outcome(value: str) -> sfn.Condition:
    """The condition that the input has this outcome."""
    return sfn.Condition.jsonata("{% $states.input.outcome = '" + value + "' %}")


def no_outcome() -> sfn.Condition:
    """The condition that the input has no outcome: it is that of the execution."""
    return sfn.Condition.jsonata("{% $not($exists($states.input.outcome)) %}")


def wait_after_unknown(scope: Construct, then: sfn.IChainable) -> sfn.Wait:
    """The Default of a choice: wait, then go on with a state that decides anew.

    An execution ends on the definition that it began with, and calls the functions of later versions. These may return
    an outcome that the definition does not know. That must not end the execution, nor make it turn without a wait.
    """
    unknown = sfn.Wait.jsonata(
        scope, "Wait after unknown outcome", time=sfn.WaitTime.duration(cdk.Duration.seconds(UNKNOWN_SECONDS))
    )
    unknown.next(then)
    return unknown


def await_turn(scope: Construct, table: dynamodb.ITableV2, then: tasks.LambdaInvoke) -> tasks.CallAwsService:
    """A state that writes its task token to an item in a queue, waits for a turn, and goes on in any case.

    The write fails if somebody has given it its turn before the wait. Its input has the key of the item as `queue` and
    `place`, and `wait_seconds`, the longest wait.
    """
    state = _TokenUntil(
        scope,
        "Await turn",
        query_language=sfn.QueryLanguage.JSONATA,
        service="dynamodb",
        action="updateItem",
        iam_resources=[table.table_arn],
        integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        parameters={
            "TableName": table.table_name,
            "Key": {PARTITION: {"S": "{% $states.input.queue %}"}, SORT: {"S": "{% $states.input.place %}"}},
            "UpdateExpression": "SET task_token = :token",
            "ConditionExpression": f"attribute_exists({PARTITION}) AND attribute_not_exists(called_at)",
            "ExpressionAttributeValues": {":token": {"S": "{% $states.context.Task.Token %}"}},
        },
        task_timeout=sfn.Timeout.at("{% $states.input.wait_seconds %}"),
        outputs="{% $states.input %}",
    )
    timed_out = "{% $merge([$states.input, {'timed_out': true}]) %}"
    state.add_catch(then, errors=[sfn.Errors.TIMEOUT], outputs=timed_out)
    state.add_catch(then, errors=[sfn.Errors.ALL], outputs="{% $states.input %}")
    return state.next(then)


def page_by_page(
    scope: Construct, page: tasks.LambdaInvoke, waiting: sfn.Wait, *, more: str, over: str
) -> sfn.IChainable:
    """Repeat a task that works on one page, with a wait between two pages, as long as its outcome is "more".

    `more` names the choice, and `over` the end.
    """
    choice = (
        sfn.Choice.jsonata(scope, more)
        .when(outcome("more"), waiting)
        .when(outcome("over"), sfn.Succeed.jsonata(scope, over))
        .otherwise(wait_after_unknown(scope, page))
    )
    page.next(choice)
    waiting.next(page)
    return page


def standard_machine(
    scope: Construct,
    settings: StackSettings,
    definition: sfn.IChainable,
    *,
    functions: Sequence[PythonFunction],
    timeout: cdk.Duration,
    statements: Sequence[iam.PolicyStatement] = (),
) -> sfn.StateMachine:
    """A state machine, and its role with the rights to call these functions and those of the statements.

    The rights that follow from the statements on the customer's key are added.
    """
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    call = iam.PolicyStatement(
        actions=["lambda:InvokeFunction"], resources=[function.function.function_arn for function in functions]
    )
    policy = iam.Policy(
        scope, "Policy", statements=[call, *statements, *key_rights(scope, settings, statements), _log_and_trace()]
    )
    policy.attach_to_role(role)
    machine = sfn.StateMachine(
        scope,
        "StateMachine",
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        query_language=sfn.QueryLanguage.JSONATA,
        state_machine_type=sfn.StateMachineType.STANDARD,
        timeout=timeout,
        role=role.without_policy_updates(),
        # Without execution data, because the execution's history has it already.
        logs=sfn.LogOptions(
            destination=delivered_log_group(scope, "Log", settings, source=scope.node.id.lower()),
            level=sfn.LogLevel.ALL,
            include_execution_data=False,
        ),
        tracing_enabled=True,
    )
    machine.node.add_dependency(policy)
    return machine


def _log_and_trace() -> iam.PolicyStatement:
    """The rights for log delivery and tracing. They name no resources.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """
    return iam.PolicyStatement(
        actions=[
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        ],
        resources=["*"],
    )


def run_executions(state_machine: sfn.StateMachine) -> list[iam.PolicyStatement]:
    """The rights to start an execution, and to see whether one of the same name runs."""
    return [
        start_executions(state_machine),
        see_executions(state_machine),
    ]


def start_executions(state_machine: sfn.StateMachine) -> iam.PolicyStatement:
    """The right to start an execution."""
    return iam.PolicyStatement(actions=["states:StartExecution"], resources=[state_machine.state_machine_arn])


def wake_executions(state_machine: sfn.StateMachine) -> iam.PolicyStatement:
    """The right to end the wait of an execution that waits with a task token."""
    return iam.PolicyStatement(actions=["states:SendTaskSuccess"], resources=[state_machine.state_machine_arn])


def see_executions(state_machine: sfn.StateMachine) -> iam.PolicyStatement:
    """The right to see whether an execution runs."""
    return iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[_executions(state_machine)])


def stop_executions(state_machine: sfn.StateMachine) -> iam.PolicyStatement:
    """The right to stop an execution."""
    return iam.PolicyStatement(actions=["states:StopExecution"], resources=[_executions(state_machine)])


def _executions(state_machine: sfn.StateMachine) -> str:
    executions: str = cdk.Arn.format(
        cdk.ArnComponents(
            service="states",
            resource="execution",
            resource_name=f"{state_machine.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        ),
        cdk.Stack.of(state_machine),
    )
    return executions
