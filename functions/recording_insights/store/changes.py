"""Changes: which recordings were written since, the one that rests the longest first.

The index `by_change` has one entry for each recording, at the place of its last change. A change moves the entry. The
clocks of writers differ, and the index follows the table with a delay, so the last seconds are left out: what stands
before them does not become more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING

from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import pages
from recording_insights.store.keys import (
    CHANGE_INDEX,
    CHANGE_INDEX_HASH,
    CHANGE_INDEX_RANGE,
    CHANGE_SHARDS,
    PARTITION,
    RECEIPT,
    SORT,
)
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LAG = timedelta(seconds=10)
"""Longer than a writer's clock may be slow and an index may be late, together. Both usually take milliseconds."""
BEGINNING = "0"
"""A place before all others."""
_AT_ONCE = 100


@dataclass(frozen=True)
class Change:
    """The last change of a recording. `place` is a text that sorts by time."""

    recording_id: str
    place: str
    is_erased: bool

    def is_last_of(self, recording: RecordingRow) -> bool:
        """Return whether the recording, read after this change, has not changed since: else it stands further on."""
        return recording.get("change_place", "") <= self.place


@dataclass(frozen=True)
class ChangeStore:
    """Reads the changes; raises botocore's `ClientError` for faults of DynamoDB."""

    table: "Table"
    now: Callable[[], datetime]

    def after(self, place: str) -> Iterator[Change]:
        """Yield the changes that stand after a place, or a moment, and are older than `LAG`, in order."""
        until = utc_text(self.now() - LAG)
        # DynamoDB refuses a range that ends before it begins.
        if place < until:
            yield from merge(*(self._of_shard(shard, place, until) for shard in CHANGE_SHARDS), key=attrgetter("place"))

    def _of_shard(self, shard: str, place: str, until: str) -> Iterator[Change]:
        from boto3.dynamodb.conditions import Key

        in_range = Key(CHANGE_INDEX_HASH).eq(shard) & Key(CHANGE_INDEX_RANGE).between(place, until)
        for page in pages(self.table, IndexName=CHANGE_INDEX, KeyConditionExpression=in_range, Limit=_AT_ONCE):
            for entry in page:
                if entry[CHANGE_INDEX_RANGE] != place:
                    yield Change(entry[PARTITION], entry[CHANGE_INDEX_RANGE], entry[SORT] == RECEIPT)
