"""What is left when nothing changes any more: one look at rows, turns, executions, queues and the vendor's bill."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from recording_insights.model.status import FINAL, settled
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import BRAKE, HEALTH, PARTITION, QUEUE, RECORDING, SLOT_PREFIX, SORT, TRY_PREFIX
from recording_insights.store.numbers import decode
from recording_insights.store.rows import MediaRow, RecordingRow
from tests.faults.world import Arrived, World


class Counts(NamedTuple):
    """How many media objects are lost, stuck, paid for twice or wrong, and how many things nobody owns."""

    lost: int = 0
    stuck: int = 0
    paid_twice: int = 0
    leaked: int = 0
    wrong_status: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """The sums."""
        return Counts(*map(sum, zip(self, other, strict=True)))

    def within(self, bound: "Counts") -> bool:
        """Whether no count is beyond that of a bound."""
        return all(count <= most for count, most in zip(self, bound, strict=True))


class Found(NamedTuple):
    """One thing that is not as it must be: the count that it belongs to, and what it is."""

    kind: str
    what: str


def audit(world: World) -> list[Found]:
    """Return what is lost, stuck, paid for twice, leaked or wrong, once nothing changes any more."""
    rows = world.media_rows()
    return [
        *(found for arrived in world.arrived for found in _of_object(world, arrived, rows)),
        *_of_recordings(world, rows),
        *_of_money(world, rows),
        *_of_turns(world),
        *_of_executions(world, rows),
        *(Found("wrong_status", remark) for remark in world.remarks),
        *(Found("wrong_status", "a fault was to happen, and did not") for fault in world.aws.faults if not fault.met),
    ]


def counted(found: list[Found]) -> Counts:
    """Count what was found."""
    return Counts(**{name: sum(each.kind == name for each in found) for name in Counts._fields})


def _of_object(world: World, arrived: Arrived, rows: list[MediaRow]) -> Iterator[Found]:
    """A media object has a row that has ended as it may; one that failed says why."""
    mine = [
        row for row in rows if row["key"] == arrived.key and arrived.etag in ("", row["etag"], row.get("copied_etag"))
    ]
    if not mine:
        if "none" not in arrived.ends:
            yield Found("lost", f"{arrived.key} has no row")
        return
    if len(mine) > 1:
        yield Found("wrong_status", f"{arrived.key} has {len(mine)} rows")
    row = mine[0]
    status, code = row.get("status"), row.get("reason_code")
    if status not in FINAL:
        yield Found("stuck", f"{arrived.key} is {status}: {row.get('reason')}")
    elif status == "failed" and not code:
        yield Found("lost", f"{arrived.key} failed without a reason code")
    elif (code if status == "failed" else "done") not in arrived.ends:
        yield Found("wrong_status", f"{arrived.key} is {status}: {code}: {row.get('reason')}")
    elif status == "done" and not _has_transcript(world, row):
        yield Found("wrong_status", f"{arrived.key} is done and has no transcript")


def _has_transcript(world: World, row: MediaRow) -> bool:
    insights = InsightStore(world.rows).read(row["recording_id"]).insights
    return row["media_id"] in insights and bool(insights[row["media_id"]].transcript)


def _of_recordings(world: World, rows: list[MediaRow]) -> Iterator[Found]:
    """A recording has the status that follows from its media objects, and is over."""
    for recording in cast(list[RecordingRow], _items(world, RECORDING)):
        media = [row for row in rows if row["recording_id"] == recording["recording_id"]]
        if media and (changes := settled(recording, media)):
            yield Found("wrong_status", f"the recording {recording['status']} is to change: {changes}")
        elif recording["status"] not in (*FINAL, "partial", "empty"):
            yield Found("stuck", f"the recording is {recording['status']}")


def _of_money(world: World, rows: list[MediaRow]) -> Iterator[Found]:
    """Each object is paid for once, and each job that is paid for is that of a row or of an earlier try."""
    for _ in range(world.paid - world.pays):
        yield Found("paid_twice", f"{world.paid} jobs are paid for, and not {world.pays}")
    tries = [item for item in _items(world, TRY_PREFIX) if "job" in item]
    owned = sum("submitted_at" in row for row in rows) + sum("submitted_at" in item for item in tries)
    for _ in range(world.paid - owned):
        yield Found("leaked", f"{world.paid} jobs are paid for, and {owned} have an owner")


def _of_turns(world: World) -> Iterator[Found]:
    """Slots are free, nobody waits in the queue, and no provider is closed: there is nobody left who would try it."""
    for item in _items(world, SLOT_PREFIX):
        if "holder" in item:
            yield Found("leaked", f"{item['holder']} holds a slot")
    yield from (Found("leaked", f"{item['key']} is in the queue") for item in _items(world, QUEUE))
    yield from (Found("leaked", f"the provider is closed: {item['reason']}") for item in _items(world, HEALTH))
    yield from (Found("leaked", "the provider has a brake") for item in _items(world, BRAKE))
    now = world.clock.now().timestamp()
    for item in _items(world, "CLAIM"):
        if item["claimed_until"] > now:
            yield Found("leaked", f"{item[PARTITION]} belongs to a recording that is over")


def _of_executions(world: World, rows: list[MediaRow]) -> Iterator[Found]:
    """No execution runs, no task waits, no row has a token of one, and no event lies with the dead letters."""
    running = [arn for arn, status in world.step_functions.statuses.items() if status == "RUNNING"]
    yield from (Found("leaked", f"{arn} runs") for arn in running)
    yield from (Found("leaked", f"{token} waits") for token in world.waiting)
    for row in rows:
        if row.get("status") in FINAL and "task_token" in row:
            yield Found("leaked", f"{row['key']} has a task token")
    yield from (Found("stuck", "a dead letter") for _ in range(world.letters.left))


def _items(world: World, sort: str) -> list[dict[str, Any]]:
    return [decode(item) for item in world.rows.scan()["Items"] if item[SORT].startswith(sort)]
