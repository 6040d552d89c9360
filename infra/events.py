"""The stage's own events: what happens to recordings goes onto a bus, for rules of whoever wants to know.

They follow from changes of rows, which the table's stream tells of: so none is lost by a crash after a write. A change
that cannot be published goes to a queue, and after many tries to the dead letters.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.access import Foundation
from infra.customer_key import customer_key
from infra.python_function import PythonFunction
from infra.queues import message_queue, receive_messages
from recording_insights.model.status import FINAL
from recording_insights.settings import PublishChangesSettings
from recording_insights.store.keys import MEDIA_PREFIX, RECEIPT, RECORDING, SORT

TIMEOUT = cdk.Duration.minutes(1)
TRIES = 20
"""Deliveries of a message before it is a dead letter: with the time-out above, two hours of failures."""
OLDEST_CHANGE = cdk.Duration.hours(12)
"""A batch that fails as a whole blocks its shard so long. Then half a day is left to read it from the stream."""
BATCH = 100


def _rows(sort: Any, **more: Any) -> dict[str, Any]:
    return {"Keys": {SORT: {"S": [sort]}}, **more}


FILTERS = (
    {"eventName": ["INSERT", "MODIFY"], "dynamodb": _rows(RECORDING)},
    # Polls and the like change rows that have not ended.
    {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": _rows({"prefix": MEDIA_PREFIX}, NewImage={"status": {"S": list(FINAL)}}),
    },
    {"eventName": ["INSERT"], "dynamodb": _rows(RECEIPT)},
)
"""The changes that events may follow from. The others cost nothing."""


class Events(Construct):
    """`bus` has the events of the stage, encrypted with the customer's key if there is one."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        key = customer_key(self, foundation.settings)
        self.bus = events.EventBus(
            self,
            "Bus",
            description=f"What happens to recordings of the stage {foundation.settings.stage}",
            kms_key=key,
        )
        settings = foundation.settings
        self.dead_letters = message_queue(self, "DeadLetters", settings, key=key)
        self.unpublished = message_queue(
            self,
            "Unpublished",
            settings,
            key=key,
            timeout=TIMEOUT,
            dead_letters=self.dead_letters,
            receives=TRIES,
        )
        self.publish = self._publish_changes()

    def _publish_changes(self) -> PythonFunction:
        foundation, stream = self._foundation, self._foundation.table.stream_arn
        publish = PythonFunction(
            self,
            "PublishChanges",
            settings=foundation.settings,
            module="events.publish_changes",
            description="Puts the events that follow from changes of rows onto the bus",
            reads=foundation.settings_for(
                PublishChangesSettings,
                bus_name=self.bus.event_bus_name,
                unpublished_url=self.unpublished.queue_url,
            ),
            statements=[
                foundation.on_table("GetItem"),
                iam.PolicyStatement(
                    actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                    resources=[stream],
                ),
                # Lambda lists the streams of the table, of which there may be several.
                iam.PolicyStatement(
                    actions=["dynamodb:ListStreams"], resources=[f"{foundation.table.table.table_arn}/stream/*"]
                ),
                iam.PolicyStatement(actions=["events:PutEvents"], resources=[self.bus.event_bus_arn]),
                receive_messages(self.unpublished, more=("sqs:SendMessage",)),
            ],
            timeout=TIMEOUT,
        )
        self._map(publish, stream)
        return publish

    def _map(self, publish: PythonFunction, stream: str) -> None:
        changes = publish.function.add_event_source_mapping(
            "Changes",
            event_source_arn=stream,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=BATCH,
            filters=[lambda_.FilterCriteria.filter(pattern) for pattern in FILTERS],
            # The function fails only if AWS does: until the age below, each batch is tried again.
            retry_attempts=-1,
            max_record_age=OLDEST_CHANGE,
            bisect_batch_on_error=True,
            on_failure=sources.SqsDlq(self.unpublished),
        )
        messages = publish.function.add_event_source_mapping(
            "Messages",
            event_source_arn=self.unpublished.queue_arn,
            batch_size=10,
            max_concurrency=2,
            report_batch_item_failures=True,
        )
        for mapping in (changes, messages):
            mapping.node.add_dependency(publish.policy)
