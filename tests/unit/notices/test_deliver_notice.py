"""The function of the two queues: what it returns is what SQS keeps."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from events import deliver_notice
from recording_insights.aws.delivery_queue import DeliveryQueue
from recording_insights.notices.deliveries import WAITS
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeContext
from tests.unit.notices.conftest import BROKEN, Scene, envelope
from tests.unit.wired import rewire

EVENTS = "arn:aws:sqs:eu-central-1:111122223333:events"
DELIVERIES = "arn:aws:sqs:eu-central-1:111122223333:deliveries"
URL = "https://a.test/hook"


class FakeSqs:
    """`hidden` are the seconds by receipt, `sent` the messages with their groups."""

    def __init__(self) -> None:
        self.hidden: dict[str, int] = {}
        self.sent: list[tuple[dict[str, Any], str]] = []

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        assert QueueUrl == ENVIRONMENT["DELIVERIES_URL"]
        self.hidden[ReceiptHandle] = VisibilityTimeout

    def send_message(self, *, QueueUrl: str, MessageBody: str, MessageGroupId: str) -> None:
        assert QueueUrl == ENVIRONMENT["DELIVERIES_URL"]
        self.sent.append((json.loads(MessageBody), MessageGroupId))


@pytest.fixture
def sqs(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    fake = FakeSqs()
    queue = DeliveryQueue(fake, ENVIRONMENT["DELIVERIES_URL"])
    rewire(monkeypatch, deliver_notice, deliveries=scene.deliveries, delivery_queue=queue)
    return fake


def call(*bodies: Any, source: str) -> list[str]:
    """The ids of the messages that SQS keeps."""
    records = [
        {
            "messageId": str(number),
            "receiptHandle": f"receipt {number}",
            "body": body if isinstance(body, str) else json.dumps(body),
            "eventSourceARN": source,
        }
        for number, body in enumerate(bodies)
    ]
    kept = deliver_notice.handler({"Records": records}, FakeContext())["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in kept]


def test_an_event_that_cannot_be_read_keeps_no_other_from_its_subscribers(scene: Scene, sqs: FakeSqs) -> None:
    scene.subscribe(URL)
    event = {"source": "recording-insights", "detail": envelope()}
    assert call("{", event, {"detail": {}}, source=EVENTS) == ["0", "2"]
    assert len(scene.queue) == 1


def test_a_failed_try_stays_in_the_queue_and_is_hidden_until_the_next_one(scene: Scene, sqs: FakeSqs) -> None:
    scene.subscribe(URL)
    scene.deliveries.fan_out(envelope())
    scene.answers[URL] = BROKEN
    order = asdict(scene.queue[0])
    assert call(order, source=DELIVERIES) == ["0"]
    assert sqs.hidden == {"receipt 0": WAITS[0]}
    del scene.answers[URL]
    scene.clock.elapsed += WAITS[0]
    assert call(order, source=DELIVERIES) == []
    assert len(scene.posts) == 2


def test_a_dead_letter_that_comes_back_by_the_queue_of_events_goes_to_its_own(scene: Scene, sqs: FakeSqs) -> None:
    made = scene.subscribe(URL)
    scene.deliveries.fan_out(envelope())
    order = asdict(scene.queue[0])
    assert call(order, source=EVENTS) == []
    assert sqs.sent == [(order, made["subscription_id"])]
    assert scene.posts == []
