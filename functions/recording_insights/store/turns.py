"""Who has a turn at a provider: its slots, its queue, its health, and the operator's brake.

All items of a provider share a partition. A slot is a lease: who holds it has one job at the provider, until the lease
ends. There is no counter that could leak. An item of the queue is a media object that waits for its turn, oldest first.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import change_of, if_it_holds, pages, read, rows, update_of, write_all
from recording_insights.store.keys import (
    BRAKE,
    FRESH,
    HEALTH,
    PARTITION,
    QUEUE,
    SLOT_PREFIX,
    SORT,
    STANDING_PREFIX,
    provider_of_turns,
    slot_of_key,
    turn_key,
)
from recording_insights.store.numbers import decode, encode
from recording_insights.store.rows import BrakeRow, HealthRow, MediaRow, QueueRow, SlotRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class Standing:
    """What holds for a provider at a moment: its slots by number, its health, and the operator's brake.

    It has a `health` while it takes nothing, and a `doubt` if its last submission is not confirmed. Both are the same
    item: one without a prober is a doubt.
    """

    slots: Mapping[int, SlotRow] = field(default_factory=dict)
    health: HealthRow | None = None
    brake: BrakeRow | None = None
    doubt: HealthRow | None = None

    def held_by(self, holder: str, now: float) -> int | None:
        """Return the number of the slot that somebody holds, or None."""
        return next((n for n, slot in self.slots.items() if slot.get("holder") == holder and slot["until"] > now), None)

    def turns_of(self, number: int) -> int:
        """Return how often a slot was taken."""
        return self.slots.get(number, {}).get("turns", 0)

    def free(self, limit: int, now: float) -> list[int]:
        """Return the numbers of the slots that may be taken, smallest first: no more are held than the limit says.

        Slots beyond a limit that was lowered count until their jobs end.
        """
        taken = {number for number, slot in self.slots.items() if "holder" in slot and slot["until"] > now}
        return [number for number in range(limit) if number not in taken][: max(limit - len(taken), 0)]


def holder_of(row: MediaRow | QueueRow) -> str:
    """Return the name of a media object as the holder of a slot."""
    return f"{row['recording_id']} {row['media_id']}"


@dataclass(frozen=True)
class TurnStore:
    """`table` is the boto3 resource of the insights table; all methods may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def read(self, provider: str) -> Standing:
        """Return slots, health and brake of a provider, read consistently, in one query."""
        from boto3.dynamodb.conditions import Key

        key = Key(PARTITION).eq(provider_of_turns(provider)) & Key(SORT).begins_with(STANDING_PREFIX)
        slots: dict[int, SlotRow] = {}
        others: dict[str, Any] = {}
        for row in rows(self.table, KeyConditionExpression=key, ConsistentRead=True):
            if row[SORT].startswith(SLOT_PREFIX):
                slots[slot_of_key(row[SORT])] = row
            else:
                others[row[SORT]] = row
        health = others.get(HEALTH)
        if health is not None and "prober" not in health:
            return Standing(slots, None, others.get(BRAKE), doubt=health)
        return Standing(slots, health, others.get(BRAKE))

    # Slots

    def take_slot(self, provider: str, number: int, holder: str, until: float) -> bool:
        """Make somebody the holder of a slot until a moment (Unix seconds); False if it has a holder."""
        from boto3.dynamodb.conditions import Attr

        is_free = Attr("holder").not_exists() | Attr("until").lte(int(self.now().timestamp()))
        taken = if_it_holds(
            self.table.update_item,
            Key=turn_key(provider, f"{SLOT_PREFIX}{number:04d}"),
            **update_of({"holder": holder, "until": int(until)}, add={"turns": 1}),
            ConditionExpression=is_free,
        )
        return taken is not None

    def free_slot(self, provider: str, number: int, holder: str) -> bool:
        """Give a slot back; False if the holder does not have it any more."""
        from boto3.dynamodb.conditions import Attr

        freed = if_it_holds(
            self.table.update_item,
            Key=turn_key(provider, f"{SLOT_PREFIX}{number:04d}"),
            **update_of({"holder": None}),
            ConditionExpression=Attr("holder").eq(holder),
        )
        return freed is not None

    # The queue

    def enqueue(self, provider: str, place: str, row: MediaRow) -> None:
        """Put a media object into the queue at a place. A task token that it had there is gone."""
        queued: QueueRow = {
            **turn_key(provider, place),  # type: ignore[typeddict-item]
            "recording_id": row["recording_id"],
            "media_id": row["media_id"],
            "key": row["key"],
            "queued_at": row["waiting_since"],
        }
        self.table.put_item(Item=encode(queued))

    def head(self, provider: str, prefix: str = FRESH, *, after: str = "") -> QueueRow | None:
        """Return the first in the queue whose place begins with a prefix; with `after`, the first behind that place."""
        from boto3.dynamodb.conditions import Key

        key = Key(PARTITION).eq(provider_of_turns(provider))
        within = Key(SORT).between(f"{after} ", f"{prefix}~") if after else Key(SORT).begins_with(prefix)
        query = {"KeyConditionExpression": key & within, "Limit": 1, "ConsistentRead": True}
        return next((cast(QueueRow, row) for page in pages(self.table, **query) for row in page), None)

    def call(self, provider: str, place: str) -> QueueRow | None:
        """Note that it is a media object's turn. Only one caller gets its row, with its task token; others get None.

        The state "Await turn" writes its token on the condition that nobody has called before.
        """
        from boto3.dynamodb.conditions import Attr

        called = if_it_holds(
            self.table.update_item,
            Key=turn_key(provider, place),
            **update_of({"called_at": utc_text(self.now())}),
            ConditionExpression=Attr(PARTITION).exists() & Attr("called_at").not_exists(),
            ReturnValues="ALL_NEW",
        )
        return cast(QueueRow, decode(called["Attributes"])) if called else None

    def hand_over(self, provider: str, slot: int, following: QueueRow, until: float, *, turns: int) -> QueueRow | None:
        """Give a slot to a media object in the queue and note that it is its turn: both, or neither.

        `turns` is how often the slot was taken before. Returns the row as `call` does. None if the slot has a holder,
        or if somebody else has called the media object, or if it has left the queue.
        """
        from boto3.dynamodb.conditions import Attr

        slot_key, queue_key = turn_key(provider, f"{SLOT_PREFIX}{slot:04d}"), turn_key(provider, following["sk"])
        is_free = Attr("holder").not_exists() | Attr("until").lte(int(self.now().timestamp()))
        holder = {"holder": holder_of(following), "until": int(until), "turns": turns + 1}
        waits = Attr(PARTITION).exists() & Attr("called_at").not_exists()
        called_at = utc_text(self.now())
        writes = [
            change_of(self.table, slot_key, holder, is_free),
            change_of(self.table, queue_key, {"called_at": called_at}, waits),
        ]
        if not write_all(self.table, writes):
            return None
        # The token may have been written after the caller read the queue. A transaction returns no row.
        return cast(QueueRow, {**following, **(read(self.table, queue_key) or {}), "called_at": called_at})

    def waiting(self, provider: str) -> Iterator[QueueRow]:
        """Yield all media objects in the queue, in their order."""
        from boto3.dynamodb.conditions import Key

        key = Key(PARTITION).eq(provider_of_turns(provider)) & Key(SORT).begins_with(QUEUE)
        for page in pages(self.table, KeyConditionExpression=key, ConsistentRead=True):
            yield from (cast(QueueRow, row) for row in page)

    def leave(self, provider: str, place: str) -> None:
        """Take a media object out of the queue."""
        self.table.delete_item(Key=turn_key(provider, place))

    def leave_after_call(self, provider: str, called: QueueRow) -> None:
        """Take a media object that was called out of the queue, unless it has come back since."""
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.delete_item,
            Key=turn_key(provider, called["sk"]),
            ConditionExpression=Attr("called_at").eq(called["called_at"]),
        )

    def length(self, provider: str, before: str = "") -> int:
        """Return how many wait for a provider; with `before`, how many are in front of that place."""
        from boto3.dynamodb.conditions import Key

        key = Key(PARTITION).eq(provider_of_turns(provider))
        within = Key(SORT).between(QUEUE, before) if before else Key(SORT).begins_with(QUEUE)
        counted, start = 0, dict[str, Any]()
        while True:
            page = self.table.query(KeyConditionExpression=key & within, Select="COUNT", **start)
            counted += page["Count"]
            if "LastEvaluatedKey" not in page:
                return max(counted - bool(before), 0)
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    # Health

    def open(self, provider: str, health: HealthRow, *, was: HealthRow | None) -> bool:
        """Note that a provider takes nothing at present, or a doubt; False if the item is no longer as it was read."""
        from boto3.dynamodb.conditions import Attr

        row = {**health, **turn_key(provider, HEALTH)}
        is_same = Attr("version").eq(was["version"]) if was else Attr(PARTITION).not_exists()
        put = if_it_holds(self.table.put_item, Item=encode(row), ConditionExpression=is_same)
        return put is not None

    def close(self, provider: str) -> None:
        """Note that a provider takes jobs, and that there is no doubt."""
        self.table.delete_item(Key=turn_key(provider, HEALTH))

    # The brake

    def brake(self, provider: str, **changes: Any) -> None:
        """Pause a provider, or change the number of its slots; None removes a change."""
        self.table.update_item(Key=turn_key(provider, BRAKE), **update_of(changes))
