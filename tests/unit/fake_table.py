"""A DynamoDB table in memory, for tests that are not about DynamoDB: moto takes milliseconds per call.

It knows the operations and the forms of expressions that the stores use, and refuses every other; that these
mean on DynamoDB what they mean here is what the tests of the stores show, which run with moto as well.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from zlib import crc32

from boto3.dynamodb.conditions import ConditionBase
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from recording_insights.store.keys import (
    CHANGE_INDEX,
    CHANGE_INDEX_HASH,
    CHANGE_INDEX_RANGE,
    PARTITION,
    SORT,
    STATUS_INDEX,
    STATUS_INDEX_HASH,
    STATUS_INDEX_RANGE,
    TIME_INDEX,
    TIME_INDEX_HASH,
    TIME_INDEX_RANGE,
)
from tests.unit.fake_expressions import Placeholders, fulfils, key_condition, updated

WireItem = Mapping[str, Any]
Key = tuple[str, str]

PAGE_BYTES = 1 << 20
LARGEST_ITEM_BYTES = 400 << 10
_RANGES = {
    None: (PARTITION, SORT),
    STATUS_INDEX: (STATUS_INDEX_HASH, STATUS_INDEX_RANGE),
    TIME_INDEX: (TIME_INDEX_HASH, TIME_INDEX_RANGE),
    CHANGE_INDEX: (CHANGE_INDEX_HASH, CHANGE_INDEX_RANGE),
}
KEYS_ONLY = {CHANGE_INDEX}
"""The indexes whose entries have keys only."""
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize

Operation = TypeVar("Operation", bound=Callable[..., Any])


def _whole(operation: Operation) -> Operation:
    """Let no other thread see or change the table meanwhile: DynamoDB's operations are atomic."""

    @wraps(operation)
    def run(table: "FakeTable", *args: Any, **kwargs: Any) -> Any:
        with table.lock:
            return operation(table, *args, **kwargs)

    return cast(Operation, run)


@dataclass
class FakeTable:
    """Items are kept as they go over the wire; a query answers in pages of 1 MB.

    `read_units` are those of consistent reads by get and query. `conflicts` is how many of the next writes
    meet a transaction of somebody else's.
    """

    name: str = "insights"
    items: dict[Key, WireItem] = field(default_factory=dict)
    sizes: dict[Key, int] = field(default_factory=dict)
    queries: int = 0
    read_units: int = 0
    conflicts: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def meta(self) -> SimpleNamespace:
        """The table is its own client."""
        return SimpleNamespace(client=self, region_name="eu-central-1")

    @_whole
    def get_item(
        self, *, Key: Mapping[str, str], ConsistentRead: bool = False, ProjectionExpression: str = ""
    ) -> dict[str, Any]:
        item = self._item(_key(Key))
        self.read_units += _units(self.sizes.get(_key(Key), 0))
        shown = ProjectionExpression.split(", ") if ProjectionExpression else [*item]
        return {"Item": {name: item[name] for name in shown if name in item}} if item else {}

    @_whole
    def put_item(self, *, Item: Mapping[str, Any], **condition: Any) -> dict[str, Any]:
        self._meet_transaction()
        if condition:
            self._check(Item, **condition)
        self._store(Item)
        return {}

    @_whole
    def delete_item(self, *, Key: Mapping[str, str], ReturnValues: str = "NONE", **condition: Any) -> dict[str, Any]:
        self._meet_transaction()
        self._check(Key, **condition)
        old = {"Attributes": self._item(_key(Key))} if _key(Key) in self.items else {}
        self.items.pop(_key(Key), None)
        self.sizes.pop(_key(Key), None)
        return {"NONE": {}, "ALL_OLD": old}[ReturnValues]

    @_whole
    def update_item(
        self,
        *,
        Key: Mapping[str, str],
        UpdateExpression: str,
        ConditionExpression: str | ConditionBase = "",
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        ExpressionAttributeValues: Mapping[str, Any] | None = None,
        ReturnValues: str = "NONE",
    ) -> dict[str, Any]:
        self._meet_transaction()
        given = Placeholders(ExpressionAttributeNames or {}, ExpressionAttributeValues or {})
        present = self._item(_key(Key))
        fulfilled = fulfils(present, ConditionExpression, given)
        item = updated({**present, **Key}, UpdateExpression, given)
        given.refuse_unused()
        if _key(item) != _key(Key):
            raise _error("ValidationException", "Cannot update attribute; this attribute is part of the key")
        if not fulfilled:
            raise _error("ConditionalCheckFailedException", str(ConditionExpression))
        self._store(item)
        return {"NONE": {}, "ALL_NEW": {"Attributes": self._item(_key(Key))}}[ReturnValues]

    @_whole
    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:
        writes = [next(iter(write.values())) for write in TransactItems]
        assert {write["TableName"] for write in writes} == {self.name}
        keys = [_key(write.get("Key") or write["Item"]) for write in writes]
        assert len(set(keys)) == len(keys), "DynamoDB refuses two writes of one item"
        self._meet_transaction(len(writes))
        results = [self._of_transaction(**write) for write in writes]
        if None in results:
            reasons = [{"Code": "ConditionalCheckFailed" if result is None else "None"} for result in results]
            raise _error("TransactionCanceledException", str(reasons), CancellationReasons=reasons)
        for key, result in zip(keys, results, strict=True):
            if result:
                self._store(result)
            else:
                self.items.pop(key, None)
                self.sizes.pop(key, None)

    def _of_transaction(
        self,
        *,
        TableName: str,
        Item: Mapping[str, Any] | None = None,
        Key: Mapping[str, str] | None = None,
        UpdateExpression: str = "",
        ConditionExpression: str = "",
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        ExpressionAttributeValues: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any] | None:
        """The item that one write of a transaction leaves, empty after a deletion; None if its condition fails."""
        given = Placeholders(ExpressionAttributeNames or {}, ExpressionAttributeValues or {})
        present = self._item(_key(Key or Item or {}))
        fulfilled = fulfils(present, ConditionExpression, given)
        is_deletion = Item is None and not UpdateExpression
        item = Item or ({} if is_deletion else updated({**present, **(Key or {})}, UpdateExpression, given))
        given.refuse_unused()
        return item if fulfilled else None

    @contextmanager
    def batch_writer(self) -> Iterator["FakeTable"]:
        yield self

    @_whole
    def query(
        self,
        *,
        KeyConditionExpression: ConditionBase,
        IndexName: str | None = None,
        ExclusiveStartKey: Mapping[str, str] | None = None,
        ScanIndexForward: bool = True,
        Limit: int | None = None,
        ConsistentRead: bool = False,
        Select: str = "ALL_ATTRIBUTES",
    ) -> dict[str, Any]:
        assert not (IndexName and ConsistentRead), "DynamoDB refuses consistent reads of an index"
        self.queries += 1
        in_range = key_condition(KeyConditionExpression, *_RANGES[IndexName])
        entries = {self._place(entry, IndexName): entry for entry in self._entries(IndexName) if in_range(entry)}
        places = sorted(entries, reverse=not ScanIndexForward)
        if ExclusiveStartKey:
            after = self._place(ExclusiveStartKey, IndexName)
            places = [place for place in places if (place > after if ScanIndexForward else place < after)]
        page: dict[str, Any] = {"Items": []}
        size = 0
        for entry in (entries[place] for place in places):
            size += self.sizes[_key(entry)]
            page["Items"].append(entry if IndexName in KEYS_ONLY else self._item(_key(entry)))
            if size > PAGE_BYTES or len(page["Items"]) == Limit:
                page["LastEvaluatedKey"] = entry
                break
        self.read_units += _units(size)
        if Select == "COUNT":
            page["Count"] = len(page.pop("Items"))
        return page

    @_whole
    def scan(self, *, IndexName: str | None = None) -> dict[str, Any]:
        return {"Items": [self._item(key) for key in sorted(map(_key, self._entries(IndexName)))]}

    def _meet_transaction(self, writes: int = 1) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise conflict_error(writes)

    def _entries(self, index: str | None) -> Iterator[dict[str, str]]:
        """The keys of all items that are in the index: those that have its attributes."""
        names = {PARTITION, SORT, *_RANGES[index]}
        for item in self.items.values():
            if names <= item.keys():
                yield {name: item[name]["S"] for name in names}

    def _place(self, entry: Mapping[str, str], index: str | None) -> tuple[str, int, Key]:
        """What a query sorts by; in an index, entries of the same range key come in an order of no meaning."""
        assert entry.keys() == {PARTITION, SORT, *_RANGES[index]}
        return entry[_RANGES[index][1]], crc32(entry[PARTITION].encode()), _key(entry)

    def _item(self, key: Key) -> dict[str, Any]:
        return {name: _deserialize(value) for name, value in self.items.get(key, {}).items()}

    def _store(self, item: Mapping[str, Any]) -> None:
        key = _key(item)
        assert all(key), "DynamoDB refuses empty keys"
        self.items[key] = {name: _serialize(value) for name, value in item.items()}
        self.sizes[key] = wire_bytes(self.items[key])
        assert self.sizes[key] <= LARGEST_ITEM_BYTES, "DynamoDB refuses items over 400 KB"

    def _check(self, item: Mapping[str, Any], **condition: Any) -> None:
        if not self._fulfils(item, **condition):
            raise _error("ConditionalCheckFailedException", str(condition))

    def _fulfils(
        self,
        item: Mapping[str, Any],
        *,
        ConditionExpression: str | ConditionBase = "",
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        ExpressionAttributeValues: Mapping[str, Any] | None = None,
    ) -> bool:
        given = Placeholders(ExpressionAttributeNames or {}, ExpressionAttributeValues or {})
        fulfilled = fulfils(self._item(_key(item)), ConditionExpression, given)
        given.refuse_unused()
        return fulfilled


def _units(size: int) -> int:
    """The read units of one call that reads so many bytes consistently."""
    return max(-(-size // 4096), 1)


def _key(item: Mapping[str, Any]) -> Key:
    return item[PARTITION], item[SORT]


def _error(code: str, message: str, **details: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **details}
    return ClientError(response, "Write")


def conflict_error(writes: int) -> ClientError:
    """What so many writes of one call get if the row of the first is in a transaction of somebody else's.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    if writes == 1:
        return _error("TransactionConflictException", "Transaction is ongoing for the item")
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    reasons += [{"Code": "None"}] * (writes - 1)
    return _error("TransactionCanceledException", str(reasons), CancellationReasons=reasons)


def wire_bytes(item: Mapping[str, Any]) -> int:
    """An item's size by DynamoDB's rule, counted from the form that goes over the wire.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            digits = content.lstrip("-").replace(".", "").strip("0")
            return (len(digits) + 1) // 2 + 1 + int(content.startswith("-"))
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(text.encode()) for text in content)
        case "L":
            return 3 + sum(1 + _value_bytes(part) for part in content)
        case "M":
            return 3 + len(content) + wire_bytes(content)
    raise AssertionError(f"no rule for {kind}")
