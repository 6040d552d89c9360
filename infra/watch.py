"""The state machine that monitors a recording, from its start until its last file has arrived.

Python decides the timing, as for the state machine that processes media objects. The definition gets it as data.
"""

import aws_cdk as cdk
import jsii
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.access import Foundation
from infra.python_function import PythonFunction
from infra.state_machine import (
    lambda_task,
    outcome,
    run_executions,
    standard_machine,
    wait,
    wait_after_unknown,
    wake_executions,
)
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET
from recording_insights.recordings.request import MOST_HOURS
from recording_insights.settings import CheckRecordingSettings, RecoverRecordingSettings

FAULT_SECONDS = 120
"""The wait after the retries of a task failed. A fault of AWS must not end a watch."""
LATE_TIMES = 3
"""How often a late file may restart the wait for others."""
MARGIN_HOURS = 6


@jsii.implements(cdk.IStableStringProducer)
class _LaterText:
    """A text that is set after the construct that uses it, and before the synth."""

    text: str | None = None

    def produce(self) -> str | None:
        return self.text


class RecordingWatch(Construct):
    """The state machine and the functions behind its two tasks. Call `recover_with` once the workflow exists."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation) -> None:
        super().__init__(scope, construct_id)
        self._workflow_arn = _LaterText()
        self.check = self._check_recording(foundation)
        self.recover = self._recover_recording(foundation)
        late_minutes = LATE_TIMES * foundation.settings.late_files_minutes
        self.state_machine = standard_machine(
            self,
            foundation.settings,
            self._definition(),
            functions=[self.check, self.recover],
            timeout=cdk.Duration.minutes((MOST_HOURS + MARGIN_HOURS) * 60 + late_minutes),
        )

    def _check_recording(self, foundation: Foundation) -> PythonFunction:
        return PythonFunction(
            self,
            "CheckRecording",
            settings=foundation.settings,
            module="states.check_recording",
            description="Queries Agora about a recorder, and renews its upload credentials",
            reads=foundation.settings_for(CheckRecordingSettings),
            statements=[
                foundation.on_table("GetItem", "Query", "UpdateItem", "DeleteItem"),
                foundation.read_secret("agora"),
                foundation.read_secret(UPLOADER_SECRET),
            ],
            timeout=cdk.Duration.minutes(1),
        )

    def _recover_recording(self, foundation: Foundation) -> PythonFunction:
        workflow_arn = cdk.Lazy.string(self._workflow_arn)
        return PythonFunction(
            self,
            "RecoverRecording",
            settings=foundation.settings,
            module="states.recover_recording",
            description="Completes recordings, with files whose events never came and segments that are in no MP4",
            reads=foundation.settings_for(RecoverRecordingSettings, workflow_arn=workflow_arn),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                foundation.list_recordings(),
            ],
            # A day has some 6,000 segments: six lists and a playlist.
            timeout=cdk.Duration.minutes(1),
        )

    def recover_with(self, workflow: sfn.StateMachine) -> None:
        """Set the state machine that processes recovered media, and whose waits for tracks end with the recording.

        It is set later, because of a cycle: the workflow needs the API's address, and the API starts this watch.
        """
        self._workflow_arn.text = workflow.state_machine_arn
        self.check.policy.add_statements(wake_executions(workflow))
        self.recover.policy.add_statements(*run_executions(workflow), wake_executions(workflow))

    def _definition(self) -> sfn.IChainable:
        waiting, late_files = wait(self, "Wait"), wait(self, "Wait for files")
        check = self._task("Check recording", self.check, after_faults=waiting)
        recover = self._task("Recover recording", self.recover, after_faults=late_files)
        over = (
            sfn.Choice.jsonata(self, "Recording over?")
            .when(outcome("over"), sfn.Succeed.jsonata(self, "Recording watched"))
            .when(outcome("ended"), late_files)
            .when(outcome("recover"), recover)
            .when(outcome("watching"), waiting)
            .otherwise(wait_after_unknown(self, check))
        )
        waiting.next(check)
        late_files.next(recover)
        check.next(over)
        recover.next(over)
        return waiting

    def _task(self, name: str, function: PythonFunction, *, after_faults: sfn.Wait) -> tasks.LambdaInvoke:
        task = lambda_task(self, name, function)
        task.add_catch(
            after_faults,
            errors=[sfn.Errors.ALL],
            outputs="{% $merge([$states.input, {'wait_seconds': " + str(FAULT_SECONDS) + "}]) %}",
        )
        return task
