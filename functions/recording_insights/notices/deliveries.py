"""Deliveries: each event becomes one delivery for each subscription, which is tried until it is taken or over a day.

A message of the queue of deliveries is an order for one delivery. It stays in the queue until the delivery has ended:
a crash at any step lets it come again.
"""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from recording_insights.errors import Conflict, NotFound
from recording_insights.model.moments import utc_text
from recording_insights.notices.events import Event, event_id
from recording_insights.notices.sender import Sent
from recording_insights.notices.signature import signed_headers
from recording_insights.notices.subscriptions import find, secrets_of
from recording_insights.store.rows import DeliveryRow, SubscriptionRow
from recording_insights.store.subscriptions import DeliveryStore, SubscriptionStore
from recording_insights.validation import Reader, matching, object_of, whole_number_in_text

WAITS = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds between the tries of a delivery: eight tries in 27.6 hours. SQS hides a message for 12 hours at most.

Sources: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""
_SPREAD = 0.1
"""Part of a wait that chance adds, so that the events of an outage do not all come back at one moment."""
FAILING_DAYS = 5
"""After so many days without a delivery that succeeds, a subscription is switched off."""
GONE = 410
"""The status with which a subscriber wants no more events."""

TEST = "subscription.test"
"""The type of test events. Nobody subscribes to it."""
DISABLED = "subscription.disabled"
ERASED = "recording.erased"

LARGEST_PAGE, USUAL_PAGE = 100, 20
DELIVERY_ID = "[0-9]{20}-[0-9a-f]{32}"

INTERNAL = ("pk", "sk", "body", "round", "expires_at", "subscription_id")
"""Attributes of a delivery that no answer shows."""

Post = Callable[[str, bytes, Mapping[str, str]], Sent]
"""Sends a body with headers to a URL."""
Emit = Callable[[Event], None]
"""Puts an event onto the bus. Raises if the bus does not take it."""
Queue = Callable[[Mapping[str, Any], str], object]
"""Puts an order into the queue of deliveries, in the group of a subscription."""


@dataclass(frozen=True)
class Order:
    """Which delivery a message is about, and which round of its tries."""

    subscription_id: str
    delivery_id: str
    round: int

    @classmethod
    def of(cls, row: DeliveryRow) -> "Order":
        """The order for a delivery in its present round."""
        return cls(row["subscription_id"], row["delivery_id"], row["round"])

    def put_into(self, queue: Queue) -> None:
        """Put the order into the queue of deliveries."""
        queue(asdict(self), self.subscription_id)


@dataclass(frozen=True)
class Deliveries:
    """Makes deliveries of events, and tries them. Each method may raise botocore's errors."""

    store: DeliveryStore
    subscriptions: SubscriptionStore
    queue: Queue
    post: Post
    emit: Emit
    chance: Callable[[], float] = random.random

    def fan_out(self, envelope: Mapping[str, Any]) -> int:
        """Make a delivery of an event for each subscription to its type, and return how many.

        An event that comes again makes the same deliveries, and changes none of them. Nothing is kept of a recording
        that is erased, but that it was erased.
        """
        wanting = [row for row in self.subscriptions.all() if row["active"] and envelope["type"] in row["events"]]
        recording_id = None if envelope["type"] == ERASED else envelope["data"].get("recording_id")
        made = [_open(row["subscription_id"], envelope, recording_id, store=self.store) for row in wanting]
        # Read after the writes: whoever erases the recording either finds them, or has changed its status by now.
        if made and recording_id and not self.store.may_tell(recording_id):
            self.store.forget(recording_id)
            return 0
        for order in made:
            order.put_into(self.queue)
        return len(made)

    def deliver(self, order: Order) -> int | None:
        """Try a delivery if it is due. Return the seconds until the next try, or None if the delivery has ended."""
        row = self.store.find(order.subscription_id, order.delivery_id)
        if row is None or row["status"] != "pending" or row["round"] != order.round:
            return None
        subscription = self.subscriptions.find(order.subscription_id)
        if subscription is None or not (subscription["active"] or row["type"] == TEST):
            state = "switched off" if subscription else "deleted"
            self.store.note(row, status="failed", error=f"the subscription is {state}", next_try_at=None)
            return None
        if (wait := self._seconds_until(row.get("next_try_at"))) > 0:
            return wait
        sent = self._send(subscription, row)
        if not sent.is_delivered:
            return self._seconds_to_next_try(row, subscription, sent)
        if "failing_since" in subscription and row["type"] != TEST:
            self.subscriptions.change(order.subscription_id, failing_since=None)
        self._note(row, sent, "delivered")
        return None

    def _send(self, subscription: SubscriptionRow, row: DeliveryRow) -> Sent:
        now, body = self.store.now(), row["body"].encode()
        secrets = secrets_of(subscription, now_seconds=now.timestamp())
        headers = signed_headers(row["event_id"], body, secrets=secrets, sent_at=now)
        return self.post(subscription["url"], body, headers)

    def _seconds_to_next_try(self, row: DeliveryRow, subscription: SubscriptionRow, sent: Sent) -> int | None:
        """Note a try that failed, and return when the next one is due, or None if it was the last one."""
        is_last = row["type"] == TEST or row["tries"] >= len(WAITS)
        if row["type"] != TEST and (why := self._why_switched_off(subscription, sent)):
            self._switch_off(subscription, why)
            is_last = True
        if is_last:
            self._note(row, sent, "failed")
            return None
        seconds = round(WAITS[row["tries"]] * (1 + _SPREAD * self.chance()))
        self._note(row, sent, "pending", next_try_at=utc_text(self.store.now() + timedelta(seconds=seconds)))
        return seconds

    def _note(self, row: DeliveryRow, sent: Sent, status: str, next_try_at: str | None = None) -> None:
        self.store.note(
            row,
            status=status,
            tries=row["tries"] + 1,
            status_code=sent.status_code,
            error=sent.error,
            tried_at=self.store.timestamp,
            next_try_at=next_try_at,
        )

    def _why_switched_off(self, subscription: SubscriptionRow, sent: Sent) -> str | None:
        if sent.status_code == GONE:
            return f"the subscriber answered {GONE}"
        since = subscription.get("failing_since")
        if since is None:
            self.subscriptions.change(subscription["subscription_id"], failing_since=self.store.timestamp)
        elif self.store.now() - datetime.fromisoformat(since) >= timedelta(days=FAILING_DAYS):
            return f"no event was delivered for {FAILING_DAYS} days"
        return None

    def _switch_off(self, subscription: SubscriptionRow, why: str) -> None:
        """Tell of it first: after a crash in between, the next try tells of it again.

        All who switch a subscription off at one time tell of it with the same id.
        """
        subscription_id = subscription["subscription_id"]
        data = {"subscription_id": subscription_id, "reason": why}
        if since := subscription.get("failing_since"):
            data["failing_since"] = since
        same = event_id(DISABLED, subscription_id, subscription["active_since"])
        self.emit(Event(same, DISABLED, self.store.timestamp, data))
        self.subscriptions.change(subscription_id, active=False, disabled_at=self.store.timestamp, disabled_because=why)

    def _seconds_until(self, moment: str | None) -> int:
        if moment is None:
            return 0
        return round((datetime.fromisoformat(moment) - self.store.now()).total_seconds())


def _open(
    subscription_id: str, envelope: Mapping[str, Any], recording_id: str | None, *, store: DeliveryStore
) -> Order:
    row: DeliveryRow = {
        "subscription_id": subscription_id,
        "delivery_id": delivery_id_of(envelope),
        "event_id": envelope["id"],
        "type": envelope["type"],
        "body": json.dumps(envelope, ensure_ascii=False, separators=(",", ":")),
        "status": "pending",
        "round": 0,
        "tries": 0,
        "created_at": store.timestamp,
    }
    if recording_id:
        row["recording_id"] = recording_id
    store.open(row)
    return Order.of(row)


def send_test_event(
    subscription_id: str, *, subscriptions: SubscriptionStore, store: DeliveryStore, queue: Queue
) -> dict[str, Any]:
    """Send a test event to a subscription, also if it is switched off. It is tried once, and counts as nothing.

    Raises:
        NotFound: there is no such subscription.
    """
    find(subscription_id, subscriptions)
    event = Event(f"evt_{uuid4().hex}", TEST, store.timestamp, {"subscription_id": subscription_id})
    order = _open(subscription_id, event.envelope(), None, store=store)
    order.put_into(queue)
    return shown(_find(subscription_id, order.delivery_id, store))


def resend(
    subscription_id: str,
    delivery_id: str,
    *,
    subscriptions: SubscriptionStore,
    store: DeliveryStore,
    queue: Queue,
) -> dict[str, Any]:
    """Begin a new round of tries of a delivery at once, whatever has become of it.

    Raises:
        NotFound: there is no such subscription or delivery.
        Conflict: the subscription is switched off, or another call has just begun a round.
    """
    subscription = find(subscription_id, subscriptions)
    row = _find(subscription_id, delivery_id, store)
    if not (subscription["active"] or row["type"] == TEST):
        raise Conflict("the subscription is switched off: switch it on first")
    begun = store.begin_again(row)
    if begun is None:
        raise Conflict("the delivery is being sent again already")
    Order.of(begun).put_into(queue)
    return shown(begun)


def _find(subscription_id: str, delivery_id: str, store: DeliveryStore) -> DeliveryRow:
    row = store.find(subscription_id, delivery_id) if re.fullmatch(DELIVERY_ID, delivery_id) else None
    if row is None:
        raise NotFound("there is no such delivery")
    return row


def list_deliveries(
    subscription_id: str, query: Mapping[str, str], *, subscriptions: SubscriptionStore, store: DeliveryStore
) -> dict[str, Any]:
    """Return a page of the deliveries of a subscription, newest first: `{"deliveries": […], "cursor"?: …}`.

    Raises:
        InvalidRequest: names the parameter that is unknown or wrong.
        NotFound: there is no such subscription.
    """
    wanted = object_of(DELIVERY_PARAMETERS)("", query)
    find(subscription_id, subscriptions)
    limit = wanted.get("limit", USUAL_PAGE)
    found = store.newest(subscription_id, limit + 1, before=wanted.get("cursor"))
    page: Sequence[DeliveryRow] = found[:limit]
    listed: dict[str, Any] = {"deliveries": [shown(row) for row in page]}
    return {**listed, "cursor": page[-1]["delivery_id"]} if len(found) > limit else listed


def shown(row: DeliveryRow) -> dict[str, Any]:
    """What answers show of a delivery."""
    return {name: value for name, value in row.items() if name not in INTERNAL}


def delivery_id_of(envelope: Mapping[str, Any]) -> str:
    """The id of an event's deliveries: the time of the event, so that they sort by it, and the event's own id."""
    moment = datetime.fromisoformat(envelope["time"]).astimezone(UTC)
    return f"{moment:%Y%m%d%H%M%S%f}-{envelope['id'].removeprefix('evt_')}"


DELIVERY_PARAMETERS: Mapping[str, Reader[Any]] = {
    "limit": whole_number_in_text(1, LARGEST_PAGE),
    "cursor": matching(DELIVERY_ID, "must be the cursor of the page before"),
}
"""The query parameters of the list of deliveries."""
