"""Executions that fail, time out or are aborted before they report: the reason still reaches the row."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.python_function import PythonFunction
from infra.state_machine import wake_executions
from recording_insights.settings import ReportStoppedExecutionSettings


class StoppedExecutions(Construct):
    """A rule on the status change of executions, and its function."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        foundation: Foundation,
        workflow: sfn.StateMachine,
        others: Sequence[sfn.StateMachine],
        dead_letters: sqs.IQueue,
        derives: sfn.StateMachine | None,
    ) -> None:
        super().__init__(scope, construct_id)
        report = PythonFunction(
            self,
            "ReportStoppedExecution",
            settings=foundation.settings,
            module="events.report_stopped_execution",
            description="Writes the reason of a stopped execution to the row",
            reads=foundation.settings_for(ReportStoppedExecutionSettings),
            statements=[
                foundation.on_table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                wake_executions(workflow),
                *([wake_executions(derives)] if derives else []),
            ],
            timeout=cdk.Duration.seconds(30),
            dead_letters=dead_letters,
        )
        target = targets.LambdaFunction(
            report.function,
            dead_letter_queue=dead_letters,
            max_event_age=cdk.Duration.hours(24),
            retry_attempts=185,
        )
        self._send_stopped([workflow, *others, *([derives] if derives else [])], target)

    def _send_stopped(self, state_machines: Sequence[sfn.StateMachine], target: targets.LambdaFunction) -> None:
        events.Rule(
            self,
            "Rule",
            description="Executions that ended without success",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [machine.state_machine_arn for machine in state_machines],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[target],
        )
