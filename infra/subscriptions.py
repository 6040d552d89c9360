"""Webhooks out: two queues, the function that sends events to subscribers, and the routes of subscriptions."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.access import Foundation
from infra.api import DELETE, GET, PATCH, POST, Route
from infra.python_function import PythonFunction
from infra.queues import message_queue, receive_messages, target_queue
from recording_insights.notices.events import EVENT_TYPES
from recording_insights.settings import (
    CreateSubscriptionSettings,
    DeleteSubscriptionSettings,
    DeliverNoticeSettings,
    GetSubscriptionSettings,
    ListDeliveriesSettings,
    ListSubscriptionsSettings,
    ResendDeliverySettings,
    RotateSecretSettings,
    SendTestEventSettings,
    UpdateSubscriptionSettings,
)

TIMEOUT = cdk.Duration.seconds(60)
"""A try takes 20 s at most: 5 s for the name, and 15 s for the answer."""
MOST_RECEIVES = 30
"""Of a message: eight tries, and what crashes in between."""
FAN_OUTS_AT_ONCE, TRIES_AT_ONCE = 5, 40


class Subscriptions(Construct):
    """Events of the bus go to `events`, each delivery to a subscription is a message of `deliveries`.

    Messages that come back 30 times go to `undelivered`.
    """

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, bus: events.IEventBus) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        self.undelivered = self._queue("Undelivered")
        self.events = self._queue("Events", self.undelivered)
        self.deliveries = self._queue("Deliveries", self.undelivered)
        self.function = self._function(bus)
        events.Rule(
            self,
            "Rule",
            description="Events that callers may subscribe to",
            event_bus=bus,
            event_pattern=events.EventPattern(source=["recording-insights"], detail_type=list(EVENT_TYPES)),
            targets=[target_queue(self.events, self.undelivered)],
        )

    def _queue(self, name: str, dead_letters: sqs.Queue | None = None) -> sqs.Queue:
        return message_queue(
            self,
            name,
            self._foundation.settings,
            timeout=TIMEOUT,
            dead_letters=dead_letters,
            receives=MOST_RECEIVES,
        )

    def _function(self, bus: events.IEventBus) -> PythonFunction:
        foundation = self._foundation
        function = PythonFunction(
            self,
            "DeliverNotice",
            settings=foundation.settings,
            module="events.deliver_notice",
            description="Sends events to subscribers",
            reads=foundation.settings_for(
                DeliverNoticeSettings, deliveries_url=self.deliveries.queue_url, bus_name=bus.event_bus_name
            ),
            statements=[
                foundation.on_table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                receive_messages(self.events, self.deliveries),
                iam.PolicyStatement(
                    actions=["sqs:SendMessage", "sqs:ChangeMessageVisibility"], resources=[self.deliveries.queue_arn]
                ),
                iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]),
            ],
            timeout=TIMEOUT,
        )
        for name, queue, batch, most in (
            ("EventsMapping", self.events, 10, FAN_OUTS_AT_ONCE),
            # One delivery at a time: a slow subscriber holds up no other delivery of a batch.
            ("DeliveriesMapping", self.deliveries, 1, TRIES_AT_ONCE),
        ):
            mapping = lambda_.EventSourceMapping(
                self,
                name,
                target=function.function,
                event_source_arn=queue.queue_arn,
                batch_size=batch,
                max_concurrency=most,
                report_batch_item_failures=True,
            )
            mapping.node.add_dependency(function.policy)
        return function

    def routes(self) -> list[Route]:
        """The routes of subscriptions and of their deliveries."""
        reads, table = self._foundation.settings_for, self._foundation.on_table
        send = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.deliveries.queue_arn])
        one, url = "/subscriptions/{subscription_id}", self.deliveries.queue_url
        return [
            Route(
                POST,
                "/subscriptions",
                "create_subscription",
                "Subscribes to events",
                reads(CreateSubscriptionSettings),
                [table("PutItem", "Query")],
            ),
            Route(
                GET,
                "/subscriptions",
                "list_subscriptions",
                "Lists subscriptions, oldest first",
                reads(ListSubscriptionsSettings),
                [table("Query")],
            ),
            Route(
                GET,
                one,
                "get_subscription",
                "Returns a subscription",
                reads(GetSubscriptionSettings),
                [table("GetItem")],
            ),
            Route(
                PATCH,
                one,
                "update_subscription",
                "Changes a subscription, or switches it off or on",
                reads(UpdateSubscriptionSettings),
                [table("GetItem", "UpdateItem")],
            ),
            Route(
                DELETE,
                one,
                "delete_subscription",
                "Deletes a subscription",
                reads(DeleteSubscriptionSettings),
                [table("DeleteItem")],
            ),
            Route(
                POST,
                f"{one}/rotate",
                "rotate_secret",
                "Gives a subscription a new secret",
                reads(RotateSecretSettings),
                [table("GetItem", "UpdateItem")],
            ),
            Route(
                POST,
                f"{one}/test",
                "send_test_event",
                "Sends a test event to a subscription",
                reads(SendTestEventSettings, deliveries_url=url),
                [table("GetItem", "PutItem"), send],
            ),
            Route(
                GET,
                f"{one}/deliveries",
                "list_deliveries",
                "Lists the deliveries of a subscription, newest first",
                reads(ListDeliveriesSettings),
                [table("GetItem", "Query")],
            ),
            Route(
                POST,
                f"{one}/deliveries/{{delivery_id}}/resend",
                "resend_delivery",
                "Sends an event to a subscription again",
                reads(ResendDeliverySettings, deliveries_url=url),
                [table("GetItem", "UpdateItem"), send],
            ),
        ]
