"""The sweep: a schedule, and the function that finds what nobody waits for."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.arrival import RecordingArrival
from infra.derivation import Derivation
from infra.python_function import PythonFunction
from infra.state_machine import run_executions, wake_executions
from recording_insights.aws.reply_bucket import CALLBACKS
from recording_insights.settings import SweepSettings


class Sweep(Construct):
    """`function` sweeps once. The schedule calls it, unless the setting `sweepMinutes` is 0."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        foundation: Foundation,
        workflow: sfn.StateMachine,
        erases: sfn.StateMachine,
        arrival: RecordingArrival,
        derivation: Derivation | None,
    ) -> None:
        super().__init__(scope, construct_id)
        read_letters = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
        move_letters = ["sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:GetQueueAttributes"]
        moved_from = [arrival.unadmitted.queue_arn, *([derivation.dead_letters.queue_arn] if derivation else [])]
        moved_to = [arrival.queue.queue_arn, *([derivation.queue.queue_arn] if derivation else [])]
        self.function = PythonFunction(
            self,
            "Run",
            settings=foundation.settings,
            module="events.sweep",
            description="Finds what arrived, ended or failed without anybody noticing",
            reads=foundation.settings_for(
                SweepSettings,
                workflow_arn=workflow.state_machine_arn,
                erase_arn=erases.state_machine_arn,
                arrivals_arn=arrival.queue.queue_arn,
                unadmitted_url=arrival.unadmitted.queue_url,
                dead_letters_url=arrival.dead_letters.queue_url,
                transcripts_arn=derivation.queue.queue_arn if derivation else None,
                underived_url=derivation.dead_letters.queue_url if derivation else None,
            ),
            statements=[
                foundation.on_table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.on_indexes("Query"),
                foundation.read_recordings(),
                foundation.on_replies("GetObject", prefix=CALLBACKS),
                foundation.list_recordings(),
                foundation.list_replies(),
                *run_executions(workflow),
                *run_executions(erases),
                wake_executions(workflow),
                iam.PolicyStatement(actions=read_letters, resources=[arrival.dead_letters.queue_arn]),
                # SQS moves messages with the rights of the caller.
                iam.PolicyStatement(actions=[*read_letters, *move_letters], resources=moved_from),
                iam.PolicyStatement(actions=["sqs:SendMessage"], resources=moved_to),
                *([wake_executions(derivation.state_machine)] if derivation else []),
            ],
            timeout=cdk.Duration.minutes(5),
        )
        if foundation.settings.sweep_minutes:
            self._schedule(foundation.settings.sweep_minutes)

    def _schedule(self, minutes: int) -> None:
        group = scheduler.CfnScheduleGroup(self, "Group")
        role = iam.Role(
            self,
            "ScheduleRole",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
            description="Lets the schedule call the sweep",
        )
        function = self.function.function.function_arn
        invoke = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function])
        policy = iam.Policy(self, "SchedulePolicy", statements=[invoke])
        policy.attach_to_role(role)
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            group_name=group.ref,
            schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function,
                role_arn=role.role_arn,
                # The next sweep does what this one has missed.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=60 * minutes, maximum_retry_attempts=3
                ),
            ),
        )
        schedule.node.add_dependency(policy)
