"""Executions that fail, time out or are aborted without having reported: their reason reaches the row all the same."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.python_function import PythonFunction


class StoppedExecutions(Construct):
    """Rule on the status change of executions → function."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        foundation: Foundation,
        state_machine: sfn.StateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.report = PythonFunction(
            self,
            "ReportStoppedExecution",
            settings=foundation.settings,
            module="events.report_stopped_execution",
            description="Leaves the reason of an execution that was stopped on the row",
            environment=foundation.environment(),
            statements=[foundation.on_table("GetItem", "Query", "UpdateItem")],
            timeout=cdk.Duration.seconds(30),
            dead_letters=dead_letters,
        )
        events.Rule(
            self,
            "Rule",
            description="Executions that ended without success",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [state_machine.state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    self.report.function,
                    dead_letter_queue=dead_letters,
                    max_event_age=cdk.Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )
