"""The table is lost while a job runs, and rows of a moment before come back: docs/operate.md says what follows."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial

from operations.restore_rows import restore_rows
from tests.conformance.conftest import Travel
from tests.conformance.journey import Journey
from tests.conformance.test_counts import POLLED, mp4
from tests.unit.fake_table import FakeTable
from tests.unit.operations.fake_account import Account


def loses(journey: Journey, restored: Callable[[], FakeTable]) -> None:
    """Delete all rows, and copy those of another table back."""
    source = restored()
    for item in journey.table.scan()["Items"]:
        journey.table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    tables = {"insights": journey.table, "restored": source}
    account = Account(outputs={"InsightsTableName": "insights"})
    outcome = restore_rows("dev", "restored", account, tables.__getitem__, lambda line: None)
    assert outcome.written > 0


def copy_of(journey: Journey) -> FakeTable:
    copied = FakeTable()
    for item in journey.table.scan()["Items"]:
        copied.put_item(Item=deepcopy(item))
    return copied


def test_an_execution_goes_on_with_the_restored_row(travel: Travel) -> None:
    journey = travel(POLLED, polls=3)
    journey.at(0, partial(journey.arrive, "uploads/talk.mp4", mp4()))
    journey.at(1, lambda: loses(journey, lambda: copy_of(journey)))
    journey.go()

    [row] = journey.media_rows()
    assert (row["status"], journey.paid) == ("done", 1)


def test_a_row_from_before_its_job_gets_one_second_job(travel: Travel) -> None:
    journey = travel(POLLED, polls=3)
    copies: list[FakeTable] = []
    journey.at(0, partial(journey.arrive, "uploads/talk.mp4", mp4()))
    journey.at(0, lambda: copies.append(copy_of(journey)))
    journey.at(1, lambda: loses(journey, copies.pop))
    journey.go()

    [row] = journey.media_rows()
    assert (row["status"], journey.paid) == ("done", 2)
