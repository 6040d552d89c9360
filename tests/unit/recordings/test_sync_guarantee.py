"""What a sync promises, over an index that is late and writers whose clocks are wrong.

Every recording's last state is seen, and a recording comes again only if its version rose.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from recording_insights.deadline import Deadline
from recording_insights.model.moments import utc_text
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.sync import Sync
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import CHANGE_INDEX, CHANGE_INDEX_HASH, CHANGE_INDEX_RANGE, PARTITION, SORT
from recording_insights.store.recordings import RecordingStore
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.recordings.stored import put

LONGEST_DELAY = 5.0
"""Seconds from a write to its entry in the index."""
CLOCKS = (0.0, 0.0, -3.0, 2.0)
"""Seconds by which the clock of each writer is off."""


@dataclass
class LateTable(FakeTable):
    """A table whose index by change gets each entry, and loses each, up to 5 s after the write: in any order."""

    clock: FakeClock = field(default_factory=FakeClock)
    random: Random = field(default_factory=Random)
    due: list[tuple[float, int, str, tuple[str, str, str]]] = field(default_factory=list)
    entries: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    lost: set[tuple[str, str, str]] = field(default_factory=set)

    def _store(self, item: Any) -> None:
        before = self._item((item[PARTITION], item[SORT]))
        super()._store(item)
        places = [_entry(row) if CHANGE_INDEX_RANGE in row else None for row in (before, item)]
        if places[0] != places[1]:
            for what, place in zip(("lose", "get"), places, strict=True):
                if place:
                    at = self.clock.elapsed + self.random.uniform(0, LONGEST_DELAY)
                    insort(self.due, (at, len(self.due), what, place))

    def query(self, *, IndexName: str | None = None, **arguments: Any) -> dict[str, Any]:
        if IndexName != CHANGE_INDEX:
            return super().query(IndexName=IndexName, **arguments)
        self._catch_up()
        hashed, ranged = arguments["KeyConditionExpression"].get_expression()["values"]
        shard = hashed.get_expression()["values"][1]
        _, least, most = ranged.get_expression()["values"]
        least = arguments.get("ExclusiveStartKey", {}).get(CHANGE_INDEX_RANGE, least)
        entries = self.entries.get(shard, [])
        found = entries[bisect_left(entries, (least,)) : bisect_right(entries, (most,))]
        if "ExclusiveStartKey" in arguments:
            found = [entry for entry in found if entry[0] > least]
        page: dict[str, Any] = {"Items": [_keys(shard, entry) for entry in found[: arguments["Limit"]]]}
        if len(found) > arguments["Limit"]:
            page["LastEvaluatedKey"] = page["Items"][-1]
        return page

    def _catch_up(self) -> None:
        """An entry that is lost before it came does not come."""
        passed = bisect_right(self.due, (self.clock.elapsed, 1 << 60))
        due, self.due = self.due[:passed], self.due[passed:]
        for _, _, what, (place, shard, recording_id) in due:
            entries = self.entries.setdefault(shard, [])
            entry = (place, recording_id, "RECORDING")
            if what == "get" and entry not in self.lost:
                insort(entries, entry)
            elif what == "lose":
                self.lost.add(entry)
                if entry in entries[(at := bisect_left(entries, entry)) : at + 1]:
                    entries.remove(entry)


def _entry(row: Any) -> tuple[str, str, str]:
    return row[CHANGE_INDEX_RANGE], row[CHANGE_INDEX_HASH], row[PARTITION]


def _keys(shard: str, entry: tuple[str, str, str]) -> dict[str, str]:
    place, recording_id, sort = entry
    return {PARTITION: recording_id, SORT: sort, CHANGE_INDEX_HASH: shard, CHANGE_INDEX_RANGE: place}


Read = Callable[[Mapping[str, str], RecordingStore], Any]
"""Returns a page."""


def listed(query: Mapping[str, str], store: RecordingStore) -> Any:
    return list_recordings(query, store=store)


def with_insights(query: Mapping[str, str], store: RecordingStore) -> Any:
    return Sync(store, InsightStore(store.table), Deadline.after(60)).page(query)


@dataclass
class World:
    """A table with recordings, writers, and a caller that syncs. `seen` are the versions by id, as they came."""

    random: Random
    recordings: int
    clock: FakeClock = field(default_factory=FakeClock)
    seen: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table = LateTable(clock=self.clock, random=self.random)
        self.writers = [self._store_of(off) for off in CLOCKS]
        self.ids = [f"{number:032x}" for number in range(self.recordings)]
        self.changes = 0
        for number, recording_id in enumerate(self.ids):
            # Some are written within the same microsecond.
            self.clock.elapsed = number // 3 * 0.01
            put(self.table, recording_id, "done", utc_text(self.clock.now()))
            self.random.choice(self.writers).update(recording_id, {"reason": "first"})

    def _store_of(self, off: float) -> RecordingStore:
        table: Any = self.table

        def now() -> datetime:
            return self.clock.now() + timedelta(seconds=off)

        return RecordingStore(table, now)

    def change_some(self, most: int) -> None:
        """Some recordings change, also such as have just changed, and also twice within a moment."""
        for _ in range(self.random.randint(0, most)):
            recording_id = self.random.choice(self.ids[:40] if self.random.random() < 0.3 else self.ids)
            self.random.choice(self.writers).update(recording_id, {"reason": f"change {self.changes}"})
            self.changes += 1

    def sync(self, read: Read) -> Iterator[None]:
        """Read page after page for ever, at any moment; what is read is interrupted by changes."""
        store = self._store_of(0)
        cursor: dict[str, str] = {}
        while True:
            page = read({"updated_since": "2026-03-01T00:00:00Z", "limit": "100", **cursor}, store)
            for recording in page["recordings"]:
                self.seen.setdefault(recording["recording_id"], []).append(recording["version"])
            cursor = {"cursor": page["cursor"]}
            yield

    def check(self) -> None:
        for recording_id in self.ids:
            versions = self.seen[recording_id]
            assert versions == sorted(set(versions)), f"{recording_id} came again: {versions}"
            row = self.writers[0].find(recording_id)
            assert row
            assert versions[-1] == row["version"]


MORE = [(read, 100, 2000, seed) for seed in range(3, 9) for read in (listed, with_insights)]


@pytest.mark.parametrize(
    ("read", "recordings", "changes", "seed"),
    [
        (listed, 5000, 500, 1),
        (with_insights, 100, 300, 2),
        *(pytest.param(*each, marks=pytest.mark.matrix) for each in MORE),
    ],
)
def test_a_sync_sees_every_last_state_and_nothing_twice(read: Read, recordings: int, changes: int, seed: int) -> None:
    world = World(Random(seed), recordings)
    pages = world.sync(read)
    inner_get = world.table.get_item

    def get_item(**arguments: Any) -> Any:
        # Between the read of the index and that of the row, too.
        if world.changes < changes and world.random.random() < 0.02:
            world.change_some(2)
        return inner_get(**arguments)

    world.table.get_item = get_item  # type: ignore[method-assign]
    while world.changes < changes:
        world.change_some(5)
        world.clock.elapsed += world.random.choice((0, 0, 0.2, 1.0, 4.0))
        next(pages)
    for _ in range(20 + recordings // 50):
        world.clock.elapsed += 1.0
        next(pages)

    world.check()
    assert max(map(len, world.seen.values())) > 1
