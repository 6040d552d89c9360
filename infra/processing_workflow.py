"""The Step Functions workflow: submit, wait, poll, save, or report why not.

Timing is decided in Python and arrives as data; the definition holds no arithmetic. JSONata expressions are paths
and comparisons only.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.foundation import Foundation
from infra.log_group import log_group
from infra.python_function import PythonFunction
from recording_insights.workflow.submit_recording import MOST_RENEWALS

# A task may wait for a worker before its function's own time begins.
START_MARGIN = cdk.Duration.seconds(30)


class ProcessingWorkflow(Construct):
    """The state machine and the four functions behind its tasks."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        settings = foundation.settings
        vendor_secret = foundation.read_secret(settings.provider)

        self.submit = self._function(
            "submit_recording",
            "Presigns a media object and hands it to the provider",
            [foundation.on_table("GetItem", "Query", "UpdateItem"), foundation.read_recordings(), vendor_secret],
            cdk.Duration.minutes(2),
        )
        self.poll = self._function(
            "poll_job",
            "Asks the provider for a job and keeps its reply",
            [foundation.on_table("GetItem", "UpdateItem"), foundation.on_replies("PutObject"), vendor_secret],
            cdk.Duration.minutes(2),
        )
        self.save = self._function(
            "save_insights",
            "Normalises a kept reply into the table",
            [
                foundation.on_table("GetItem", "Query", "UpdateItem", "BatchWriteItem"),
                foundation.on_replies("GetObject"),
            ],
            cdk.Duration.minutes(2),
            memory_mb=1024,
        )
        self.report = self._function(
            "report_failure",
            "Leaves the reason of a failure on the row",
            [foundation.on_table("GetItem", "Query", "UpdateItem")],
            cdk.Duration.seconds(30),
        )
        self.state_machine = self._state_machine()

    def _state_machine(self) -> sfn.StateMachine:
        settings = self._foundation.settings
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        log = log_group(self, "Log", settings)
        functions = (self.submit, self.poll, self.save, self.report)
        policy = iam.Policy(
            self,
            "Policy",
            statements=[
                iam.PolicyStatement(
                    actions=["lambda:InvokeFunction"], resources=[f.function.function_arn for f in functions]
                ),
                # Log delivery and tracing have no resources to name.
                # Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
                iam.PolicyStatement(
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
                ),
            ],
        )
        policy.attach_to_role(role)
        ceilings = settings.submit_ceiling_minutes + settings.poll_ceiling_minutes
        machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            query_language=sfn.QueryLanguage.JSONATA,
            state_machine_type=sfn.StateMachineType.STANDARD,
            # Each new link begins both waits anew; the hour is for faults on the way.
            timeout=cdk.Duration.minutes((MOST_RENEWALS + 1) * ceilings + 60),
            role=role.without_policy_updates(),
            # Without execution data: what a state carries is in the execution's history already.
            logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=False),
            tracing_enabled=True,
        )
        machine.node.add_dependency(policy)
        return machine

    def _definition(self) -> sfn.IChainable:
        failed = sfn.Fail.jsonata(self, "Recording failed", error="RecordingFailed", cause="{% $states.input.reason %}")
        report = self._task("Report failure", self.report)
        report.add_catch(
            failed,
            errors=[sfn.Errors.ALL],
            outputs={"reason": "{% 'the failure could not be reported: ' & $states.errorOutput.Error %}"},
        )
        report.next(failed)
        submit = self._task("Submit recording", self.submit, on_error=report)
        poll = self._task("Poll job", self.poll, on_error=report)
        save = self._task("Save insights", self.save, on_error=report)
        wait = sfn.Wait.jsonata(self, "Wait", time=sfn.WaitTime.seconds("{% $states.input.wait_seconds %}"))
        finished = (
            sfn.Choice.jsonata(self, "Job finished?")
            .when(_outcome("running"), wait)
            .when(_outcome("succeeded"), save)
            .when(_outcome("submit"), submit)
            .otherwise(report)
        )
        wait.next(poll)
        poll.next(finished)
        return submit.next(finished)

    def _task(
        self, name: str, function: PythonFunction, *, on_error: sfn.IChainable | None = None
    ) -> tasks.LambdaInvoke:
        task = tasks.LambdaInvoke.jsonata(
            self,
            name,
            lambda_function=function.function,
            payload=sfn.TaskInput.from_text("{% $states.input %}"),
            outputs="{% $states.result.Payload %}",
            task_timeout=sfn.Timeout.duration(function.timeout.plus(START_MARGIN)),
            retry_on_service_exceptions=False,
        )
        # Throttling passes: nothing may be lost because many recordings end at the same time.
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
        if on_error:
            task.add_catch(
                on_error,
                errors=[sfn.Errors.ALL],
                outputs="{% $merge([$states.input, {'error': $states.errorOutput, 'failed_state': '" + name + "'}]) %}",
            )
        return task

    def _function(
        self,
        module: str,
        description: str,
        statements: list[iam.PolicyStatement],
        timeout: cdk.Duration,
        memory_mb: int = 512,
    ) -> PythonFunction:
        return PythonFunction(
            self,
            "".join(word.capitalize() for word in module.split("_")),
            settings=self._foundation.settings,
            module=module,
            description=description,
            environment=self._foundation.environment(),
            statements=statements,
            timeout=timeout,
            memory_mb=memory_mb,
        )


def _outcome(word: str) -> sfn.Condition:
    return sfn.Condition.jsonata("{% $states.input.outcome = '" + word + "' %}")
