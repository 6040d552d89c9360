"""Retries of many media objects: the state machine that begins their new tries page by page."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.python_function import PythonFunction
from infra.state_machine import lambda_task, page_by_page, run_executions, standard_machine, wait
from recording_insights.settings import RetryPageSettings

LONGEST_DAYS = 7
"""A retry has 2,000 pages at most, and between two of them it waits a minute at most."""


class Retries(Construct):
    """The state machine, and the function behind its task."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, workflow: sfn.StateMachine) -> None:
        super().__init__(scope, construct_id)
        self.page = PythonFunction(
            self,
            "RetryPage",
            settings=foundation.settings,
            module="states.retry_page",
            description="Begins new tries of failed media objects",
            reads=foundation.settings_for(RetryPageSettings, workflow_arn=workflow.state_machine_arn),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.on_indexes("Query"),
                *run_executions(workflow),
            ],
            timeout=cdk.Duration.minutes(5),
        )
        self.state_machine = standard_machine(
            self,
            foundation.settings,
            self._definition(),
            functions=[self.page],
            timeout=cdk.Duration.days(LONGEST_DAYS),
        )

    def _definition(self) -> sfn.IChainable:
        page, waiting = lambda_task(self, "Retry page", self.page), wait(self, "Wait")
        return page_by_page(self, page, waiting, more="More to retry?", over="Retried")
