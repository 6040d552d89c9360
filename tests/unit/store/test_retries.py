"""The rows of retries of many: one is the latest, an end is final, and the list is in order."""

from typing import Any

import pytest

from recording_insights.processing.report_failure import report_stopped_execution
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import RetryStore
from recording_insights.store.rows import RetryRow
from tests.unit.fakes import FakeClock, turns_of


@pytest.fixture
def retries(either_table: Any, clock: FakeClock) -> RetryStore:
    return RetryStore(either_table, clock.now)


def row(retry_id: str) -> RetryRow:
    return {"retry_id": retry_id, "status": "queued", "seen": 0, "begun": 0, "refused": {}, "filters": {"from": "job"}}


def test_only_one_follows_the_latest(retries: RetryStore) -> None:
    assert retries.latest() is None
    assert retries.open(row("1"), after=None)
    assert not retries.open(row("2"), after=None)
    assert retries.open(row("3"), after="1")
    assert not retries.open(row("4"), after="1")

    assert retries.latest() == "3"
    assert [each["retry_id"] for each in retries.newest(9)] == ["3", "1"], "nothing of those that lost is written"
    assert [each["retry_id"] for each in retries.newest(1)] == ["3"]


def test_an_end_is_final(retries: RetryStore) -> None:
    retries.open(row("1"), after=None)
    cursor: Any = {"status": "failed", "place": "p", "media": ""}
    assert retries.note("1", status="running", cursor=cursor, refused={"not_media": 2}, seen=2)
    assert retries.cancel("1", "ops")
    assert not retries.note("1", status="running", seen=3)
    assert not retries.end("1", "failed", "late")

    found = retries.find("1")
    assert found is not None
    assert (found["status"], found["seen"], found["refused"]) == ("canceled", 2, {"not_media": 2})
    assert "reason" not in found
    assert not retries.end("0", "done"), "one that is not there stays so"
    assert retries.find("0") is None


def test_an_execution_that_was_stopped_ends_its_retry(retries: RetryStore, clock: FakeClock) -> None:
    retries.open(row("1"), after=None)
    detail = {"input": '{"retry_id": "1"}', "status": "ABORTED", "name": "1"}

    media = MediaStore(retries.table, clock.now)
    report_stopped_execution(detail, store=media, turns=turns_of(media))

    found = retries.find("1")
    assert found is not None
    assert (found["status"], found["reason"]) == ("failed", "the execution was aborted")
