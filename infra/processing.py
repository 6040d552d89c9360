"""The state machine that processes media objects: prepare, submit, wait, poll, save, or report the failure.

Python decides the timing. The definition gets it as data and holds no arithmetic: its JSONata expressions are paths
and comparisons only.
"""

from collections.abc import Iterator, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.access import Foundation
from infra.bundling.native_wheels import prepare_code
from infra.callbacks import Webhooks
from infra.customer_key import key_rights
from infra.python_function import PythonFunction, function_role
from infra.state_machine import (
    await_turn,
    lambda_task,
    no_outcome,
    outcome,
    see_executions,
    standard_machine,
    wait,
    wait_after_unknown,
    wake_executions,
)
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, OUTPUTS
from recording_insights.processing.file_conversion import TIMEOUT_SECONDS as PREPARE_SECONDS
from recording_insights.processing.late_files import AWAIT_SECONDS, LONGEST_SILENCE
from recording_insights.processing.poll_job import TIMEOUT_SECONDS as POLL_SECONDS
from recording_insights.processing.recording_rights import TABLE_ACTIONS
from recording_insights.processing.renewals import MOST_RENEWALS, MOST_REPEATS
from recording_insights.providers.port import AwsService, Capabilities
from recording_insights.providers.registry import capabilities_of, uploads_result
from recording_insights.recordings.request import MOST_HOURS
from recording_insights.settings import (
    FunctionSettings,
    PollJobSettings,
    PrepareMediaSettings,
    ReportFailureSettings,
    ReportFaultSettings,
    SaveInsightsSettings,
    SubmitRecordingSettings,
)
from recording_insights.store.keys import MEDIA_PREFIX, PARTITION, SORT

REPAIR_SECONDS = 300
"""The wait after a fault that could not even be reported."""


class ProcessingWorkflow(Construct):
    """The state machine and the six functions behind its tasks."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, webhooks: Webhooks) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        capabilities = [capabilities_of(name) for name in foundation.settings.providers]
        self.prepare = self._prepare_media()
        self.submit = self._submit_recording(capabilities, webhooks)
        self.poll = self._poll_job(capabilities)
        self.save = self._function(
            "save_insights",
            "Writes the insights of a kept reply to the table",
            foundation.settings_for(SaveInsightsSettings),
            [
                foundation.on_table("GetItem", "Query", "UpdateItem", "BatchWriteItem"),
                foundation.on_replies("GetObject"),
                foundation.on_words("PutObject"),
                foundation.list_replies(),
            ],
            cdk.Duration.minutes(2),
            # The reply of a recording of 24 hours takes 532 MB. The worst within the limits takes 1,250 MB.
            memory_mb=2048,
        )
        self.report_fault = self._function(
            "report_fault",
            "Writes a fault to the row, and returns how long to wait for its repair",
            foundation.settings_for(ReportFaultSettings),
            [foundation.on_table("GetItem", "Query", "UpdateItem")],
            cdk.Duration.seconds(30),
        )
        self.report = self._function(
            "report_failure",
            "Writes the reason of a failure to the row",
            foundation.settings_for(ReportFailureSettings),
            [foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem", "DeleteItem")],
            cdk.Duration.seconds(30),
        )
        self.state_machine = self._state_machine()
        # A policy of its own: the state machine refers to the functions, and they to their own policies.
        sees = iam.Policy(self, "SeeExecutions", statements=[see_executions(self.state_machine)])
        for function in (self.prepare, self.submit):
            sees.attach_to_role(function.role)
        wakes = iam.Policy(self, "WakeExecutions", statements=[wake_executions(self.state_machine)])
        for function in (self.submit, self.poll, self.report):
            wakes.attach_to_role(function.role)

    def _prepare_media(self) -> PythonFunction:
        foundation = self._foundation
        role = function_role(self, "PrepareMediaRole", "prepare_media")
        session_role = self._session_role(role)
        function = self._function(
            "prepare_media",
            "Makes a file that the provider takes of a track's segments or of another format",
            foundation.settings_for(PrepareMediaSettings, session_role_arn=session_role.role_arn),
            [iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[session_role.role_arn])],
            # The function fetches a day's segments one after the other, or encodes ten hours of sound.
            cdk.Duration.seconds(PREPARE_SECONDS),
            memory_mb=1769,  # one whole core
            code=prepare_code(foundation.settings),
            # The prepared file of a day at the highest bit rate that Agora records.
            scratch=cdk.Size.gibibytes(4),
            role=role,
        )
        function.function.node.add_dependency(self.session_policy)
        return function

    def _session_role(self, preparer: iam.Role) -> iam.Role:
        """The role in whose sessions media are prepared: each session is narrowed to one recording.

        The function itself may neither read media nor rows: it parses uploaded bytes with a native library.
        """
        foundation = self._foundation
        role = iam.Role(
            self,
            "PrepareMediaSession",
            assumed_by=iam.ArnPrincipal(preparer.role_arn),
            description="What prepare_media may do in a session, which names one recording",
        )
        rights = [
            foundation.on_table(*TABLE_ACTIONS),
            foundation.read_recordings(),
            foundation.list_recordings(),
            foundation.write_prepared(),
        ]
        keys = key_rights(self, foundation.settings, rights)
        self.session_policy = iam.Policy(self, "PrepareMediaSessionPolicy", statements=[*rights, *keys])
        self.session_policy.attach_to_role(role)
        return role

    def _submit_recording(self, capabilities: Sequence[Capabilities], webhooks: Webhooks) -> PythonFunction:
        foundation = self._foundation
        return self._function(
            "submit_recording",
            "Submits a media object to its provider",
            foundation.settings_for(
                SubmitRecordingSettings, webhook_secret=webhooks.secret_id, webhook_url=webhooks.url
            ),
            [
                foundation.on_table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                *foundation.read_provider_secrets(),
                *webhooks.read_secret(),
                *self._submit_statements(capabilities),
            ],
            # For some providers, the function uploads the bytes of the longest recording.
            cdk.Duration.minutes(10 if any(c.takes == "bytes" for c in capabilities) else 4),
            # The answer of a provider may be as large as a reply, whatever was asked.
            memory_mb=1024,
        )

    def _poll_job(self, capabilities: Sequence[Capabilities]) -> PythonFunction:
        foundation = self._foundation
        delivered = list(self._results(capabilities))
        return self._function(
            "poll_job",
            "Polls a provider's job and keeps the reply",
            foundation.settings_for(PollJobSettings),
            [
                foundation.on_table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.on_replies("PutObject"),
                *(foundation.on_replies("GetObject", prefix=prefix) for prefix in delivered),
                *([foundation.list_replies()] if delivered else []),
                *foundation.read_provider_secrets(),
                *(self._get(c.aws_service) for c in capabilities if c.aws_service),
            ],
            cdk.Duration.seconds(POLL_SECONDS),
            # The reply of a recording of 24 hours takes 461 MB. The worst within the limits takes 800 MB.
            memory_mb=1024,
        )

    def _results(self, capabilities: Sequence[Capabilities]) -> Iterator[str]:
        """The prefixes of the replies bucket under which results arrive that no call fetches from a vendor."""
        providers = self._foundation.settings.providers
        yield from (f"{CALLBACKS}{name}/" for name in providers if capabilities_of(name).callback_is_result)
        if any(map(uploads_result, providers)):
            yield DELIVERIES
        if any(c.aws_service for c in capabilities):
            yield OUTPUTS

    def _submit_statements(self, capabilities: Sequence[Capabilities]) -> list[iam.PolicyStatement]:
        """The rights to write results to our bucket, for a vendor's upload link and for services of AWS."""
        on_replies = self._foundation.on_replies
        delivered = any(map(uploads_result, self._foundation.settings.providers))
        services = [c.aws_service for c in capabilities if c.aws_service]
        return [
            *([on_replies("PutObject", prefix=DELIVERIES)] if delivered else []),
            *([on_replies("PutObject", prefix=OUTPUTS)] if services else []),
            *(self._start(service) for service in services),
        ]

    def _start(self, service: AwsService) -> iam.PolicyStatement:
        """The right to start jobs. It names no resource, so conditions limit where a job may write its output."""
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
        ceilings = settings.queue_days * 24 * 60 + settings.give_up_hours * 60 + settings.poll_ceiling_minutes
        # A track's execution starts with the recording. It ends a day of silence after the recording at the latest.
        recording = MOST_HOURS * 60 + LONGEST_SILENCE.total_seconds() / 60 + settings.late_files_minutes
        return standard_machine(
            self,
            settings,
            self._definition(),
            functions=[self.prepare, self.submit, self.poll, self.save, self.report_fault, self.report],
            statements=[self._foundation.on_table("UpdateItem")],
            # Each new job and each provider that takes over restarts all waits. The hour is for faults.
            timeout=cdk.Duration.minutes(
                (1 + MOST_RENEWALS + MOST_REPEATS + len(settings.failover)) * ceilings + recording + 60
            ),
        )

    def _definition(self) -> sfn.IChainable:
        report = self._report_failure()
        fault = self._task("Report fault", self.report_fault)
        prepare = self._task("Prepare media", self.prepare, on_error=fault, again="prepare")
        submit = self._task("Submit recording", self.submit, on_error=fault, again="submit")
        poll = self._task("Poll job", self.poll, on_error=fault, again="running")
        save = self._task("Save insights", self.save, on_error=fault, again="succeeded")
        waiting, unknown = wait(self, "Wait"), wait_after_unknown(self, poll)
        over = sfn.Succeed.jsonata(self, "Nothing to do")
        finished = (
            sfn.Choice.jsonata(self, "Job finished?")
            .when(outcome("awaiting"), self._await_callback(poll))
            .when(outcome("running"), waiting)
            .when(outcome("succeeded"), save)
            .when(outcome("parked"), await_turn(self, self._foundation.table.table, submit))
            .when(outcome("submit"), submit)
            .when(outcome("prepare"), prepare)
            .when(outcome("over"), over)
            .when(outcome("failed"), report)
            .otherwise(unknown)
        )
        waiting.next(poll)
        poll.next(finished)
        submit.next(finished)
        self._wait_for_repair(fault, {"prepare": prepare, "submit": submit, "running": poll, "succeeded": save}, report)
        return self._prepared(prepare, submit, report, over, unknown)

    def _wait_for_repair(
        self, fault: tasks.LambdaInvoke, states: Mapping[str, tasks.LambdaInvoke], report: tasks.LambdaInvoke
    ) -> None:
        """After a fault of AWS or of our own, wait and go on where it happened: time or an operator mends it."""
        repair = wait(self, "Wait for repair")
        passes = sfn.Choice.jsonata(self, "Fault passes?").when(outcome("failed"), report).otherwise(repair)
        fault.next(passes)
        # The fault may concern this function too. The input has a wait of its own.
        fault.add_catch(repair, errors=[sfn.Errors.ALL], outputs="{% $states.input %}")
        go_on = sfn.Choice.jsonata(self, "Go on where?")
        for value, state in states.items():
            go_on.when(outcome(value), state)
        # It has waited already. A poll without a job leads to the state that is next.
        repair.next(go_on.otherwise(states["running"]))

    def _prepared(
        self,
        prepare: tasks.LambdaInvoke,
        submit: tasks.LambdaInvoke,
        report: tasks.LambdaInvoke,
        over: sfn.Succeed,
        unknown: sfn.Wait,
    ) -> sfn.IChainable:
        """The first choice: files are submitted at once, tracks are prepared before."""
        wait_for_files = wait(self, "Wait for files")
        await_end = self._await_token("Await end of track", "went_on", cdk.Duration.seconds(AWAIT_SECONDS))
        await_end.add_catch(prepare, errors=[sfn.Errors.TIMEOUT], outputs="{% $states.input %}")
        # Not at once: a lasting fault of AWS would fill the history of the execution.
        await_end.add_catch(wait_for_files, errors=[sfn.Errors.ALL], outputs="{% $states.input %}")
        await_end.next(prepare)
        prepared = (
            sfn.Choice.jsonata(self, "Media prepared?")
            .when(outcome("prepare"), prepare)
            .when(outcome("running"), wait_for_files)
            .when(outcome("awaiting"), await_end)
            .when(outcome("failed"), report)
            .when(outcome("empty"), sfn.Succeed.jsonata(self, "Nothing was recorded"))
            .when(outcome("over"), over)
            .when(outcome("submit"), submit)
            .when(no_outcome(), submit)
            .otherwise(unknown)
        )
        wait_for_files.next(prepare)
        prepare.next(prepared)
        return prepared

    def _report_failure(self) -> tasks.LambdaInvoke:
        failed = sfn.Fail.jsonata(self, "Recording failed", error="RecordingFailed", cause="{% $states.input.reason %}")
        report = self._task("Report failure", self.report)
        report.add_catch(
            failed,
            errors=[sfn.Errors.ALL],
            outputs={"reason": "the failure could not be reported"},
        )
        report.next(failed)
        return report

    def _await_callback(self, poll: tasks.LambdaInvoke) -> tasks.CallAwsService:
        """Wait for the callback, then poll in any case."""
        longest = cdk.Duration.seconds(self._foundation.settings.callback_wait_seconds)
        state = self._await_token("Await callback", "callback_at", longest)
        state.add_catch(poll, errors=[sfn.Errors.ALL], outputs="{% $states.input %}")
        return state.next(poll)

    def _await_token(self, name: str, arrived: str, longest: cdk.Duration) -> tasks.CallAwsService:
        """Write the task token to the row of the media object, and wait until it comes back.

        The write fails if the row has the attribute `arrived`: what the state waits for has arrived before.
        Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
        """
        return tasks.CallAwsService.jsonata(
            self,
            name,
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
                "ConditionExpression": f"attribute_exists({PARTITION}) AND attribute_not_exists({arrived})",
                "ExpressionAttributeValues": {":token": {"S": "{% $states.context.Task.Token %}"}},
            },
            task_timeout=sfn.Timeout.duration(longest),
            outputs="{% $states.input %}",
        )

    def _task(
        self, name: str, function: PythonFunction, *, on_error: sfn.IChainable | None = None, again: str = ""
    ) -> tasks.LambdaInvoke:
        payload = "{% $merge([$states.input, {'execution': $states.context.Execution.Id}]) %}"
        task = lambda_task(self, name, function, payload)
        if on_error:
            task.add_catch(
                on_error,
                errors=[sfn.Errors.ALL],
                outputs="{% $merge([$states.input, {'error': $states.errorOutput, 'failed_state': '"
                + f"{name}', 'outcome': '{again}', 'wait_seconds': {REPAIR_SECONDS}"
                + "}]) %}",
            )
        return task

    def _function(
        self,
        module: str,
        description: str,
        reads: FunctionSettings,
        statements: list[iam.PolicyStatement],
        timeout: cdk.Duration,
        memory_mb: int = 512,
        code: lambda_.Code | None = None,
        scratch: cdk.Size | None = None,
        role: iam.Role | None = None,
    ) -> PythonFunction:
        return PythonFunction(
            self,
            "".join(word.capitalize() for word in module.split("_")),
            settings=self._foundation.settings,
            module=f"states.{module}",
            description=description,
            reads=reads,
            statements=statements,
            timeout=timeout,
            memory_mb=memory_mb,
            code=code,
            scratch=scratch,
            role=role,
        )
