"""What Agora last said of a recorder, on moto and in memory."""

from typing import Any

import pytest

from recording_insights.agora.recorder import LiveState
from recording_insights.store.keys import recorder_key
from recording_insights.store.recorder_states import RecorderStateStore
from recording_insights.store.rows import RecordingRow
from tests.unit.fakes import FakeClock

RECORDING: RecordingRow = {"recording_id": "5eb63bbbe01eeed093cb22bb8f5acdc3", "created_at": "2026-03-12T00:00:00Z"}


@pytest.fixture
def states(either_table: Any, clock: FakeClock) -> RecorderStateStore:
    return RecorderStateStore(either_table, clock.now)


def kept(states: RecorderStateStore) -> Any:
    return states.table.get_item(Key=recorder_key(RECORDING["recording_id"]))["Item"]


def test_one_caller_may_ask_in_two_minutes(states: RecorderStateStore, clock: FakeClock) -> None:
    assert [states.may_ask(RECORDING["recording_id"]) for _ in range(2)] == [True, False]
    clock.elapsed += 119
    assert not states.may_ask(RECORDING["recording_id"])
    clock.elapsed += 1
    states.keep(RECORDING, LiveState(5).to_row())
    assert not states.may_ask(RECORDING["recording_id"]), "the watch has just asked"


def test_the_last_answer_replaces_the_one_before(states: RecorderStateStore, clock: FakeClock) -> None:
    states.keep(RECORDING, LiveState(5, ("a.m3u8",), onhold=True).to_row())
    clock.elapsed += 60
    as_of = states.keep(RECORDING, LiveState(None).to_row())
    row = kept(states)
    assert (row["as_of"], row["opened_at"]) == (as_of, RECORDING["created_at"])
    assert row["state"] == LiveState(None).to_row()


def test_any_number_of_files_fits_into_the_item(states: RecorderStateStore) -> None:
    states.keep(RECORDING, LiveState(5, ("k" * 1024,) * 6000).to_row())
    assert len(kept(states)["state"]["files"]) == 300
