"""The Step Functions workflow: prepare what is no file yet, submit, wait, poll, save, or report why not.

Timing is decided in Python and arrives as data; the definition holds no arithmetic. JSONata expressions are paths
and comparisons only.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.access import Foundation
from infra.bundling.native_wheels import prepare_code
from infra.callbacks import Webhooks
from infra.python_function import PythonFunction
from infra.state_machine import lambda_task, outcome, standard_machine, wait
from recording_insights.aws.reply_bucket import DELIVERIES, OUTPUTS
from recording_insights.processing.late_files import LONGEST_SILENCE
from recording_insights.processing.renewals import MOST_RENEWALS
from recording_insights.providers.port import AwsService, Capabilities
from recording_insights.providers.registry import capabilities_of
from recording_insights.recordings.request import MOST_HOURS
from recording_insights.store.keys import MEDIA_PREFIX, PARTITION, SORT


class ProcessingWorkflow(Construct):
    """The state machine and the five functions behind its tasks."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, webhooks: Webhooks) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        capabilities = [capabilities_of(name) for name in foundation.settings.providers]
        calls_back = any(c.callback != "none" for c in capabilities)
        delivered = any(c.result_by == "delivery" or c.aws_service for c in capabilities)

        self.prepare = self._function(
            "prepare_media",
            "Makes one file of a track's slices when all of them are there",
            [
                foundation.on_table("GetItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                foundation.list_recordings(),
                foundation.write_prepared(),
            ],
            # A day's slices are fetched one after the other.
            cdk.Duration.minutes(15),
            memory_mb=1769,  # one whole core
            code=prepare_code(foundation.settings),
            # The prepared file of a day at the highest rate that Agora records in.
            scratch=cdk.Size.gibibytes(4),
        )
        self.submit = self._function(
            "submit_recording",
            "Hands a media object to its provider",
            [
                foundation.on_table("GetItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                *foundation.read_provider_secrets(),
                *webhooks.read_secret(),
                *self._submit_statements(capabilities),
            ],
            # The bytes of the longest recording may have to pass through.
            cdk.Duration.minutes(10 if any(c.takes == "bytes" for c in capabilities) else 4),
            environment={**webhooks.environment, "WEBHOOK_URL": webhooks.url},
        )
        self.poll = self._function(
            "poll_job",
            "Asks the provider for a job and keeps its reply",
            [
                foundation.on_table("GetItem", "UpdateItem", *(["Query"] if calls_back else [])),
                foundation.on_replies("PutObject", *(["GetObject"] if delivered else [])),
                *foundation.read_provider_secrets(),
                *(self._get(c.aws_service) for c in capabilities if c.aws_service),
            ],
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

    def _submit_statements(self, capabilities: Sequence[Capabilities]) -> list[iam.PolicyStatement]:
        """What else submitting takes: a link to deliver the result with, or a service of AWS that writes it itself."""
        on_replies = self._foundation.on_replies
        delivered = any(c.result_by == "delivery" for c in capabilities)
        services = [c.aws_service for c in capabilities if c.aws_service]
        return [
            *([on_replies("PutObject", prefix=DELIVERIES)] if delivered else []),
            *([on_replies("PutObject", prefix=OUTPUTS)] if services else []),
            *(self._start(service) for service in services),
        ]

    def _start(self, service: AwsService) -> iam.PolicyStatement:
        """Starting a job names no resource: what it may do is bound to where its output goes."""
        replies = self._foundation.buckets.replies.bucket_name
        return iam.PolicyStatement(
            actions=[f"{service.name}:{service.start}"],
            resources=["*"],
            conditions={
                "StringEquals": {f"{service.name}:{service.output_bucket}": replies},
                "StringLike": {f"{service.name}:{service.output_key}": f"{OUTPUTS}*"},
            },
        )

    def _get(self, service: AwsService) -> iam.PolicyStatement:
        jobs = cdk.Stack.of(self).format_arn(service=service.name, resource=service.job_resource, resource_name="*")
        return iam.PolicyStatement(actions=[f"{service.name}:{service.get}"], resources=[jobs])

    def _state_machine(self) -> sfn.StateMachine:
        settings = self._foundation.settings
        ceilings = settings.submit_ceiling_minutes + settings.poll_ceiling_minutes
        # A track is there from the first minute of its recording on, and over a day of silence after it at the latest.
        recording = MOST_HOURS * 60 + LONGEST_SILENCE.total_seconds() / 60 + settings.late_files_minutes
        return standard_machine(
            self,
            settings,
            self._definition(),
            functions=[self.prepare, self.submit, self.poll, self.save, self.report],
            statements=[self._foundation.on_table("UpdateItem")],
            # Each new link and each provider that takes over begins both waits anew; the hour is for faults on the way.
            timeout=cdk.Duration.minutes((MOST_RENEWALS + 1 + len(settings.failover)) * ceilings + recording + 60),
        )

    def _definition(self) -> sfn.IChainable:
        failed = sfn.Fail.jsonata(self, "Recording failed", error="RecordingFailed", cause="{% $states.input.reason %}")
        report = self._task("Report failure", self.report)
        report.add_catch(
            failed,
            errors=[sfn.Errors.ALL],
            outputs={"reason": "{% 'the failure could not be reported: ' & $states.errorOutput.Error %}"},
        )
        report.next(failed)
        prepare = self._task("Prepare media", self.prepare, on_error=report)
        submit = self._task("Submit recording", self.submit, on_error=report)
        poll = self._task("Poll job", self.poll, on_error=report)
        save = self._task("Save insights", self.save, on_error=report)
        await_callback = self._await_callback(poll)
        waiting = wait(self, "Wait")
        wait_for_files = wait(self, "Wait for files")
        prepared = (
            sfn.Choice.jsonata(self, "Media prepared?")
            .when(outcome("prepare"), prepare)
            .when(outcome("running"), wait_for_files)
            .when(outcome("failed"), report)
            .when(outcome("empty"), sfn.Succeed.jsonata(self, "Nothing was recorded"))
            .otherwise(submit)
        )
        wait_for_files.next(prepare)
        prepare.next(prepared)
        finished = (
            sfn.Choice.jsonata(self, "Job finished?")
            .when(outcome("awaiting"), await_callback)
            .when(outcome("running"), waiting)
            .when(outcome("succeeded"), save)
            .when(outcome("submit"), submit)
            .otherwise(report)
        )
        waiting.next(poll)
        poll.next(finished)
        submit.next(finished)
        return prepared

    def _await_callback(self, poll: tasks.LambdaInvoke) -> tasks.CallAwsService:
        """Lays its token on the row for whoever receives the callback, and goes on to poll, come what may.

        The write fails if a callback was noted already, since it came before its wait.
        Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
        """
        state = tasks.CallAwsService.jsonata(
            self,
            "Await callback",
            service="dynamodb",
            action="updateItem",
            iam_resources=[self._foundation.table.table.table_arn],
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
            parameters={
                "TableName": self._foundation.table.table.table_name,
                "Key": {
                    PARTITION: {"S": "{% $states.input.recording_id %}"},
                    SORT: {"S": "{% '" + MEDIA_PREFIX + "' & $states.input.media_id %}"},
                },
                "UpdateExpression": "SET task_token = :token",
                "ConditionExpression": f"attribute_exists({PARTITION}) AND attribute_not_exists(callback_at)",
                "ExpressionAttributeValues": {":token": {"S": "{% $states.context.Task.Token %}"}},
            },
            # The local cloud takes no expression here, so it is the same for every recording.
            task_timeout=sfn.Timeout.duration(cdk.Duration.seconds(self._foundation.settings.callback_wait_seconds)),
            outputs="{% $states.input %}",
        )
        state.add_catch(poll, errors=[sfn.Errors.ALL], outputs="{% $states.input %}")
        return state.next(poll)

    def _task(
        self, name: str, function: PythonFunction, *, on_error: sfn.IChainable | None = None
    ) -> tasks.LambdaInvoke:
        task = lambda_task(self, name, function)
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
        environment: Mapping[str, str] | None = None,
        code: lambda_.Code | None = None,
        scratch: cdk.Size | None = None,
    ) -> PythonFunction:
        return PythonFunction(
            self,
            "".join(word.capitalize() for word in module.split("_")),
            settings=self._foundation.settings,
            module=f"states.{module}",
            description=description,
            environment={**self._foundation.environment(), **(environment or {})},
            statements=statements,
            timeout=timeout,
            memory_mb=memory_mb,
            code=code,
            scratch=scratch,
        )
