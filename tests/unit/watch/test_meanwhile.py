"""What happens between a read of the watch and the write that follows from it."""

from typing import Any

import pytest

from recording_insights.store.keys import claim_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.watch.scene import Scene


def test_a_stop_during_the_first_query_is_not_undone(scene: Scene, store: RecordingStore, vendor: FakeAgora) -> None:
    def stop(call: str) -> None:
        store.update(scene.watch.recording_id, {"status": "stopping", "stopped_at": store.timestamp})

    vendor.before = stop

    scene.turn()

    assert scene.row["status"] == "stopping"


def test_an_id_that_comes_while_the_start_is_given_up_is_not_lost(
    scene: Scene, store: RecordingStore, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id, sid = scene.watch.recording_id, scene.row["sid"]
    store.update(recording_id, {"sid": None, "resource_id": None})
    store.claims.release("team", recording_id)
    scene.clock.elapsed = 90
    read = table.get_item

    def read_then_name(**arguments: Any) -> Any:
        item = read(**arguments)
        if arguments["Key"] == claim_key("team"):
            store.update(recording_id, {"sid": sid})
        return item

    monkeypatch.setattr(table, "get_item", read_then_name)

    watch = scene.turn()

    assert (watch.outcome, watch.wait_seconds) == ("watching", 5)
    assert scene.row["status"] == "starting"


def test_a_recorder_that_is_found_again_records(recording: Scene, vendor: FakeAgora) -> None:
    hidden, vendor.recorders = vendor.recorders, {}
    assert recording.turn().phase == "lost"

    vendor.recorders = hidden

    assert recording.turn().phase == "recording"
    assert recording.watch.since == recording.store.timestamp
