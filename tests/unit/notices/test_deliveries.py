"""Events to subscribers: fan-out, tries, the switch that turns a subscription off, resends and the log."""

import json
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from standardwebhooks import Webhook

from infra.event_schemas import event_schemas
from recording_insights.errors import Conflict, InvalidRequest, NotFound
from recording_insights.notices.deliveries import DISABLED, WAITS, list_deliveries, resend, send_test_event
from recording_insights.notices.sender import Sent
from recording_insights.notices.subscriptions import rotate_secret, update_subscription
from tests.unit.notices.conftest import BROKEN, GONE, OK, R, Scene, envelope

A, B = "https://a.test/hook", "https://b.test/hook"


def verify(secret: str, body: bytes, headers: object) -> object:
    """Verify a delivery as a subscriber does, at the time of the delivery: the library looks at the clock."""
    import standardwebhooks.webhooks as library

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library.Webhook, "_Webhook__verify_timestamp", lambda self, text: _moment(text))
        return Webhook(secret).verify(body, dict(headers))  # type: ignore[call-overload]


def _moment(text: str) -> object:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(text), UTC)


def test_an_event_goes_to_those_who_subscribed_to_its_type_once(scene: Scene) -> None:
    wants, other, off = scene.subscribe(A), scene.subscribe(B, "media.failed"), scene.subscribe("https://c.test/")
    update_subscription(
        off["subscription_id"], {"active": False}, store=scene.subscriptions, check_url=lambda url: None
    )

    assert scene.deliveries.fan_out(envelope()) == 1
    [order] = scene.queue
    assert scene.deliveries.deliver(order) is None
    [(url, body, headers)] = scene.posts
    assert (url, json.loads(body)) == (A, envelope())
    assert headers["webhook-id"] == envelope()["id"]
    assert verify(wants["secret"], body, headers) == envelope()
    assert scene.row(order).items() >= {"status": "delivered", "status_code": 200, "tries": 1}.items()

    # The queue and the bus may repeat both messages.
    scene.deliveries.fan_out(envelope())
    for again in scene.queue:
        assert scene.deliveries.deliver(again) is None
    assert len(scene.posts) == 1
    assert not list_deliveries(other["subscription_id"], {}, subscriptions=scene.subscriptions, store=scene.store)[
        "deliveries"
    ]


def test_a_failing_receiver_is_tried_for_a_day_and_others_are_not_concerned(scene: Scene) -> None:
    scene.subscribe(A), scene.subscribe(B)
    scene.answers[A] = BROKEN
    scene.deliveries.fan_out(envelope())
    by_url = {scene.subscriptions.find(order.subscription_id)["url"]: order for order in scene.queue}  # type: ignore[index]
    assert scene.run(by_url[B]) == []
    waits = scene.run(by_url[A])
    assert tuple(waits) == WAITS
    assert timedelta(days=1) < timedelta(seconds=sum(waits)) < timedelta(days=1.5)
    assert max(waits) * 1.1 < 12 * 3600, "SQS hides a message no longer"
    assert scene.row(by_url[A]).items() >= {"status": "failed", "status_code": 500, "tries": 8}.items()
    assert "next_try_at" not in scene.row(by_url[A])


def test_a_message_that_comes_too_early_waits_on(scene: Scene) -> None:
    """As after a crash between the note of a try and the hiding of its message."""
    scene.subscribe(A)
    scene.answers[A] = BROKEN
    scene.deliveries.fan_out(envelope())
    [order] = scene.queue
    assert scene.deliveries.deliver(order) == WAITS[0]
    assert scene.deliveries.deliver(order) == WAITS[0]
    assert len(scene.posts) == 1


def test_five_days_of_failures_switch_off_and_tell_of_it(scene: Scene) -> None:
    made, watcher = scene.subscribe(A), scene.subscribe(B, DISABLED)
    scene.answers[A] = Sent(error="no answer within 15 s")
    for day in range(6):
        scene.clock.elapsed = day * 86400.0
        scene.deliveries.fan_out(envelope(day))
        assert not scene.emitted
        scene.deliveries.deliver(scene.queue[-1])
    [disabled] = scene.emitted
    Draft202012Validator(event_schemas()).validate(disabled)
    assert (disabled["type"], disabled["data"]["subscription_id"]) == (DISABLED, made["subscription_id"])
    assert disabled["data"].keys() == {"subscription_id", "reason", "failing_since"}
    row = scene.subscriptions.find(made["subscription_id"])
    assert row
    assert not row["active"]
    assert "5 days" in row["disabled_because"]
    # What still waits is not sent any more.
    sent = len(scene.posts)
    assert scene.deliveries.deliver(scene.queue[0]) is None
    assert len(scene.posts) == sent
    # The event of the switch goes to who wants it.
    scene.deliveries.fan_out(disabled)
    assert scene.queue[-1].subscription_id == watcher["subscription_id"]

    switched_on = update_subscription(
        made["subscription_id"], {"active": True}, store=scene.subscriptions, check_url=lambda url: None
    )
    assert switched_on["active"]
    assert not {"failing_since", "disabled_at", "disabled_because"} & switched_on.keys()


def test_a_success_ends_the_failures(scene: Scene) -> None:
    made = scene.subscribe(A)
    for day, answer in enumerate([BROKEN, BROKEN, BROKEN, OK, BROKEN, BROKEN, BROKEN]):
        scene.clock.elapsed = day * 86400.0
        scene.answers[A] = answer
        scene.deliveries.fan_out(envelope(day))
        scene.deliveries.deliver(scene.queue[-1])
    row = scene.subscriptions.find(made["subscription_id"])
    assert row
    assert row["active"]
    assert row["failing_since"].startswith("2026-03-16")


def test_410_switches_off_at_once_and_tells_of_it_again_after_a_crash(scene: Scene) -> None:
    made = scene.subscribe(A)
    scene.answers[A] = GONE
    scene.deliveries.fan_out(envelope())

    def crash(*args: object, **changes: object) -> None:
        raise ConnectionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(scene.subscriptions), "change", crash)
        with pytest.raises(ConnectionError):
            scene.deliveries.deliver(scene.queue[0])
    assert scene.deliveries.deliver(scene.queue[0]) is None
    assert len({event["id"] for event in scene.emitted}) == 1
    row = scene.subscriptions.find(made["subscription_id"])
    assert row
    assert not row["active"]


def test_a_resend_begins_a_new_round_and_ends_the_old_one(scene: Scene) -> None:
    made = scene.subscribe(A)
    scene.answers[A] = BROKEN
    scene.deliveries.fan_out(envelope())
    [old] = scene.queue
    scene.deliveries.deliver(old)
    scene.answers[A] = OK
    again = resend(
        made["subscription_id"],
        old.delivery_id,
        subscriptions=scene.subscriptions,
        store=scene.store,
        queue=scene.put,
    )
    assert again.items() >= {"status": "pending", "tries": 0, "event_id": envelope()["id"]}.items()
    assert "body" not in again
    assert scene.deliveries.deliver(scene.queue[-1]) is None
    assert scene.row(old)["status"] == "delivered"
    assert scene.deliveries.deliver(old) is None
    assert len(scene.posts) == 2
    assert len({bytes(body) for _, body, _ in scene.posts}) == 1


def test_a_resend_needs_a_delivery_and_a_subscription_that_is_on(scene: Scene) -> None:
    made = scene.subscribe(A)
    scene.deliveries.fan_out(envelope())
    delivery_id = scene.queue[0].delivery_id
    parts = {"subscriptions": scene.subscriptions, "store": scene.store, "queue": scene.put}
    for subscription_id, wanted in (
        (made["subscription_id"], "x"),
        ("x", delivery_id),
        ("", ""),
        (made["subscription_id"], "9" * 3000),
    ):
        with pytest.raises(NotFound):
            resend(subscription_id, wanted, **parts)  # type: ignore[arg-type]
    scene.subscriptions.change(made["subscription_id"], active=False)
    with pytest.raises(Conflict):
        resend(made["subscription_id"], delivery_id, **parts)  # type: ignore[arg-type]


def test_a_test_event_is_tried_once_and_counts_as_nothing(scene: Scene) -> None:
    made = scene.subscribe(A)
    scene.subscriptions.change(made["subscription_id"], active=False)
    scene.answers[A] = GONE
    parts = {"subscriptions": scene.subscriptions, "store": scene.store}
    delivery = send_test_event(made["subscription_id"], queue=scene.put, **parts)  # type: ignore[arg-type]
    assert delivery["type"] == "subscription.test"
    assert scene.run(scene.queue[0]) == []
    [(_, body, headers)] = scene.posts
    assert verify(made["secret"], body, headers)
    row = scene.subscriptions.find(made["subscription_id"])
    assert row
    assert "failing_since" not in row
    assert not scene.emitted


def test_both_secrets_sign_for_a_day_after_a_rotation(scene: Scene) -> None:
    made = scene.subscribe(A)
    rotated = rotate_secret(made["subscription_id"], store=scene.subscriptions)
    assert rotated["secret"] != made["secret"]
    for number, valid in ((1, (made["secret"], rotated["secret"])), (2, (rotated["secret"],))):
        scene.deliveries.fan_out(envelope(number))
        scene.deliveries.deliver(scene.queue[-1])
        _, body, headers = scene.posts[-1]
        assert len(headers["webhook-signature"].split()) == len(valid)
        for secret in valid:
            assert verify(secret, body, headers)
        scene.clock.elapsed += 24 * 3600


def test_the_log_is_paged_newest_first(scene: Scene) -> None:
    made = scene.subscribe(A)
    for number in (3, 1, 5, 2, 4):
        scene.deliveries.fan_out(envelope(number))
    parts = {"subscriptions": scene.subscriptions, "store": scene.store}
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        page = list_deliveries(made["subscription_id"], query, **parts)  # type: ignore[arg-type]
        seen += [delivery["event_id"] for delivery in page["deliveries"]]
        if "cursor" not in page:
            break
        query = {"limit": "2", "cursor": page["cursor"]}
    assert seen == [envelope(number)["id"] for number in (5, 4, 3, 2, 1)]
    for query, field in (({"limit": "0"}, "limit"), ({"cursor": "x"}, "cursor"), ({"since": "x"}, "since")):
        with pytest.raises(InvalidRequest) as refused:
            list_deliveries(made["subscription_id"], query, **parts)  # type: ignore[arg-type]
        assert refused.value.field == field


def test_nothing_is_kept_of_a_recording_that_is_erased(scene: Scene) -> None:
    scene.subscribe(A, "insights.ready", "recording.erased")
    scene.deliveries.fan_out(envelope(1))
    assert scene.store.forget(R) == 1
    assert scene.deliveries.deliver(scene.queue[0]) is None, "its message finds nothing"

    for status in ("erasing", None):
        if status:
            scene.table.put_item(Item={"pk": R, "sk": "RECORDING", "status": status})
        else:
            scene.table.delete_item(Key={"pk": R, "sk": "RECORDING"})
        assert scene.deliveries.fan_out(envelope(2)) == 0
        assert not [sort for _, sort in scene.table.items if sort.startswith("DELIVERY#")]
    erased = envelope(3, kind="recording.erased", receipt_id="r")
    assert scene.deliveries.fan_out(erased) == 1
