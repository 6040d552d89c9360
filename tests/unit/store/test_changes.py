"""Every write of a recording moves it among the changes, and the changes are read in order."""

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import recording_insights
from recording_insights.errors import ChannelTaken
from recording_insights.model.media_object import MediaObject
from recording_insights.model.moments import utc_text
from recording_insights.store.changes import BEGINNING, ChangeStore
from recording_insights.store.claims import Claim
from recording_insights.store.derivations import DerivationStore
from recording_insights.store.keys import PARTITION, RECEIPT, RECORDING, SORT, change_of_row, media_key, recording_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock

A = "a" * 32
MEDIA = MediaObject("bucket", "talk.mp4", "etag", 1, datetime(2026, 3, 12, tzinfo=UTC))


def opened_again(store: RecordingStore) -> None:
    try:
        store.open({}, Claim("team", A, 2000), over=Claim("team", A, 1000), replacing=store.find(A))
    except ChannelTaken:
        store.open({}, Claim("team", A, 1000), over=None)


def settled(store: RecordingStore) -> None:
    row: dict[str, Any] = {"recording_id": A, "media_id": "m", "key": "k", "status": "done", "arrived_at": "2026"}
    store.table.put_item(Item={**media_key(A, "m"), **row})
    store.settle(A)


def derivation_ended(store: RecordingStore) -> None:
    store.update(A, {"insights": "pending", "derivations": 1})
    row = DerivationStore(store.table, store.now).begin(A, number=1, digest="d")
    assert row
    assert store.end_derivation(row, {"state": "done"})


WRITERS: Mapping[str, Callable[[RecordingStore], object]] = {
    "open": opened_again,
    "open_by_arrival": lambda store: store.open_by_arrival("b" * 32, MEDIA, providers=("symbl",)),
    "update": lambda store: store.update(A, {"reason": "late"}),
    "refer": lambda store: store.refer(A, {"reference": "ticket"}),
    "count_fail_over": lambda store: store.count_fail_over(A, "notice"),
    "settle": settled,
    "end_derivation": derivation_ended,
    "open_for_upload": lambda store: store.open_for_upload("c" * 32, {"prefix": "uploads/", "reference": "ticket"}),
    "change": lambda store: store.change(store.get(A), {"reason": "late"}),
    "mark_deletion": lambda store: store.mark_deletion(store.get(A), "media"),
    "correct": lambda store: store.correct(store.get(A), [], [], total=0),
}
"""The methods that add to the version."""
OTHERS = {
    *("get", "find", "find_with_media", "find_whole", "find_by_folder", "newest", "oldest", "media_rows"),
    "oldest_first",
    *("recording_of", "recording_put_by_hand", "get_changeable", "get_whole", "absent", "find_derived"),
    # Only the owner of the lease sees it, and what is dropped was never begun.
    *("lease", "end_lease", "drop"),
    # Internal: how many executions have deleted its media.
    "note_deletion",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_write_moves_the_recording_among_the_changes(either_table: Any, clock: FakeClock, writer: str) -> None:
    store = RecordingStore(either_table, clock.now)
    opened_again(store)
    before = {row[PARTITION]: row for row in either_table.scan()["Items"] if row[SORT] == RECORDING}
    clock.elapsed = 1

    WRITERS[writer](store)

    changed = [
        row
        for row in either_table.scan()["Items"]
        if row[SORT] == RECORDING and row["version"] != before.get(row[PARTITION], {}).get("version")
    ]
    assert changed
    for row in changed:
        assert row.items() >= change_of_row(row["recording_id"], utc_text(clock.now())).items()


def test_no_method_of_the_store_is_left_out() -> None:
    methods = {name for name, value in vars(RecordingStore).items() if callable(value) and not name.startswith("_")}
    assert methods - {"now", "sleep"} == {*WRITERS, *OTHERS}


def test_nobody_else_knows_the_key_of_a_recording() -> None:
    """So nobody else writes its row. An erase marks it, and deliveries look whether it is there."""
    root = Path(recording_insights.__file__).parent.parent
    named = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "recording_key"
    }
    assert named == {f"recording_insights/store/{name}.py" for name in ("recordings", "erasures", "subscriptions")}


def test_an_erase_is_a_change_at_its_begin_and_at_its_end(either_table: Any, clock: FakeClock) -> None:
    store = RecordingStore(either_table, clock.now)
    opened_again(store)
    clock.elapsed = 1

    marked = store.erasures.mark(A, "receipt", None)
    assert marked
    assert marked.items() >= change_of_row(A, utc_text(clock.now())).items()
    clock.elapsed = 2
    assert store.erasures.conclude({"recording_id": A, "receipt_id": "receipt"})
    clock.elapsed = 60
    [change] = ChangeStore(either_table, clock.now).after(BEGINNING)
    assert (change.recording_id, change.is_erased) == (A, True)


def put(table: Any, recording_id: str, moment: str, sort: str = RECORDING) -> None:
    table.put_item(Item={**recording_key(recording_id), SORT: sort, **change_of_row(recording_id, moment)})


class TestAfter:
    """At midnight less 10 seconds the changes are over."""

    def changes(self, table: Any, clock: FakeClock, place: str) -> list[str]:
        return [change.recording_id for change in ChangeStore(table, clock.now).after(place)]

    def test_changes_of_all_shards_are_in_one_order(self, either_table: Any, clock: FakeClock) -> None:
        ids = [f"{number:032x}" for number in range(40)]
        for number, recording_id in enumerate(ids):
            put(either_table, recording_id, f"2026-03-11T00:00:{number:02}.000000Z")

        assert self.changes(either_table, clock, BEGINNING) == ids
        assert self.changes(either_table, clock, "2026-03-11T00:00:10.000000Z") == ids[10:]

    def test_two_changes_of_one_microsecond_follow_each_other(self, either_table: Any, clock: FakeClock) -> None:
        moment = "2026-03-11T00:00:00.000000Z"
        ids = [f"{number:032x}" for number in range(10)]
        for recording_id in reversed(ids):
            put(either_table, recording_id, moment)

        assert self.changes(either_table, clock, f"{moment}#{ids[3]}") == ids[4:]

    def test_the_last_ten_seconds_are_left_out(self, either_table: Any, clock: FakeClock) -> None:
        put(either_table, A, "2026-03-11T23:59:49.999999Z")
        put(either_table, "b" * 32, "2026-03-11T23:59:50.000000Z")

        assert self.changes(either_table, clock, BEGINNING) == [A]
        assert self.changes(either_table, clock, "2026-03-12T00:00:00.000000Z") == []

    def test_a_receipt_is_a_change_and_a_row_of_an_earlier_version_is_none(
        self, either_table: Any, clock: FakeClock
    ) -> None:
        put(either_table, A, "2026-03-11T00:00:00.000000Z", RECEIPT)
        either_table.put_item(Item={**recording_key("b" * 32), "status": "done", "created_at": "2026"})

        [change] = ChangeStore(either_table, clock.now).after(BEGINNING)

        assert (change.recording_id, change.is_erased) == (A, True)
