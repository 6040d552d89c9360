"""The stream of a table in memory: a record for each change of an item, with the item before and after."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from recording_insights.store.keys import PARTITION, SORT
from tests.unit.fake_table import FakeTable, Key, WireItem

MOMENT = 1_795_867_200
"""When each change was made, in Unix seconds."""


class StreamedItems(dict[Key, WireItem]):
    """The items of a table, and `records`: what the stream tells of them. A write that changes nothing has no record.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
    """

    def __init__(self, items: Mapping[Key, WireItem]) -> None:
        super().__init__(items)
        self.records: list[dict[str, Any]] = []

    def __setitem__(self, key: Key, item: WireItem) -> None:
        self._tell("MODIFY" if key in self else "INSERT", self.get(key), item)
        super().__setitem__(key, item)

    def pop(self, key: Key, *default: Any) -> Any:
        if key in self:
            self._tell("REMOVE", self[key], None)
        return super().pop(key, *default)

    def _tell(self, name: str, old: WireItem | None, new: WireItem | None) -> None:
        if old != new:
            self.records.append(record(name, old, new))


def record(name: str, old: WireItem | None, new: WireItem | None) -> dict[str, Any]:
    """A record as Lambda passes it to a function."""
    item = new or old or {}
    images = {"OldImage": old, "NewImage": new}
    return {
        "eventID": uuid4().hex,
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": MOMENT,
            "Keys": {PARTITION: item[PARTITION], SORT: item[SORT]},
            **{place: image for place, image in images.items() if image},
            "SequenceNumber": "100000000000000000001",
            "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def streamed(table: FakeTable) -> StreamedItems:
    """Give a table a stream, and return its items."""
    items = StreamedItems(table.items)
    table.items = items
    return items
