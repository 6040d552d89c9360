"""What a model finds in transcripts: a rule on the bus, a queue, and the state machine "derive insights".

A stage without the setting `insightsModel` has nothing of this. An execution derives what one recording wants of one
transcript, call by call. The model is called in the region of the stack, from one function alone.
"""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.model_name import ModelName
from infra.model_rights import guardrail_rights, model_rights
from infra.python_function import PythonFunction
from infra.queues import message_queue, receive_messages, target_queue
from infra.state_machine import (
    await_turn,
    lambda_task,
    outcome,
    standard_machine,
    start_executions,
    wait_after_unknown,
    wake_executions,
)
from recording_insights.aws.reply_bucket import DERIVED
from recording_insights.derive.derive_insights import TIMEOUT_SECONDS
from recording_insights.notices.events import SOURCE
from recording_insights.settings import BeginDerivationSettings, DeriveInsightsSettings

TIMEOUT = cdk.Duration.minutes(1)
TRIES = 50
"""Deliveries of a message before it is a dead letter: with six times the time-out above, five hours of failures."""
AT_ONCE = 2
"""Workers of a new account, which has ten: many recordings may end at once, and nobody waits for this."""
FAULT_SECONDS = 600
"""The wait after the retries of a call failed."""
MOST_FAULTS = 600
"""In a row. AWS ends an execution after 25,000 events, and a fault with its retries is 34 of them.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""


class Derivation(Construct):
    """`queue` has the events of transcripts that are ready; those that fail for long go to `dead_letters`."""

    def __init__(
        self, scope: Construct, construct_id: str, foundation: Foundation, bus: events.IEventBus, model: ModelName
    ) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        self.derive = self._derive_insights(model)
        self.state_machine = self._state_machine()
        # A policy of its own: the state machine refers to the function, and the function to its own policy.
        wakes = iam.Policy(self, "WakeExecutions", statements=[wake_executions(self.state_machine)])
        wakes.attach_to_role(self.derive.role)
        settings = foundation.settings
        self.dead_letters = message_queue(self, "DeadLetters", settings)
        self.queue = message_queue(
            self, "Queue", settings, timeout=TIMEOUT, dead_letters=self.dead_letters, receives=TRIES
        )
        self.begin = self._begin_derivation()
        self._listen(bus)

    def _derive_insights(self, model: ModelName) -> PythonFunction:
        foundation, guardrail = self._foundation, self._foundation.settings.insights_guardrail
        return PythonFunction(
            self,
            "DeriveInsights",
            settings=foundation.settings,
            module="states.derive_insights",
            description="Asks a model for what it finds in a transcript",
            reads=foundation.settings_for(DeriveInsightsSettings),
            statements=[
                foundation.on_table("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.on_replies("GetObject", "PutObject", prefix=DERIVED),
                foundation.list_replies(),
                *model_rights(self, model),
                *([guardrail_rights(self, guardrail)] if guardrail else []),
            ],
            timeout=cdk.Duration.seconds(TIMEOUT_SECONDS),
            # The lines of a day, and an answer as large as any that is read.
            memory_mb=1024,
        )

    def _begin_derivation(self) -> PythonFunction:
        foundation = self._foundation
        begin = PythonFunction(
            self,
            "BeginDerivation",
            settings=foundation.settings,
            module="events.begin_derivation",
            description="Starts one execution for each transcript that is ready",
            reads=foundation.settings_for(BeginDerivationSettings, derivation_arn=self.state_machine.state_machine_arn),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query"),
                foundation.on_replies("PutObject", prefix=DERIVED),
                start_executions(self.state_machine),
                receive_messages(self.queue),
            ],
            timeout=TIMEOUT,
            memory_mb=1024,
        )
        mapping = begin.function.add_event_source_mapping(
            "Messages",
            event_source_arn=self.queue.queue_arn,
            # One transcript at a time: that of a day may take most of the function's time.
            batch_size=1,
            max_concurrency=AT_ONCE,
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(begin.policy)
        return begin

    def _listen(self, bus: events.IEventBus) -> None:
        events.Rule(
            self,
            "Rule",
            description="Transcripts that are ready go to the queue of the model",
            event_bus=bus,
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=["transcript.ready"]),
            targets=[target_queue(self.queue, self.dead_letters)],
        )

    def _state_machine(self) -> sfn.StateMachine:
        settings = self._foundation.settings
        return standard_machine(
            self,
            settings,
            self._definition(),
            functions=[self.derive],
            statements=[self._foundation.on_table("UpdateItem")],
            # The day is for faults and for the calls themselves.
            timeout=cdk.Duration.hours(24 * settings.queue_days + settings.give_up_hours + 24),
        )

    def _definition(self) -> sfn.IChainable:
        derive = lambda_task(self, "Derive insights", self.derive)
        seconds = max(FAULT_SECONDS, self._foundation.settings.give_up_hours * 3600 // MOST_FAULTS)
        repair = sfn.Wait.jsonata(
            self, "Wait for repair", time=sfn.WaitTime.duration(cdk.Duration.seconds(seconds))
        ).next(derive)
        derive.add_catch(repair, errors=[sfn.Errors.ALL], outputs="{% $states.input %}")
        return derive.next(
            sfn.Choice.jsonata(self, "More to derive?")
            .when(outcome("more"), derive)
            .when(outcome("parked"), await_turn(self, self._foundation.table.table, derive))
            .when(outcome("over"), sfn.Succeed.jsonata(self, "Derived"))
            .otherwise(wait_after_unknown(self, derive))
        )
