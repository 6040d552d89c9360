"""POST /webhooks/agora over a captured event."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recording_insights.errors import SecretUnusable
from recording_insights.store.keys import recording_key
from recording_insights.store.recorder_names import RecorderNameStore
from recording_insights.store.recordings import RecordingStore
from routes import receive_notification
from sandbox.stand_ins.agora import notifications
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeContext
from tests.unit.wired import rewire

SECRET = "notification-secret"
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
SENT = datetime.fromtimestamp(1611566412.672, UTC)
"""When Agora sent the captured event."""


@pytest.fixture
def deliver(table: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the handler with an event, in a worker that has just started."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    stored = {"recording-insights/dev/agora-notifications": {"notificationSecret": SECRET}}
    monkeypatch.setattr("recording_insights.aws.secrets.read_secret", lambda name, keys, fresh: stored[name])
    store = RecordingStore(table, lambda: SENT)
    rewire(monkeypatch, receive_notification, table=table, recordings=store)
    table.put_item(
        Item={
            **recording_key("a" * 32),
            "recording_id": "a" * 32,
            "status": "recording",
            "sid": SID,
            "channel": "team",
            "version": 1,
        }
    )
    RecorderNameStore(table).name(SID, "a" * 32)

    def call(event: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
        reply = receive_notification.handler(event, FakeContext(10_000))
        return reply["statusCode"], json.loads(reply["body"]), str((store.find("a" * 32) or {})["status"])

    return call


def test_the_handler_over_a_captured_event(deliver: Any, captured_event: Any) -> None:
    for _ in range(2):
        assert deliver(captured_event("http_notification")) == (200, {"ok": True}, "stopping")


def test_the_body_is_checked_as_it_came(deliver: Any, captured_event: Any) -> None:
    event = captured_event("http_notification")
    event["headers"] = {name.title(): value for name, value in event["headers"].items()}
    coded = base64.b64encode(event["body"].encode()).decode()
    assert deliver({**event, "body": coded, "isBase64Encoded": True}) == (200, {"ok": True}, "stopping")


def test_a_forged_notification_changes_nothing(deliver: Any, captured_event: Any) -> None:
    event = captured_event("http_notification")
    status, problem, row_status = deliver({**event, "body": event["body"].replace(":0}}}", ":1}}}")})
    assert (status, row_status) == (401, "recording")
    assert (problem["title"], "detail" in problem) == ("Unauthorized", False)


def test_a_notification_that_is_replayed_a_day_later_is_answered_with_200_and_changes_nothing(
    deliver: Any,
    captured_event: Any,
    table: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    later = SENT + timedelta(hours=24, milliseconds=1)
    rewire(monkeypatch, receive_notification, table=table, recordings=RecordingStore(table, lambda: later))
    before = table.scan()["Items"]
    assert deliver(captured_event("http_notification")) == (200, {"ok": True}, "recording")
    assert table.scan()["Items"] == before
    assert "more than a day" in str([vars(record).get("reason") for record in caplog.records])


def test_a_test_of_the_console_is_answered_with_200(deliver: Any, captured_event: Any) -> None:
    event = captured_event("http_notification")
    body = '{"noticeId":"test","productId":3,"eventType":1,"notifyMs":1,"payload":{"test":true}}'
    signature = hmac.new(SECRET.encode(), body.encode(), "sha256").hexdigest()
    headers = {"agora-signature-v2": signature}
    assert deliver({**event, "body": body, "headers": headers}) == (200, {"ok": True}, "recording")


@pytest.mark.parametrize("kind", sorted(notifications.EVENTS))
def test_the_consoles_health_check_gets_200_for_every_kind_of_event_and_writes_nothing(
    deliver: Any, captured_event: Any, table: Any, kind: int
) -> None:
    before = table.scan()["Items"]
    notice = notifications.health_check_event(kind, sent_ms=1_800_000_000_000)
    body = json.dumps({**notice, "notifyMs": 1_800_000_000_001})
    for algorithm, header in (("sha1", "agora-signature"), ("sha256", "agora-signature-v2")):
        headers = {header: hmac.new(SECRET.encode(), body.encode(), algorithm).hexdigest()}
        event = {**captured_event("http_notification"), "body": body, "headers": headers}
        assert deliver(event) == (200, {"ok": True}, "recording")
    assert table.scan()["Items"] == before


@pytest.mark.parametrize("payload", [None, {}, [], "test", {"sid": ""}, {"sid": 7, "details": None}, {"details": []}])
def test_what_a_test_event_is_about_does_not_matter(
    deliver: Any, captured_event: Any, table: Any, payload: Any
) -> None:
    before = table.scan()["Items"]
    for kind in notifications.EVENTS:
        body = json.dumps({"noticeId": "t", "productId": 3, "eventType": kind, "notifyMs": 1, "payload": payload})
        headers = {"agora-signature-v2": hmac.new(SECRET.encode(), body.encode(), "sha256").hexdigest()}
        event = {**captured_event("http_notification"), "body": body, "headers": headers}
        assert deliver(event) == (200, {"ok": True}, "recording")
    assert table.scan()["Items"] == before


def test_without_a_secret_there_are_no_notifications(
    deliver: Any, captured_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(name: str, keys: Any, fresh: bool) -> None:
        raise SecretUnusable(name, f"it lacks the key {keys[0]}")

    monkeypatch.setattr("recording_insights.aws.secrets.read_secret", lacks)
    status, problem, row_status = deliver(captured_event("http_notification"))
    assert (status, row_status) == (404, "recording")
    assert "secret" not in str(problem), "who may be anybody learns nothing of our secrets"
