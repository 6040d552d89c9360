"""Subscriptions over a table in memory, and receivers that answer as a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from recording_insights.notices.deliveries import Deliveries, Order
from recording_insights.notices.events import Event
from recording_insights.notices.sender import Sent
from recording_insights.notices.subscriptions import create_subscription
from recording_insights.store.subscriptions import DeliveryStore, SubscriptionStore
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock

R = "4736218b480a44149a6bac9cd17457c6"
OK, BROKEN, GONE = Sent(200), Sent(500), Sent(410)


def envelope(number: int = 1, *, kind: str = "insights.ready", **data: Any) -> dict[str, Any]:
    """An event about the recording `R`."""
    return {
        "id": f"evt_{number:032x}",
        "type": kind,
        "version": "1",
        "time": f"2026-03-12T00:00:{number:02d}Z",
        "reference": "ticket 7",
        "data": {"recording_id": R, **data},
    }


@dataclass
class Scene:
    """The stores, a queue of orders, and what the subscribers got: `answers` is what they answer, by URL."""

    clock: FakeClock = field(default_factory=FakeClock)
    table: FakeTable = field(default_factory=FakeTable)
    queue: list[Order] = field(default_factory=list)
    posts: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    answers: dict[str, Sent] = field(default_factory=dict)
    emitted: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        table: Any = self.table
        self.subscriptions = SubscriptionStore(table, self.clock.now)
        self.store = DeliveryStore(table, self.clock.now)
        self.deliveries = Deliveries(self.store, self.subscriptions, self.put, self.post, self.emit, chance=lambda: 0.0)
        self.table.put_item(Item={"pk": R, "sk": "RECORDING", "status": "done"})

    def emit(self, event: Event) -> None:
        self.emitted.append(event.envelope())

    def put(self, order: Mapping[str, Any], group: str) -> None:
        assert order["subscription_id"] == group
        self.queue.append(Order(**order))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sent:
        self.posts.append((url, body, headers))
        return self.answers.get(url, OK)

    def subscribe(self, url: str = "https://a.test/hook", *events: str) -> dict[str, Any]:
        body = {"url": url, "events": list(events or ("insights.ready",))}
        return create_subscription(body, store=self.subscriptions, check_url=lambda url: None)

    def row(self, order: Order) -> Mapping[str, Any]:
        row = self.store.find(order.subscription_id, order.delivery_id)
        assert row
        return row

    def run(self, order: Order) -> list[int]:
        """Try a delivery until it has ended; return the seconds between the tries."""
        waits = []
        while (seconds := self.deliveries.deliver(order)) is not None:
            waits.append(seconds)
            self.clock.elapsed += seconds
        return waits


@pytest.fixture
def scene() -> Scene:
    return Scene()
