"""Subscriptions: every field is checked, and a secret is shown once."""

from typing import Any

import pytest

from recording_insights.errors import Conflict, HostRefused, InvalidRequest, NotFound
from recording_insights.notices.subscriptions import (
    MOST,
    create_subscription,
    delete_subscription,
    get_subscription,
    list_subscriptions,
    rotate_secret,
    update_subscription,
)
from tests.unit.notices.conftest import Scene

GOOD = {"url": "https://a.test/hook", "events": ["insights.ready"]}


def refused(url: str) -> None:
    raise HostRefused("its host has an address that is not public")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": None}, "url"),
        ({"url": "ftp://a.test"}, "url"),
        ({"url": "https://user:word@a.test"}, "url"),
        ({"url": "https://a.test/" + "x" * 2048}, "url"),
        ({"url": "https://a.test:0x1bb/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["insights.ready", "insights.ready"]}, "events"),
        ({"events": ["subscription.test"]}, "events"),
        ({"events": "insights.ready"}, "events"),
        ({"description": " "}, "description"),
        ({"description": "x" * 257}, "description"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"active": True}, "active"),
    ],
)
def test_a_wrong_field_is_named(scene: Scene, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as wrong:
        create_subscription({**GOOD, **changed}, store=scene.subscriptions, check_url=lambda url: None)
    assert wrong.value.field == field


@pytest.mark.parametrize("field", ["url", "events"])
def test_a_missing_field_is_named(scene: Scene, field: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(InvalidRequest) as wrong:
        create_subscription(body, store=scene.subscriptions, check_url=lambda url: None)
    assert wrong.value.field == field


def test_a_host_that_is_not_public_is_refused_by_both_routes(scene: Scene) -> None:
    made = scene.subscribe()
    with pytest.raises(InvalidRequest) as wrong:
        create_subscription(GOOD, store=scene.subscriptions, check_url=refused)
    assert wrong.value.field == "url"
    with pytest.raises(InvalidRequest) as wrong:
        update_subscription(made["subscription_id"], {"url": GOOD["url"]}, store=scene.subscriptions, check_url=refused)
    assert wrong.value.field == "url"


def test_the_secret_is_shown_once(scene: Scene) -> None:
    made = scene.subscribe()
    subscription_id = made["subscription_id"]
    rotated = rotate_secret(subscription_id, store=scene.subscriptions)
    answers = (
        get_subscription(subscription_id, store=scene.subscriptions),
        list_subscriptions(store=scene.subscriptions),
        update_subscription(
            subscription_id, {"description": "x"}, store=scene.subscriptions, check_url=lambda url: None
        ),
        delete_subscription(subscription_id, store=scene.subscriptions),
    )
    assert made["secret"].startswith("whsec_")
    assert rotated["secret"].startswith("whsec_")
    assert "whsec_" not in str(answers)


def test_there_are_at_most_twenty(scene: Scene) -> None:
    for _ in range(MOST):
        last = scene.subscribe()
    with pytest.raises(Conflict):
        scene.subscribe()
    delete_subscription(last["subscription_id"], store=scene.subscriptions)
    scene.subscribe()
    assert len(list_subscriptions(store=scene.subscriptions)["subscriptions"]) == MOST


@pytest.mark.parametrize("body", [{}, {"active": 1}, {"events": None}, {"url": None}, {"description": ""}, {"id": "x"}])
def test_a_wrong_change_is_refused(scene: Scene, body: dict[str, Any]) -> None:
    made = scene.subscribe()
    with pytest.raises(InvalidRequest) as wrong:
        update_subscription(made["subscription_id"], body, store=scene.subscriptions, check_url=lambda url: None)
    assert wrong.value.field == next(iter(body), "body")


def test_a_change_of_nothing_that_exists_creates_nothing(scene: Scene) -> None:
    for unknown in ("", "0" * 32, "x" * 3000):
        with pytest.raises(NotFound):
            update_subscription(unknown, {"active": True}, store=scene.subscriptions, check_url=lambda url: None)
        with pytest.raises(NotFound):
            rotate_secret(unknown, store=scene.subscriptions)
        with pytest.raises(NotFound):
            delete_subscription(unknown, store=scene.subscriptions)
    assert not scene.subscriptions.all()
