"""Erases: the state machine that deletes a recording page by page, and the route that starts it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.api import DELETE, Route
from infra.python_function import PythonFunction
from infra.state_machine import (
    lambda_task,
    page_by_page,
    run_executions,
    standard_machine,
    stop_executions,
    wait,
    wake_executions,
)
from recording_insights.providers.registry import PROVIDERS, capabilities_of, erases
from recording_insights.settings import ErasePageSettings, EraseRecordingSettings
from recording_insights.upkeep.erase_page import AWAY, LATE

FAULT_SECONDS = 600
"""The wait after the retries of a page failed."""
RIGHTS = (stop_executions, wake_executions)
"""On what runs for a recording that is being erased."""
MARGIN_DAYS = 7
"""For faults, beside the days that an erase waits by plan."""


class Erases(Construct):
    """The state machine, and the function behind its task. Only this function may delete objects."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        foundation: Foundation,
        workflow: sfn.StateMachine,
        derives: sfn.StateMachine | None,
    ) -> None:
        super().__init__(scope, construct_id)
        buckets = (foundation.buckets.recordings, foundation.buckets.replies)
        providers = foundation.settings.providers
        services = [capabilities_of(name).aws_service for name in providers]
        self.page = PythonFunction(
            self,
            "ErasePage",
            settings=foundation.settings,
            module="states.erase_page",
            description="Deletes a recording: objects, copies at providers, rows",
            reads=foundation.settings_for(
                ErasePageSettings,
                workflow_arn=workflow.state_machine_arn,
                derivation_arn=derives.state_machine_arn if derives else None,
            ),
            statements=[
                foundation.on_table("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                iam.PolicyStatement(
                    actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
                    resources=[bucket.arn_for_objects("*") for bucket in buckets],
                ),
                iam.PolicyStatement(
                    actions=["s3:ListBucketVersions"], resources=[bucket.bucket_arn for bucket in buckets]
                ),
                foundation.read_secret("agora"),
                *(foundation.read_secret(name) for name in providers if PROVIDERS[name].secret_keys and erases(name)),
                *(
                    iam.PolicyStatement(
                        actions=[f"{service.name}:{service.delete}"],
                        resources=[
                            cdk.Stack.of(self).format_arn(
                                service=service.name, resource=service.job_resource, resource_name="*"
                            )
                        ],
                    )
                    for service in services
                    if service
                ),
                *(right(machine) for machine in (workflow, derives) if machine for right in RIGHTS),
            ],
            timeout=cdk.Duration.minutes(5),
        )
        self.state_machine = standard_machine(
            self,
            foundation.settings,
            self._definition(),
            functions=[self.page],
            timeout=cdk.Duration.days(AWAY.days + LATE.days + MARGIN_DAYS),
        )

    def route(self, foundation: Foundation) -> Route:
        """The route that erases a recording."""
        machine = self.state_machine
        return Route(
            DELETE,
            "/recordings/{recording_id}",
            "erase_recording",
            "Erases a recording",
            foundation.settings_for(EraseRecordingSettings, erase_arn=machine.state_machine_arn),
            [foundation.on_table("GetItem", "UpdateItem"), *run_executions(machine)],
        )

    def _definition(self) -> sfn.IChainable:
        page, waiting = lambda_task(self, "Erase page", self.page), wait(self, "Wait")
        page.add_catch(
            waiting,
            errors=[sfn.Errors.ALL],
            outputs="{% $merge([$states.input, {'wait_seconds': " + str(FAULT_SECONDS) + "}]) %}",
        )
        return page_by_page(self, page, waiting, more="More to erase?", over="Erased")
