"""The watch over a recording from its start until it is known to record, or not to."""

from collections.abc import Callable
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.errors import AgoraOutcomeUnknown
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch, execution_name
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.crashing_table import Crash
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import wanted
from tests.unit.watch.scene import Scene, queries

HOUR = 3600


def test_a_start_is_verified_at_the_first_look(scene: Scene, vendor: FakeAgora) -> None:
    watch = scene.turn()
    assert scene.looks == [7]
    assert scene.row["status"] == "recording"
    assert (watch.outcome, watch.wait_seconds) == ("watching", 900)
    assert queries(vendor) == 1


@pytest.mark.parametrize("status", [0, 1, 2, 3, 99])
def test_a_recorder_that_is_not_ready_is_asked_again_at_growing_intervals(
    scene: Scene, vendor: FakeAgora, status: int
) -> None:
    vendor.live_status = status
    scene.run(lambda: len(scene.looks) == 5)
    assert scene.looks == [7, 12, 22, 37, 57]
    assert scene.row["status"] == "starting"
    vendor.live_status = 4
    scene.turn()
    assert scene.row["status"] == "recording"


@pytest.mark.parametrize("scaled", [False, True])
def test_a_recorder_that_never_starts_fails_after_90_seconds_with_agora_s_last_status(
    scene: Scene, vendor: FakeAgora, store: RecordingStore, scaled: bool
) -> None:
    vendor.live_status = 2
    scene.run(scaled=scaled)
    assert scaled or scene.looks[-1] == 7 + 90
    assert len(scene.looks) == 7
    row = scene.row
    assert row["status"] == "failed"
    assert row["reason"] == "Agora did not report the recorder as started within 90 s; last: components starting"
    assert store.claims.find("team") is None
    assert vendor.recorders == {}, "it would record for nobody"


def test_a_recorder_that_is_not_found_yet_is_looked_for_until_90_seconds(scene: Scene, vendor: FakeAgora) -> None:
    hidden, vendor.recorders = vendor.recorders, {}
    scene.run(lambda: len(scene.looks) == 6)
    assert scene.row["status"] == "starting"
    vendor.recorders = hidden
    scene.turn()
    assert scene.row["status"] == "recording"


def test_a_recorder_that_is_never_found_has_not_started(scene: Scene, vendor: FakeAgora) -> None:
    vendor.recorders = {}
    scene.run()
    assert scene.looks[-2:] == [97, 197]
    assert vendor.names().count("stop") == 1
    assert scene.row["status"] == "failed"
    assert "finds no such recorder" in scene.row["reason"]


def test_a_failed_start_keeps_its_channel_until_it_can_be_stopped(
    scene: Scene, vendor: FakeAgora, store: RecordingStore
) -> None:
    vendor.live_status = 1
    vendor.script["stop"] = [Answer(401, {})] * 2
    scene.run(lambda: not vendor.script["stop"])
    assert (scene.row["status"], len(vendor.recorders)) == ("starting", 1)
    assert "refused the credentials" in scene.row["watch_reason"]
    assert store.claims.find("team")
    scene.run()
    assert scene.row["status"] == "failed"
    assert "watch_reason" not in scene.row
    assert vendor.recorders == {}
    assert store.claims.find("team") is None


def test_a_failed_start_that_moves_to_another_host_is_stopped_when_it_is_back(
    scene: Scene, vendor: FakeAgora, store: RecordingStore
) -> None:
    vendor.live_status = 1
    vendor.script["stop"] = [Answer(404, {"code": 404})] * 2
    scene.run(lambda: vendor.names().count("stop") == 2)
    assert scene.looks[-2:] == [97, 197]
    assert scene.row["status"] == "starting"
    assert store.claims.find("team")
    scene.run()
    assert scene.looks[-1] == 297
    assert scene.row["status"] == "failed"
    assert vendor.recorders == {}


def test_whatever_it_has_waited_for_a_start_does_not_fail_unstopped(scene: Scene, vendor: FakeAgora) -> None:
    """Where Agora was silent for half an hour, the wait is as long as that after a stop that found no recorder."""
    vendor.live_status = 1
    scene.run(lambda: len(scene.looks) == 1)
    scene.watch = scene.watch.enter("starting", scene.watch.since).wait(100)
    vendor.script["query"] = [Answer(404, {"code": 404})] * 3
    scene.turn()
    assert vendor.names().count("stop") == 1
    assert vendor.recorders == {}


def test_a_failed_start_may_be_repeated_under_its_key(
    start: Any, store: RecordingStore, agora: AgoraClient, clock: FakeClock, vendor: FakeAgora
) -> None:
    first = start(idempotency_key="k").recording
    scene = Scene(store, agora, clock, Watch.begin(first))
    vendor.live_status = 2
    scene.run()
    vendor.live_status = 5
    again = start(idempotency_key="k")
    assert again.new
    assert again.recording["recording_id"] == first["recording_id"]
    assert again.recording["sid"] != first["sid"]
    assert execution_name(again.recording) != execution_name(first)
    scene.watch = Watch.begin(first)
    assert scene.turn().outcome == "over", "the new try has a watch of its own"


def test_silence_of_agora_proves_no_failed_start(scene: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 2
    scene.run(lambda: len(scene.looks) == 6)
    vendor.script["query"] = [Answer(500, {})] * 10
    scene.run(lambda: not vendor.script["query"])
    row = scene.row
    assert row["status"] == "starting"
    assert "HTTP 500" in row["watch_reason"]
    vendor.live_status = 5
    scene.turn()
    assert scene.row["status"] == "recording"
    assert "watch_reason" not in scene.row


def crashed(start: Any, vendor: FakeAgora, scene_of: Callable[[], Scene]) -> Scene:
    vendor.script["start"] = [Lost(takes_effect=True, error=Crash)]
    with pytest.raises(Crash):
        start()
    return scene_of()


@pytest.fixture
def scene_of(store: RecordingStore, agora: AgoraClient, clock: FakeClock) -> Callable[[], Scene]:
    """The scene of the only row."""

    def scene() -> Scene:
        table: Any = store.table
        (row,) = [item for item in table.scan()["Items"] if item["sk"] == "RECORDING"]
        return Scene(store, agora, clock, Watch.begin(row))

    return scene


def test_an_interrupted_start_fails(
    start: Any, vendor: FakeAgora, scene_of: Callable[[], Scene], clock: FakeClock
) -> None:
    scene = crashed(start, vendor, scene_of)
    scene.run()
    assert 90 <= clock.elapsed < 130
    row = scene.row
    assert row["status"] == "failed"
    assert row["reason"] == "the start was interrupted; files that still arrive will be processed"


def test_the_recorder_of_an_interrupted_start_is_found_by_the_next_start(
    start: Any, vendor: FakeAgora, scene_of: Callable[[], Scene], table: Any
) -> None:
    scene = crashed(start, vendor, scene_of)
    scene.run()
    again = start()
    assert not again.new
    assert again.recording["recording_id"] == scene.watch.recording_id
    assert again.recording["status"] == "starting"
    assert len(vendor.recorders) == 1


def test_a_start_of_unknown_outcome_ends_with_what_is_known(
    start: Any, vendor: FakeAgora, scene_of: Callable[[], Scene]
) -> None:
    vendor.script["start"] = [Lost(takes_effect=False)] * 3
    with pytest.raises(AgoraOutcomeUnknown):
        start()
    scene = scene_of()
    scene.run()
    assert scene.row["status"] == "failed"
    assert "no usable answer to start" in scene.row["reason"]
    assert "the start was interrupted" in scene.row["reason"]


def test_a_recorder_whose_name_was_lost_is_waited_for_as_long_as_it_may_run(
    start: Any, vendor: FakeAgora, scene_of: Callable[[], Scene], clock: FakeClock
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)]
    start(wanted(max_hours=2))
    scene = scene_of()
    scene.run()
    assert 2 * HOUR <= clock.elapsed < 2 * HOUR + 700
    assert scene.row["status"] == "failed"
    assert queries(vendor) == 0


def test_files_of_a_recorder_whose_name_was_lost_become_complete(
    start: Any, vendor: FakeAgora, scene_of: Callable[[], Scene], clock: FakeClock
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)]
    start(wanted(max_hours=2))
    scene = scene_of()
    scene.run(lambda: clock.elapsed > HOUR)
    scene.media_arrives()
    scene.store.update(scene.watch.recording_id, {"sid": "5" * 32})
    scene.run()
    row = scene.row
    assert row["status"] == "done"
    assert row["stopped_at"] < row["complete_at"]


def test_a_start_in_flight_is_waited_for(store: RecordingStore, scene: Scene, vendor: FakeAgora, table: Any) -> None:
    row = scene.row
    store.update(scene.watch.recording_id, {"sid": None, "resource_id": None})
    assert scene.turn().wait_seconds == 5
    store.update(scene.watch.recording_id, {"sid": row["sid"], "resource_id": row["resource_id"]})
    scene.turn()
    assert scene.row["status"] == "recording"
    assert queries(vendor) == 1
