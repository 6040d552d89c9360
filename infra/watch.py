"""The Step Functions machine that watches a recording from its start until nothing more is to come of it.

As in the workflow, timing is decided in Python and arrives as data.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.python_function import PythonFunction
from infra.state_machine import lambda_task, outcome, standard_machine, wait
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET
from recording_insights.recordings.request import MOST_HOURS

FAULT_SECONDS = 120
"""Before a look that AWS hindered again and again is tried anew: a watch must not end by a fault."""
LATE_TIMES = 3
"""Each late file begins the wait for others anew."""
MARGIN_HOURS = 6


class RecordingWatch(Construct):
    """The state machine and the functions behind its two tasks; `recover_with` says where recovered media go."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation) -> None:
        super().__init__(scope, construct_id)
        settings = foundation.settings
        self.check = PythonFunction(
            self,
            "CheckRecording",
            settings=settings,
            module="states.check_recording",
            description="Asks Agora whether a recorder still records, and renews what it writes its files with",
            environment=foundation.environment(),
            statements=[
                foundation.on_table("GetItem", "Query", "UpdateItem", "DeleteItem"),
                foundation.read_secret("agora"),
                foundation.read_secret(UPLOADER_SECRET),
            ],
            timeout=cdk.Duration.minutes(1),
        )
        self.recover = PythonFunction(
            self,
            "RecoverRecording",
            settings=settings,
            module="states.recover_recording",
            description="Has processed what slices hold and no MP4",
            environment=foundation.environment(),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                foundation.list_recordings(),
            ],
            # A day has some 6000 slices, which are six lists and a playlist.
            timeout=cdk.Duration.minutes(1),
        )
        self.state_machine = standard_machine(
            self,
            settings,
            self._definition(),
            functions=[self.check, self.recover],
            timeout=cdk.Duration.minutes((MOST_HOURS + MARGIN_HOURS) * 60 + LATE_TIMES * settings.late_files_minutes),
        )

    def recover_with(self, workflow: sfn.StateMachine) -> None:
        """What is recovered is processed there.

        Said afterwards: the workflow needs the API for callbacks, whose starts need the watch.
        """
        self.recover.function.add_environment("WORKFLOW_ARN", workflow.state_machine_arn)
        self.recover.policy.add_statements(
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[workflow.state_machine_arn])
        )

    def _definition(self) -> sfn.IChainable:
        waiting = wait(self, "Wait")
        check = lambda_task(self, "Check recording", self.check)
        recover = lambda_task(self, "Recover recording", self.recover)
        for task in (check, recover):
            task.add_catch(
                waiting,
                errors=[sfn.Errors.ALL],
                outputs="{% $merge([$states.input, {'wait_seconds': " + str(FAULT_SECONDS) + "}]) %}",
            )
        over = (
            sfn.Choice.jsonata(self, "Recording over?")
            .when(outcome("over"), sfn.Succeed.jsonata(self, "Recording watched"))
            .when(outcome("recover"), recover)
            .otherwise(waiting)
        )
        waiting.next(check)
        check.next(over)
        recover.next(check)
        return waiting
