"""The providers as an operator sees and changes them: slots, queue, health, and the brake."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.model.moments import utc_text
from recording_insights.processing.expected_end import expect_end
from recording_insights.processing.turns import Turns, is_stale, slots_of
from recording_insights.providers.registry import capabilities_of
from recording_insights.store.keys import AGAIN, FRESH
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow
from recording_insights.store.turns import Standing, TurnStore
from recording_insights.validation import Reader, flag, object_of, or_null, whole_number

MOST_SLOTS = 10_000
CHANGES: Mapping[str, Reader[Any]] = {
    "paused": flag,
    "slots": or_null(whole_number(1, MOST_SLOTS)),
}
"""The fields of a change. `slots`: null goes back to the number of the settings."""


def list_providers(names: Iterable[str], *, turns: Turns, prefixes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return `{"providers": […], "prefixes": {…}}`, each provider as `describe_provider` does, in the settings' order.

    `prefixes` are the providers of media objects whose key begins with a prefix.
    """
    providers = [describe_provider(name, turns=turns) for name in names]
    return {"providers": providers, "prefixes": {prefix: list(named) for prefix, named in prefixes.items()}}


def describe_provider(name: str, *, turns: Turns) -> dict[str, Any]:
    """Return what holds for a provider now.

    `slots` is None without a limit. `health` is `closed` while it takes jobs, `open` while it takes none, and
    `half_open` while one media object tries it. An open one says since when and why, and when it is tried again.
    `queued` is the number of media objects that wait for their turn, and `oldest_queued_at` when the first began to.
    """
    standing = turns.store.read(name)
    now = turns.store.now()
    brake = standing.brake or {}
    held = [slot for slot in standing.slots.values() if "holder" in slot and slot["until"] > now.timestamp()]
    heads = [turns.store.head(name, prefix) for prefix in (FRESH, AGAIN)]
    changed = {key: value for key, value in brake.items() if key in ("changed_at", "changed_by")}
    return {
        "provider": name,
        "paused": bool(brake.get("paused")),
        "slots": turns.limit(name, standing),
        "slots_used": len(held),
        **_health(standing, now),
        "queued": turns.store.length(name),
        "oldest_queued_at": min((head["queued_at"] for head in heads if head), default=None),
        **changed,
    }


def _health(standing: Standing, now: datetime) -> dict[str, Any]:
    health = standing.health
    if health is None:
        return {"health": "closed"}
    tried = now.timestamp() >= health["retry_at"] and not is_stale(health, now.timestamp())
    return {
        "health": "half_open" if tried else "open",
        "since": health["since"],
        "reason_code": health["code"],
        "reason": health["reason"],
        "retry_at": utc_text(datetime.fromtimestamp(health["retry_at"], UTC)),
    }


def change_provider(
    name: str, body: Mapping[str, Any], *, names: Iterable[str], turns: Turns, who: str | None = None
) -> dict[str, Any]:
    """Pause a provider or go on, or change the number of its slots; return it as `describe_provider` does.

    Jobs that run go on. Whoever may go after the change is woken at once; each of them wakes more.

    Raises:
        NotFound: the stack does not have the provider; names those that it has.
        InvalidRequest: names the field that is unknown or wrong.
    """
    known = list(names)
    if name not in known:
        raise NotFound(f"the stack has no provider {name}; it has {', '.join(known)}")
    changes = object_of(CHANGES)("", body)
    if not changes:
        raise InvalidRequest("body", f"must have at least one of {', '.join(CHANGES)}")
    # False is the same as no pause.
    changes = {field: value or None for field, value in changes.items()}
    turns.store.brake(name, **changes, changed_at=utc_text(turns.store.now()), changed_by=who)
    if "paused" in changes and not changes["paused"]:
        turns.resume(name)
    else:
        turns.dispatch(name)
    return describe_provider(name, turns=turns)


def queue_of(row: MediaRow, *, turns: TurnStore, limits: Mapping[str, int], store: MediaStore) -> dict[str, Any]:
    """Return `queue_position` of a media object that waits for its turn, 1 for the next one; empty if it does not wait.

    `expected_turn_at` is there if the provider has slots and takes jobs: when so many jobs have ended as are in front
    of it, at the usual pace.
    """
    if row.get("status") != "waiting" or "queue_place" not in row:
        return {}
    provider = row["provider"]
    position = turns.length(provider, before=row["queue_place"]) + 1
    standing = turns.read(provider)
    slots = slots_of(provider, standing, limits)
    if slots is None or standing.health is not None or (standing.brake or {}).get("paused"):
        return {"queue_position": position}
    seconds = expect_end(row, capabilities_of(provider).pace, store=store).seconds * position / slots
    return {"queue_position": position, "expected_turn_at": utc_text(turns.now() + timedelta(seconds=seconds))}
