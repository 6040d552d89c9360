"""Events on the bus of the deployed stack reach those who subscribed to them, signed and at least once."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from recording_insights.store.keys import recording_key
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import until


@dataclass
class Receiver:
    """A subscriber on this machine. `statuses` are its next answers, then it takes all."""

    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[str]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """The test says what matters."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks"
        finally:
            server.shutdown()
            server.server_close()

    def received(self, count: int, what: str) -> list[tuple[dict[str, str], bytes]]:
        return until(lambda: self.requests if len(self.requests) >= count else None, what)


class Subscriber:
    """Calls the routes of one subscription."""

    def __init__(self, stack: LocalStack, url: str) -> None:
        self.stack = stack
        wanted = {"url": url, "events": ["insights.ready"], "description": "a test"}
        answer = stack.call_api("POST", "/subscriptions", json=wanted)
        assert answer.status_code == 201, answer.text
        self.path, self.secret = answer.headers["location"], answer.json()["secret"]

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        answer = self.stack.call_api(method, self.path + path, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def delivery(self, status: str) -> Any:
        """Wait until the newest delivery has a status."""

        def newest() -> Any:
            found = self.call("GET", "/deliveries?limit=1")["deliveries"]
            return found[0] if found and found[0]["status"] == status else None

        return until(newest, f"a delivery that is {status}")


@contextmanager
def recording(stack: LocalStack) -> Iterator[str]:
    """The row of a recording, which events may tell of."""
    recording_id = uuid4().hex
    key = {name: {"S": value} for name, value in recording_key(recording_id).items()}
    dynamodb, table = stack.client("dynamodb"), stack.outputs["InsightsTableName"]
    # Without `created_at`, no list has it.
    dynamodb.put_item(TableName=table, Item={**key, "status": {"S": "done"}})
    try:
        yield recording_id
    finally:
        dynamodb.delete_item(TableName=table, Key=key)


def emit(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    """Put an event onto the bus, as a consumer of the table's stream does."""
    envelope = {
        "id": f"evt_{uuid4().hex}",
        "type": "insights.ready",
        "version": "1",
        "time": "2026-11-28T09:10:00Z",
        "reference": "ticket 7",
        "data": {"recording_id": recording_id},
    }
    entry = {
        "EventBusName": stack.outputs["EventBusName"],
        "Source": "recording-insights",
        "DetailType": envelope["type"],
        "Detail": json.dumps(envelope),
    }
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    return envelope


def test_an_event_on_the_bus_reaches_its_subscriber_signed(stack: LocalStack) -> None:
    receiver = Receiver()
    with receiver.listening() as url, recording(stack) as recording_id:
        subscriber = Subscriber(stack, url)
        try:
            sent = emit(stack, recording_id)
            [(headers, body)] = receiver.received(1, "the event")
            assert Webhook(subscriber.secret).verify(body, headers) == sent
            delivered = subscriber.delivery("delivered")
            assert (delivered["event_id"], delivered["status_code"], delivered["tries"]) == (sent["id"], 204, 1)
        finally:
            subscriber.call("DELETE")


@pytest.mark.matrix
def test_a_failed_delivery_is_tried_again_resent_and_signed_with_both_secrets(stack: LocalStack) -> None:
    receiver = Receiver(statuses=[500])
    with receiver.listening() as url, recording(stack) as recording_id:
        subscriber = Subscriber(stack, url)
        try:
            sent = emit(stack, recording_id)
            receiver.received(1, "the first try")
            waiting = subscriber.delivery("pending")
            assert (waiting["status_code"], waiting["tries"]) == (500, 1)
            assert waiting["next_try_at"] > waiting["tried_at"]
            assert "failing_since" in subscriber.call("GET")
            again = receiver.received(2, "the second try")
            assert again[0][1] == again[1][1]
            assert {headers["webhook-id"] for headers, _ in again} == {sent["id"]}
            assert subscriber.delivery("delivered")["tries"] == 2
            assert "failing_since" not in subscriber.call("GET")

            former = subscriber.secret
            present = subscriber.call("POST", "/rotate")["secret"]
            subscriber.call("POST", f"/deliveries/{waiting['delivery_id']}/resend")
            headers, body = receiver.received(3, "the resent event")[-1]
            for secret in (former, present):
                assert Webhook(secret).verify(body, headers) == sent
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(body + b" ", headers)

            subscriber.call("POST", "/test")
            headers, body = receiver.received(4, "the test event")[-1]
            assert Webhook(present).verify(body, headers)["type"] == "subscription.test"

            receiver.statuses = [410]
            emit(stack, recording_id)
            receiver.received(5, "the last event")
            off = until(lambda: (row := subscriber.call("GET")) and not row["active"] and row, "the switch")
            assert off["disabled_because"] == "the subscriber answered 410"
        finally:
            subscriber.call("DELETE")
