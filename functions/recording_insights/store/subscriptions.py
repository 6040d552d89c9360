"""Subscriptions, which are few, and the deliveries of events to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

from recording_insights.model.moments import utc_text
from recording_insights.model.status import ERASING
from recording_insights.store.expressions import if_it_holds, pages, read, rows, update_of
from recording_insights.store.keys import (
    DELIVERY_PREFIX,
    EXPIRES_AT,
    PARTITION,
    SORT,
    SUBSCRIPTION_PREFIX,
    SUBSCRIPTIONS,
    deliveries_of,
    delivery_key,
    delivery_place_key,
    recording_key,
    subscription_key,
)
from recording_insights.store.numbers import decode, encode
from recording_insights.store.rows import (
    DeliveryChanges,
    DeliveryPlaceRow,
    DeliveryRow,
    RecordingRow,
    SubscriptionChanges,
    SubscriptionRow,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFE = timedelta(days=14)
"""Of a delivery. What it holds of a recording may be older than the recording's own retention by no more."""


@dataclass(frozen=True)
class SubscriptionStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def all(self) -> list[SubscriptionRow]:
        """Return all subscriptions, read consistently, in the order of their ids."""
        from boto3.dynamodb.conditions import Key

        among = Key(PARTITION).eq(SUBSCRIPTIONS) & Key(SORT).begins_with(SUBSCRIPTION_PREFIX)
        return rows(self.table, KeyConditionExpression=among, ConsistentRead=True)

    def find(self, subscription_id: str) -> SubscriptionRow | None:
        """Return a subscription, read consistently, or None."""
        row: SubscriptionRow | None = read(self.table, subscription_key(subscription_id))
        return row

    def open(self, row: SubscriptionRow) -> None:
        """Write a new subscription."""
        self.table.put_item(Item=encode({**subscription_key(row["subscription_id"]), **row}))

    def change(self, subscription_id: str, **changes: Unpack[SubscriptionChanges]) -> SubscriptionRow | None:
        """Set attributes, None removes one; return the subscription as it is now, or None if there is none."""
        from boto3.dynamodb.conditions import Attr

        written = if_it_holds(
            self.table.update_item,
            Key=subscription_key(subscription_id),
            **update_of({**changes, "updated_at": self.timestamp}),
            ConditionExpression=Attr("subscription_id").exists(),
            ReturnValues="ALL_NEW",
        )
        changed: SubscriptionRow | None = decode(written["Attributes"]) if written else None
        return changed

    def delete(self, subscription_id: str) -> SubscriptionRow | None:
        """Delete a subscription with its secret; return it, or None if there was none. Its deliveries expire."""
        deleted: Any = self.table.delete_item(Key=subscription_key(subscription_id), ReturnValues="ALL_OLD")
        row: SubscriptionRow | None = decode(deleted["Attributes"]) if deleted.get("Attributes") else None
        return row


@dataclass(frozen=True)
class DeliveryStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def find(self, subscription_id: str, delivery_id: str) -> DeliveryRow | None:
        """Return a delivery, read consistently, or None."""
        row: DeliveryRow | None = read(self.table, delivery_key(subscription_id, delivery_id))
        return row

    def newest(self, subscription_id: str, count: int, *, before: str | None = None) -> list[DeliveryRow]:
        """Return up to `count` deliveries, newest first: those before a delivery id, or the last ones."""
        from boto3.dynamodb.conditions import Key

        # DynamoDB takes one condition on the sort key. Both ends of `between` belong to it; ":" sorts after figures.
        last = f"{DELIVERY_PREFIX}{before or ':'}"
        among = Key(PARTITION).eq(deliveries_of(subscription_id)) & Key(SORT).between(DELIVERY_PREFIX, last)
        found: list[DeliveryRow] = next(
            pages(
                self.table,
                KeyConditionExpression=among,
                ScanIndexForward=False,
                Limit=count + 1 if before else count,
            )
        )
        return [row for row in found if row["delivery_id"] != before][:count]

    def open(self, row: DeliveryRow) -> None:
        """Write a delivery, unless it is there. The way from its recording is written first."""
        from boto3.dynamodb.conditions import Attr

        expires_at = int((self.now() + LIFE).timestamp())
        subscription_id, delivery_id = row["subscription_id"], row["delivery_id"]
        if recording_id := row.get("recording_id"):
            key = delivery_place_key(recording_id, subscription_id, delivery_id)
            place: DeliveryPlaceRow = {
                "pk": key[PARTITION],
                "sk": key[SORT],
                "subscription_id": subscription_id,
                "delivery_id": delivery_id,
                "expires_at": expires_at,
            }
            self.table.put_item(Item=encode(place))
        whole = {**delivery_key(subscription_id, delivery_id), **row, EXPIRES_AT: expires_at}
        if_it_holds(self.table.put_item, Item=encode(whole), ConditionExpression=Attr(PARTITION).not_exists())

    def may_tell(self, recording_id: str) -> bool:
        """Whether the recording is there and nobody erases it."""
        recording: RecordingRow | None = read(self.table, recording_key(recording_id))
        return recording is not None and recording.get("status") != ERASING

    def forget(self, recording_id: str) -> int:
        """Delete all deliveries about a recording, and return how many. Whoever erases a recording calls this."""
        from boto3.dynamodb.conditions import Key

        among = Key(PARTITION).eq(recording_id) & Key(SORT).begins_with(DELIVERY_PREFIX)
        places: list[DeliveryPlaceRow] = rows(self.table, KeyConditionExpression=among, ConsistentRead=True)
        for place in places:
            self.table.delete_item(Key=delivery_key(place["subscription_id"], place["delivery_id"]))
            self.table.delete_item(Key={PARTITION: place["pk"], SORT: place["sk"]})
        return len(places)

    def note(self, row: DeliveryRow, **changes: Unpack[DeliveryChanges]) -> bool:
        """Set attributes of a delivery that is pending; return False if it has ended or was sent again since."""
        from boto3.dynamodb.conditions import Attr

        written = if_it_holds(
            self.table.update_item,
            Key=delivery_key(row["subscription_id"], row["delivery_id"]),
            **update_of(changes),
            ConditionExpression=Attr("status").eq("pending") & Attr("round").eq(row["round"]),
        )
        return written is not None

    def begin_again(self, row: DeliveryRow) -> DeliveryRow | None:
        """Begin a new round of tries; return the delivery, or None if it is gone or another call has begun one."""
        from boto3.dynamodb.conditions import Attr

        changes: DeliveryChanges = {"status": "pending", "tries": 0, "round": row["round"] + 1, "next_try_at": None}
        written = if_it_holds(
            self.table.update_item,
            Key=delivery_key(row["subscription_id"], row["delivery_id"]),
            **update_of({**changes, "expires_at": int((self.now() + LIFE).timestamp())}),
            ConditionExpression=Attr("round").eq(row["round"]),
            ReturnValues="ALL_NEW",
        )
        begun: DeliveryRow | None = decode(written["Attributes"]) if written else None
        return begun
