"""AWS in memory, with a count of the calls that AWS charges for.

Source: https://aws.amazon.com/step-functions/pricing/, https://aws.amazon.com/lambda/pricing/,
https://aws.amazon.com/dynamodb/pricing/on-demand/, https://aws.amazon.com/s3/pricing/ and
https://aws.amazon.com/secrets-manager/pricing/
"""

import io
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5
from math import ceil
from types import SimpleNamespace
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from recording_insights.store.keys import (
    CHANGE_INDEX_HASH,
    CHANGE_INDEX_RANGE,
    STATUS_INDEX_HASH,
    STATUS_INDEX_RANGE,
    TIME_INDEX_HASH,
    TIME_INDEX_RANGE,
)
from tests.conformance.counts import Counts
from tests.conformance.scene import Buckets
from tests.unit.fake_table import FakeTable, WireItem, wire_bytes

INDEXES = ((STATUS_INDEX_HASH, STATUS_INDEX_RANGE), (TIME_INDEX_HASH, TIME_INDEX_RANGE))
CHANGES = (CHANGE_INDEX_HASH, CHANGE_INDEX_RANGE)
"""The index whose entries have keys only."""
UNIT_BYTES = 1024
"""What one write unit of DynamoDB writes."""


@dataclass
class Bill:
    """Counts by what they are for. `purpose` is what AWS is called for at present."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    purpose: str = ""

    def add(self, what: str, number: int = 1) -> None:
        """Count calls for the present purpose."""
        assert what in Counts._fields
        self.counts.setdefault(self.purpose, Counter())[what] += number

    def of(self, *purposes: str) -> Counts:
        """Return the sum of the counts for these purposes."""
        return Counts(**sum((self.counts.get(purpose, Counter()) for purpose in purposes), Counter()))


@dataclass
class CountedTable(FakeTable):
    """A table that counts its reads, its writes and their units.

    A write costs a unit for each KB of the item, as it was or as it is, whichever is larger; in a transaction two. So
    does each index that the item is in, and one more if its keys there change. A write whose condition does not hold
    costs what the item has that is there.
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    bill: Bill = field(default_factory=Bill)
    units_per_kb: int = 1

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        self.bill.add("gets")
        return super().get_item(**arguments)

    def query(self, **arguments: Any) -> dict[str, Any]:
        self.bill.add("queries")
        return super().query(**arguments)

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        with self._counted(arguments["Item"]):
            return super().put_item(**arguments)

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        with self._counted(arguments["Key"]):
            return super().update_item(**arguments)

    def delete_item(self, **arguments: Any) -> dict[str, Any]:
        with self._counted(arguments["Key"]) as before:
            old = super().delete_item(**arguments)
            self.bill.add("units", _units(before, {}))
        return old

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:
        self.bill.add("writes", len(TransactItems))
        self.units_per_kb = 2
        try:
            super().transact_write_items(TransactItems=TransactItems)
        finally:
            self.units_per_kb = 1

    def _store(self, item: Mapping[str, Any]) -> None:
        key = item["pk"], item["sk"]
        before = self.items.get(key, {})
        super()._store(item)
        self.bill.add("units", _units(before, self.items[key], per_kb=self.units_per_kb))

    def _counted(self, item: Mapping[str, Any]) -> "_Write":
        self.bill.add("writes")
        return _Write(self.bill, self.items.get((item["pk"], item["sk"]), {}))


@dataclass(frozen=True)
class _Write:
    """One write over an item that was `before`."""

    bill: Bill
    before: WireItem

    def __enter__(self) -> WireItem:
        return self.before

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            self.bill.add("units", _kilobytes(self.before))


def _units(before: WireItem, after: WireItem, *, per_kb: int = 1) -> int:
    largest = max(_kilobytes(before), _kilobytes(after))
    return per_kb * largest + sum(_units_of_index(index, before, after) for index in (*INDEXES, CHANGES))


def _units_of_index(index: tuple[str, str], before: WireItem, after: WireItem) -> int:
    entries = [item for item in (before, after) if set(index) <= item.keys()]
    if index == CHANGES:
        # An entry has less than a KB. It is deleted at one place and put at another. The clock of a scene stands still.
        versions = [item.get("version") for item in entries]
        return 0 if versions[:1] == versions[1:] else len(entries)
    places = [[item[name] for name in index] for item in entries]
    if len(entries) == 2 and places[0] == places[1]:
        return 0 if before == after else max(map(_kilobytes, entries))
    return sum(map(_kilobytes, entries))


def _kilobytes(item: WireItem) -> int:
    return max(1, ceil(wire_bytes(item) / UNIT_BYTES))


class CountedBuckets(Buckets):
    """Buckets that count the requests of S3. The requests of vendors by presigned links are not ours."""

    class exceptions:
        class NoSuchKey(Exception):
            """There is no such object."""

    def __init__(self, bill: Bill, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.bill = bill
        self.now = now
        self.written: dict[tuple[str, str], datetime] = {}

    def arrive(self, bucket: str, key: str, content: bytes) -> None:
        """What somebody else writes."""
        self.objects[bucket, key] = content
        self.written[bucket, key] = self.now()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.bill.add("s3_puts")
        self.arrive(Bucket, Key, Body)

    def upload_file(self, path: str, bucket: str, key: str, *, ExtraArgs: Mapping[str, str]) -> None:
        self.bill.add("s3_puts")
        super().upload_file(path, bucket, key, ExtraArgs=ExtraArgs)
        self.written[bucket, key] = self.now()

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "", Range: str = "") -> dict[str, Any]:
        self.bill.add("s3_gets")
        content = self.objects.get((Bucket, Key))
        if content is None:
            raise self.exceptions.NoSuchKey
        length = len(content)
        if Range:
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            content = content[first : last + 1]
        body = StreamingBody(io.BytesIO(content), len(content))
        # A vendor's result is written past this object, and nobody asks when.
        return {"Body": body, "ContentLength": length, "LastModified": self.written.get((Bucket, Key), self.now())}

    def head_object(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        self.bill.add("s3_gets")
        content = self.objects[Bucket, Key]
        checksum = b64encode(crc32(content).to_bytes(4)).decode()
        return {"ETag": etag_of(content), "ContentLength": len(content), "ChecksumCRC32": checksum}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._list)

    def _list(self, *, Bucket: str, Prefix: str, Delimiter: str) -> Iterator[Mapping[str, Any]]:
        found = [
            {"Key": key, "LastModified": self.written[bucket, key], "ETag": etag_of(content), "Size": len(content)}
            for (bucket, key), content in self.objects.items()
            if bucket == Bucket and key.startswith(Prefix) and Delimiter not in key.removeprefix(Prefix)
        ]
        assert len(found) <= 1000, "one request lists 1,000 objects"
        self.bill.add("s3_lists")
        yield {"Contents": found}


def etag_of(content: bytes) -> str:
    """An object's ETag, in quotes as S3 sends it."""
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'


@dataclass
class CountedStepFunctions:
    """The calls that the functions make. `started` are the executions: the ARN of the state machine, name and input.

    `woken` are the task tokens that came back.
    """

    bill: Bill
    woken: list[str]
    started: list[tuple[str, str, str]] = field(default_factory=list)

    class exceptions:
        class ExecutionAlreadyExists(Exception):
            """A name that is taken."""

        class ExecutionDoesNotExist(Exception):
            """No execution has the name."""

        class TaskDoesNotExist(Exception):
            """The wait has ended."""

        class TaskTimedOut(Exception):
            """The wait has ended by its time-out."""

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:
        self.bill.add("steps")
        if any(taken == name for _, taken, _ in self.started):
            raise self.exceptions.ExecutionAlreadyExists
        self.started.append((stateMachineArn, name, input))

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:
        self.bill.add("steps")
        return {"status": "RUNNING"}

    def send_task_success(self, *, taskToken: str, output: str) -> None:
        self.bill.add("steps")
        self.woken.append(taskToken)
