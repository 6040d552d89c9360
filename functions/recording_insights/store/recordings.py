"""Recordings and channel claims in the table, and the list of recordings.

Every write of a recording adds 1 to its `version` and is conditional on what it builds upon, but for the lease that
lets one change at a time reach its recorder. A claim says which recording a channel belongs to and until when; it is
written in one transaction with the recording, before Agora is called, so of two simultaneous starts one finds the
other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from recording_insights.store.expressions import lost_the_race, utc_text
from recording_insights.store.keys import (
    MEDIA_PREFIX,
    PARTITION,
    RECORDING,
    SORT,
    STATUS_INDEX,
    STATUS_INDEX_HASH,
    STATUS_INDEX_RANGE,
    claim_key,
    recording_key,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

Item = Mapping[str, Any]
Position = tuple[str, str]
"""(created_at, recording_id): where a recording stands in the list."""

STATUSES = ("starting", "recording", "stopping", "processing", "done", "partial", "failed", "empty")


class ChannelTaken(Exception):
    """Another start changed the claim or the recording since they were read."""


@dataclass(frozen=True)
class Claim:
    """Which recording a channel belongs to; `claimed_until` is in Unix seconds."""

    channel: str
    recording_id: str
    claimed_until: int

    @property
    def item(self) -> dict[str, Any]:
        """As it lies in the table."""
        return {
            **claim_key(self.channel),
            "recording_id": self.recording_id,
            "claimed_until": self.claimed_until,
        }


@dataclass(frozen=True)
class RecordingStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def seconds(self) -> int:
        """The present moment in Unix seconds."""
        return int(self.now().timestamp())

    @property
    def timestamp(self) -> str:
        """The present moment in ISO 8601, UTC, with microseconds: sorts as text."""
        return utc_text(self.now())

    def find(self, recording_id: str) -> Item | None:
        """The recording's item, read consistently."""
        return self.table.get_item(Key=recording_key(recording_id), ConsistentRead=True).get("Item")

    def find_with_media(self, recording_id: str) -> tuple[Item, list[Item]] | None:
        """The recording's item and those of its media objects; transcript and insights lie outside of the range."""
        from boto3.dynamodb.conditions import Key

        condition = Key(PARTITION).eq(recording_id) & Key(SORT).between(MEDIA_PREFIX, RECORDING)
        items: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            page = self.table.query(KeyConditionExpression=condition, ConsistentRead=True, **start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        *media, last = items or [{}]
        return (last, media) if last.get(SORT) == RECORDING else None

    def claim(self, channel: str) -> Claim | None:
        """The channel's claim, read consistently; it may have lapsed."""
        item: Item | None = self.table.get_item(Key=claim_key(channel), ConsistentRead=True).get("Item")
        return Claim(channel, str(item["recording_id"]), int(item["claimed_until"])) if item else None

    def open(self, recording: Item, claim: Claim, *, over: Claim | None, replacing: Item | None = None) -> Item:
        """Write a new recording and its claim, both or none; returns the recording as written.

        `over` is the claim that was read before, `replacing` an earlier try at the same recording.

        Raises:
            ChannelTaken: one of them has changed since it was read.
        """
        item = {
            **recording_key(claim.recording_id),
            "recording_id": claim.recording_id,
            "status": "starting",
            "created_at": self.timestamp,
            "updated_at": self.timestamp,
            "version": int(replacing["version"]) + 1 if replacing else 1,
            **recording,
        }
        try:
            self.table.meta.client.transact_write_items(
                TransactItems=[
                    self._put(claim.item, over.item if over else None, "recording_id", "claimed_until"),
                    self._put(item, replacing, "version"),
                ]
            )
        except ClientError as error:
            if not lost_the_race(error):
                raise
            raise ChannelTaken from error
        return item

    def update(
        self,
        recording_id: str,
        changes: Mapping[str, Any],
        *,
        only_in: Collection[str] = STATUSES,
        only_without: str | None = None,
    ) -> Item | None:
        """Set attributes of a recording, None removes one; returns it as it is now.

        Returns None and changes nothing if it is not in one of these statuses, or has the attribute `only_without`.
        """
        sets = {**{name: value for name, value in changes.items() if value is not None}, "updated_at": self.timestamp}
        removes = [name for name, value in changes.items() if value is None]
        allowed = {f":in{number}": status for number, status in enumerate(sorted(only_in))}
        condition = f"#status IN ({', '.join(allowed)})"
        if only_without:
            condition += " AND attribute_not_exists(#without)"
        return self._attributes_if_ours(
            Key=recording_key(recording_id),
            UpdateExpression="SET "
            + ", ".join(f"#{name} = :{name}" for name in sets)
            + (f" REMOVE {', '.join(f'#{name}' for name in removes)}" if removes else "")
            + " ADD version :one",
            ConditionExpression=condition,
            ExpressionAttributeNames={
                **{f"#{name}": name for name in (*sets, *removes, "status")},
                **({"#without": only_without} if only_without else {}),
            },
            ExpressionAttributeValues={
                **{f":{name}": value for name, value in sets.items()},
                **allowed,
                ":one": 1,
            },
        )

    def lease(self, recording_id: str, seconds: int) -> Item | None:
        """Let nobody else change the recorder for so long at most; returns the recording as it is now.

        Returns None if somebody else has that right, or there is no such recording.
        """
        now = self.seconds
        return self._attributes_if_ours(
            Key=recording_key(recording_id),
            UpdateExpression="SET changing_until = :until",
            ConditionExpression=f"attribute_exists({PARTITION})"
            " AND (attribute_not_exists(changing_until) OR changing_until <= :now)",
            ExpressionAttributeValues={":until": now + seconds, ":now": now},
        )

    def end_lease(self, leased: Item) -> None:
        """Let others change the recorder again; a lease that has passed on to somebody else stays theirs."""
        self._if_ours(
            self.table.update_item,
            Key=recording_key(str(leased["recording_id"])),
            UpdateExpression="REMOVE changing_until",
            ConditionExpression="changing_until = :until",
            ExpressionAttributeValues={":until": leased["changing_until"]},
        )

    def drop(self, recording_id: str) -> None:
        """Take back a recording that Agora never began."""
        self._if_ours(
            self.table.delete_item,
            Key=recording_key(recording_id),
            ConditionExpression="#status = :starting AND attribute_not_exists(sid)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":starting": "starting"},
        )

    def hold(self, claim: Claim, *, instead_of: str | None = None) -> None:
        """Rewrite a claim, if the channel still belongs to its recording (or to `instead_of`)."""
        self._if_ours(
            self.table.put_item,
            Item=claim.item,
            ConditionExpression="recording_id = :holder",
            ExpressionAttributeValues={":holder": instead_of or claim.recording_id},
        )

    def release(self, channel: str, recording_id: str) -> None:
        """Give a channel up, if it still belongs to the recording."""
        self._if_ours(
            self.table.delete_item,
            Key=claim_key(channel),
            ConditionExpression="recording_id = :holder",
            ExpressionAttributeValues={":holder": recording_id},
        )

    def newest(self, statuses: Sequence[str], count: int, *, before: Position | None = None) -> list[Item]:
        """Up to `count` recordings in any of the statuses, newest first, that stand before a position."""
        found: dict[str, Item] = {}  # a recording that changes its status meanwhile may come twice
        for status in statuses:
            found.update({str(item["recording_id"]): item for item in self._newest_of(status, count, before)})
        return sorted(found.values(), key=position, reverse=True)[:count]

    def _newest_of(self, status: str, count: int, before: Position | None) -> list[Item]:
        from boto3.dynamodb.conditions import ConditionBase, Key

        condition: ConditionBase = Key(STATUS_INDEX_HASH).eq(status)
        if before:
            condition &= Key(STATUS_INDEX_RANGE).lte(before[0])
        items: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            page = self.table.query(
                IndexName=STATUS_INDEX,
                KeyConditionExpression=condition,
                ScanIndexForward=False,
                Limit=count + 1,
                **start,
            )
            items += (item for item in page["Items"] if before is None or position(item) < before)
            # The index does not sort recordings of the same moment: read on until that moment has passed.
            enough = len(items) > count and items[-1]["created_at"] != items[count - 1]["created_at"]
            if enough or "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _put(self, item: Item, over: Item | None, *unchanged: str) -> "TransactWriteItemTypeDef":
        """Write an item where there was none, or `over` one whose attributes are as they were read."""
        put: PutTypeDef = {
            "TableName": self.table.name,
            "Item": item,
            "ConditionExpression": f"attribute_not_exists({PARTITION})",
        }
        if over:
            put["ConditionExpression"] = " AND ".join(f"{name} = :{name}" for name in unchanged)
            put["ExpressionAttributeValues"] = {f":{name}": over[name] for name in unchanged}
        return {"Put": put}

    def _attributes_if_ours(self, **arguments: Any) -> Item | None:
        """Update a recording; as it is then, None if the condition does not hold."""
        reply = self._if_ours(self.table.update_item, ReturnValues="ALL_NEW", **arguments)
        return reply["Attributes"] if reply else None

    def _if_ours(self, write: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return write(**arguments)
        except ClientError as error:
            if not lost_the_race(error):
                raise
            return None  # otherwise it belongs to a later start, which writes its own


def position(item: Item) -> Position:
    """Where a recording stands in the list; no two share a position."""
    return str(item["created_at"]), str(item["recording_id"])
