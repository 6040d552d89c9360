"""Writes that meet somebody else's transaction on the same rows: a lost race, or a retry."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from recording_insights.errors import ChannelTaken
from recording_insights.store import expressions
from recording_insights.store.claims import Claim
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock
from tests.unit.store.conflicts import conflict

A, B = "a" * 32, "b" * 32
CLAIM = Claim("team", A, 1000)


@pytest.fixture
def table(either_table: Any) -> Any:
    return either_table


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    monkeypatch.setattr(expressions, "sleep", clock.sleep)


def test_a_start_in_conflict_has_lost_the_race(recording_store: RecordingStore, table: Any) -> None:
    conflict(table, 1)

    with pytest.raises(ChannelTaken):
        recording_store.open({}, CLAIM, over=None)

    assert table.scan()["Items"] == []
    assert recording_store.open({}, CLAIM, over=None)["recording_id"] == A


@pytest.mark.parametrize("times", [1, 3])
def test_an_update_a_put_and_a_delete_wait_for_the_transaction(
    recording_store: RecordingStore, table: Any, clock: FakeClock, times: int
) -> None:
    recording_store.open({}, CLAIM, over=None)

    conflict(table, times)
    updated = recording_store.update(A, {"sid": "5"}, only_without="sid")
    conflict(table, times)
    recording_store.claims.hold(Claim("team", B, 2000), instead_of=A)

    assert updated
    assert recording_store.find(A) == updated
    assert recording_store.claims.find("team") == Claim("team", B, 2000)
    conflict(table, times)
    recording_store.claims.release("team", B)
    assert recording_store.claims.find("team") is None
    assert len(clock.naps) == 3 * times


def test_after_the_wait_the_condition_counts(recording_store: RecordingStore, table: Any) -> None:
    recording_store.open({"sid": "4"}, CLAIM, over=None)
    conflict(table, 2)

    assert recording_store.update(A, {"sid": "5"}, only_without="sid") is None


def test_a_media_object_waits_too(media_store: MediaStore, make_media: MakeMedia, table: Any) -> None:
    media = make_media()
    conflict(table, 2)

    media_store.admit(A, media, providers=["marsview"])

    assert media_store.get(A, media.media_id)["status"] == "waiting"


def test_a_conflict_without_end_is_an_error(recording_store: RecordingStore, table: Any, clock: FakeClock) -> None:
    recording_store.open({}, CLAIM, over=None)
    conflict(table, 6)

    with pytest.raises(ClientError, match="TransactionConflictException"):
        recording_store.update(A, {"sid": "5"})

    assert clock.naps == [0.05, 0.1, 0.2, 0.4, 0.8]
    assert recording_store.update(A, {"sid": "5"})
