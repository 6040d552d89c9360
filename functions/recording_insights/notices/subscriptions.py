"""Subscriptions: who gets which events, and the secrets that prove where the events come from."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from recording_insights.errors import Conflict, HostRefused, InvalidRequest, NotFound
from recording_insights.notices.events import EVENT_TYPES
from recording_insights.notices.signature import new_secret
from recording_insights.store.rows import SubscriptionChanges, SubscriptionRow
from recording_insights.store.subscriptions import SubscriptionStore
from recording_insights.validation import Reader, flag, link, object_of, or_null, phrase, some_of

MOST = 20
"""Subscriptions of a stack: each event is read against all of them."""
BOTH_SIGN_HOURS = 24
"""How long the secret before a rotation signs as well."""

INTERNAL = ("pk", "sk", "secret", "former_secret")
"""Attributes of a subscription that no answer shows. The answer of a new secret adds it."""

_ID = re.compile("[0-9a-f]{32}")
"""Of a subscription. DynamoDB refuses some texts as a key, and no subscription has another id."""

CheckUrl = Callable[[str], object]
"""Resolves the host of a URL. Raises `HostRefused` if no event may be sent there."""

CREATED: Mapping[str, Reader[Any]] = {
    # `CheckUrl` refuses plain http, but on the local stage.
    "url": Reader(link("https", "http").read, link("https").schema),
    "events": some_of(*EVENT_TYPES),
    "description": phrase(256),
}
"""The fields of POST /subscriptions."""
CHANGED: Mapping[str, Reader[Any]] = {
    "url": CREATED["url"],
    "events": CREATED["events"],
    "description": or_null(CREATED["description"]),
    "active": flag,
}
"""The fields of PATCH /subscriptions/{subscription_id}."""


def create_subscription(
    body: Mapping[str, Any],
    *,
    store: SubscriptionStore,
    check_url: CheckUrl,
    who: str | None = None,
    make_secret: Callable[[], str] = new_secret,
) -> dict[str, Any]:
    """Write a subscription, and return it with its secret. Two calls at one moment may pass the limit by one.

    Raises:
        InvalidRequest: names the field that is missing, unknown or wrong.
        Conflict: there are 20 subscriptions.
    """
    given = object_of(CREATED, required=("url", "events"))("", body)
    _check(given, check_url)
    if len(store.all()) >= MOST:
        raise Conflict(f"there are {MOST} subscriptions, and no more are allowed: delete one")
    row: SubscriptionRow = {
        "subscription_id": uuid4().hex,
        "url": given["url"],
        "events": given["events"],
        "active": True,
        "active_since": store.timestamp,
        "secret": make_secret(),
        "created_at": store.timestamp,
        "updated_at": store.timestamp,
    }
    if "description" in given:
        row["description"] = given["description"]
    if who:
        row["started_by"] = who
    store.open(row)
    return _with_secret(row)


def list_subscriptions(*, store: SubscriptionStore) -> dict[str, Any]:
    """Return all subscriptions, oldest first."""
    return {"subscriptions": [shown(row) for row in sorted(store.all(), key=lambda row: row["created_at"])]}


def get_subscription(subscription_id: str, *, store: SubscriptionStore) -> dict[str, Any]:
    """Return a subscription.

    Raises:
        NotFound: there is none.
    """
    return shown(find(subscription_id, store))


def update_subscription(
    subscription_id: str,
    body: Mapping[str, Any],
    *,
    store: SubscriptionStore,
    check_url: CheckUrl,
    who: str | None = None,
) -> dict[str, Any]:
    """Change a subscription. If it is switched on, its failures are forgotten.

    Raises:
        InvalidRequest: names the field that is unknown or wrong.
        NotFound: there is no such subscription.
    """
    given = object_of(CHANGED)("", body)
    if not given:
        raise InvalidRequest("body", f"must have one or more of {', '.join(CHANGED)}")
    present = find(subscription_id, store)
    _check(given, check_url)
    changes: SubscriptionChanges = {**given, "changed_by": who}  # type: ignore[typeddict-item]
    if given.get("active"):
        changes |= {"failing_since": None, "disabled_at": None, "disabled_because": None}
        changes["active_since"] = present["active_since"] if present["active"] else store.timestamp
    elif "active" in given and present["active"]:
        changes |= {"disabled_at": store.timestamp, "disabled_because": "a caller switched it off"}
    return shown(_there(store.change(subscription_id, **changes)))


def delete_subscription(subscription_id: str, *, store: SubscriptionStore) -> dict[str, Any]:
    """Delete a subscription, and return it. Events that still wait for it are not sent.

    Raises:
        NotFound: there is none.
    """
    return shown(_there(store.delete(subscription_id) if _ID.fullmatch(subscription_id) else None))


def rotate_secret(
    subscription_id: str,
    *,
    store: SubscriptionStore,
    who: str | None = None,
    make_secret: Callable[[], str] = new_secret,
) -> dict[str, Any]:
    """Give a subscription a new secret, and return it. The one before signs as well for 24 hours.

    Raises:
        NotFound: there is no such subscription.
    """
    former = find(subscription_id, store)["secret"]
    until = store.now() + timedelta(hours=BOTH_SIGN_HOURS)
    rotated = store.change(
        subscription_id,
        secret=make_secret(),
        former_secret=former,
        former_secret_until=int(until.timestamp()),
        rotated_at=store.timestamp,
        changed_by=who,
    )
    return _with_secret(_there(rotated))


def secrets_of(row: SubscriptionRow, *, now_seconds: float) -> list[str]:
    """The secrets that sign now, the present one first."""
    former = [row["former_secret"]] if now_seconds < row.get("former_secret_until", 0) else []
    return [row["secret"], *former]


def find(subscription_id: str, store: SubscriptionStore) -> SubscriptionRow:
    """Return the row of a subscription.

    Raises:
        NotFound: there is none.
    """
    return _there(store.find(subscription_id) if _ID.fullmatch(subscription_id) else None)


def shown(row: SubscriptionRow) -> dict[str, Any]:
    """What answers show of a subscription."""
    return {name: value for name, value in row.items() if name not in INTERNAL}


def _with_secret(row: SubscriptionRow) -> dict[str, Any]:
    return {**shown(row), "secret": row["secret"]}


def _check(given: Mapping[str, Any], check_url: CheckUrl) -> None:
    try:
        if "url" in given:
            check_url(given["url"])
    except HostRefused as refused:
        raise InvalidRequest("url", str(refused)) from None


def _there(row: SubscriptionRow | None) -> SubscriptionRow:
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("there is no such subscription")
