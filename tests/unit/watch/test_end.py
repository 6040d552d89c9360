"""The watch over a recording that is under way: its end is noticed, and when it is complete."""

from dataclasses import replace
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.recordings.end import withdraw_stop
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.keys import media_key, recording_key
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges
from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted
from tests.unit.watch.scene import LATE, Scene, queries

HOUR = 3600
NOT_FOUND = Answer(404, {"code": 404, "reason": "failed to find worker"})


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([Answer(401, {})] * 2, "refused the credentials"),
        ([Lost(takes_effect=False)], "ReadTimeout"),
        ([Answer(400, {"code": 1003, "reason": "x"})], "do not match"),
    ],
)
def test_what_hinders_agora_is_noted_and_waited_out(
    recording: Scene, vendor: FakeAgora, answers: list[Any], reason: str
) -> None:
    vendor.script["query"] = list(answers)
    version = recording.row["version"]
    recording.turn()
    assert reason in recording.row["watch_reason"]
    assert recording.row["status"] == "recording"
    vendor.script["query"] = list(answers)
    recording.turn()
    assert recording.row["version"] == version + 1, "the same fault is written once"
    recording.turn()
    assert "watch_reason" not in recording.row


def test_a_running_recorder_is_asked_every_15_minutes(recording: Scene, vendor: FakeAgora) -> None:
    recording.run(lambda: recording.clock.elapsed > 5 * HOUR)
    assert recording.looks == [7 + 900 * number for number in range(len(recording.looks))]
    assert queries(vendor) == len(recording.looks)
    assert recording.row["status"] == "recording"


@pytest.mark.parametrize(("status", "word"), [(6, "stop requested"), (7, "stopped"), (8, "exited"), (20, "abnormally")])
def test_a_recorder_that_left_is_noticed(
    recording: Scene, vendor: FakeAgora, store: RecordingStore, status: int, word: str
) -> None:
    vendor.live_status = status
    watch = recording.turn()
    row = recording.row
    assert row["status"] == "stopping"
    assert row["stopped_at"] == store.timestamp
    assert row["ended_by"] == "recorder"
    assert row["reason"].startswith("the recorder left by itself (")
    assert word in row["reason"]
    assert store.claims.find("team") is None
    assert (watch.phase, watch.wait_seconds) == ("ended", LATE * 60)


def test_the_end_of_the_recording_ends_the_waits_for_the_ends_of_its_tracks(
    recording: Scene, vendor: FakeAgora
) -> None:
    """A recorder that dies closes no playlist."""
    waits: dict[str, Any] = {"status": "preparing", "uid": "1001", "task_token": "token"}
    tracks = {"waits": waits, "is checked": {**waits, "task_token": None}, "is done": {**waits, "status": "done"}}
    for media_id, attributes in tracks.items():
        recording.media_arrives(media_id)
        key = media_key(recording.watch.recording_id, media_id)
        table: Any = recording.store.table
        row = {**table.get_item(Key=key)["Item"], "recording_id": recording.watch.recording_id, **attributes}
        table.put_item(Item={name: value for name, value in row.items() if value is not None})
    vendor.live_status = 8

    recording.turn()

    assert recording.woken == ["token"]
    noted = {item["media_id"]: "went_on" in item for item in recording.media}
    assert noted == {"waits": True, "is checked": True, "is done": False}


@pytest.mark.parametrize("scaled", [False, True])
def test_a_recorder_that_is_not_found_has_left_after_100_seconds(
    recording: Scene, vendor: FakeAgora, scaled: bool
) -> None:
    vendor.recorders = {}
    recording.turn(scaled=scaled)
    noticed = recording.clock.elapsed
    recording.run(lambda: "stopped_at" in recording.row, scaled=scaled)
    assert scaled or recording.clock.elapsed - noticed == 100
    assert recording.row["status"] == "stopping"


def test_a_recorder_that_moved_to_another_host_goes_on(recording: Scene, vendor: FakeAgora) -> None:
    hidden, vendor.recorders = vendor.recorders, {}
    assert recording.turn().wait_seconds == 100
    vendor.recorders = hidden
    assert recording.turn().wait_seconds == 900
    vendor.recorders = {}
    recording.turn()
    assert "stopped_at" not in recording.row, "the count begins anew"


class TestStopThatFoundNoRecorder:
    """The recorder may be moving to another host, for 30 to 90 s."""

    @pytest.fixture
    def lost(self, recording: Scene, vendor: FakeAgora, clock: FakeClock) -> Scene:
        """A stop 20 s before the next check."""
        vendor.script["stop"] = [NOT_FOUND]
        clock.elapsed += 100
        recording.watch = replace(recording.watch, wait_seconds=20)
        recording_id, deadline = recording.watch.recording_id, clock.deadline()
        row = stop_recording(
            recording_id, store=recording.store, agora=recording.agora, deadline=deadline, watch_stop=unwatched
        )
        assert row["status"] == "stopping"
        return recording

    @pytest.mark.parametrize("scaled", [False, True])
    def test_it_is_repeated_after_100_seconds_if_the_recorder_is_back(
        self, lost: Scene, vendor: FakeAgora, store: RecordingStore, scaled: bool
    ) -> None:
        asked = queries(vendor)
        watch = lost.turn(scaled=scaled)
        assert (watch.phase, watch.wait_seconds) == ("stopping", 100 if scaled else 80)
        assert queries(vendor) == asked, "an answer before that proves nothing"
        assert store.claims.find("team")
        watch = lost.turn(scaled=scaled)
        assert vendor.recorders == {}
        row = lost.row
        assert (row["status"], row["ended_by"]) == ("stopping", "stop")
        assert "stop_requested_at" not in row
        assert store.claims.find("team") is None
        assert (watch.phase, watch.wait_seconds) == ("ended", LATE * 60)

    def test_the_watch_over_the_stop_ends_with_it(
        self, lost: Scene, vendor: FakeAgora, store: RecordingStore, clock: FakeClock
    ) -> None:
        of_recording = lost.watch
        lost.watch = Watch.begin_stop(lost.row)  # type: ignore[arg-type]
        assert lost.turn().outcome == "over"
        assert vendor.recorders == {}
        assert (lost.row["status"], lost.row["ended_by"]) == ("stopping", "stop")
        lost.watch = of_recording
        assert lost.turn().phase == "ended", "the watch over the recording awaits its files"

    def test_the_watch_over_the_stop_asks_again_until_there_is_proof(self, lost: Scene, vendor: FakeAgora) -> None:
        lost.watch = Watch.begin_stop(lost.row)  # type: ignore[arg-type]
        vendor.script["stop"] = [NOT_FOUND]
        watch = lost.turn()
        assert (watch.outcome, watch.wait_seconds) == ("watching", 100)
        assert lost.turn().outcome == "over"
        assert vendor.recorders == {}

    def test_the_watch_over_a_stop_that_is_over_asks_nobody(self, lost: Scene, vendor: FakeAgora) -> None:
        watch = Watch.begin_stop(lost.row)  # type: ignore[arg-type]
        withdraw_stop(watch.recording_id, store=lost.store)
        lost.watch, asked = watch, queries(vendor)
        assert lost.turn().outcome == "over"
        assert queries(vendor) == asked
        assert lost.row["status"] == "recording"

    def test_a_recorder_that_is_still_not_found_has_left(
        self, lost: Scene, vendor: FakeAgora, store: RecordingStore
    ) -> None:
        vendor.recorders = {}
        lost.turn()
        assert "stopped_at" not in lost.row
        lost.turn()
        row = lost.row
        assert (row["status"], row["ended_by"]) == ("stopping", "recorder")
        assert "finds no such recorder" in row["reason"]
        assert store.claims.find("team") is None
        assert vendor.names().count("stop") == 1

    def test_a_second_move_begins_the_100_seconds_again(self, lost: Scene, vendor: FakeAgora) -> None:
        lost.turn()
        vendor.script["stop"] = [NOT_FOUND]
        assert lost.turn().wait_seconds == 100
        assert lost.row["stop_requested_at"] == lost.store.timestamp
        assert "stopped_at" not in lost.row
        lost.turn()
        assert lost.row["ended_by"] == "stop"

    @pytest.mark.parametrize("call", ["query", "stop"])
    def test_silence_of_agora_is_waited_out(
        self, lost: Scene, vendor: FakeAgora, store: RecordingStore, call: str
    ) -> None:
        lost.turn()
        vendor.script[call] = [Answer(401, {})] * 2
        lost.turn()
        assert "refused the credentials" in lost.row["watch_reason"]
        assert store.claims.find("team")
        lost.run(lambda: "stopped_at" in lost.row)
        assert lost.row["ended_by"] == "stop"
        assert "watch_reason" not in lost.row
        assert vendor.recorders == {}

    def test_a_start_meanwhile_keeps_the_recorder(self, lost: Scene, vendor: FakeAgora, start: Any) -> None:
        lost.turn()
        assert not start().new
        assert lost.turn().phase == "recording"
        assert lost.row["status"] == "recording"
        assert len(vendor.recorders) == 1

    def test_agora_that_stays_silent_ends_it_after_max_hours(
        self, lost: Scene, vendor: FakeAgora, store: RecordingStore
    ) -> None:
        vendor.script["query"] = [Answer(401, {})] * 4000
        lost.run(lambda: "stopped_at" in lost.row, turns=2000)
        assert "max_hours have passed" in lost.row["reason"]
        assert store.claims.find("team") is None


def test_the_end_after_the_first_part_leaves_the_status_to_the_media(recording: Scene, vendor: FakeAgora) -> None:
    recording.media_arrives()
    vendor.live_status = 8
    recording.turn()
    row = recording.row
    assert row["status"] == "done"
    assert {"stopped_at", "ended_by"} <= row.keys()


def test_a_part_that_failed_does_not_end_the_watch(recording: Scene, vendor: FakeAgora) -> None:
    recording.media_arrives(status="failed")
    assert recording.turn().outcome == "watching"
    assert queries(vendor) == 2


def test_a_stop_is_settled_without_asking_agora(recording: Scene, vendor: FakeAgora, clock: FakeClock) -> None:
    stop_recording(
        recording.watch.recording_id,
        store=recording.store,
        agora=recording.agora,
        deadline=clock.deadline(),
        watch_stop=unwatched,
    )
    asked = queries(vendor)
    recording.media_arrives()
    recording.run()
    row = recording.row
    assert row["complete_at"] == recording.store.timestamp
    assert row["ended_by"] == "stop"
    assert row["status"] == "done"
    assert queries(vendor) == asked
    assert len(recording.looks) <= 4


@pytest.mark.parametrize("scaled", [False, True])
def test_it_is_complete_when_nothing_more_came_for_a_time(
    recording: Scene, vendor: FakeAgora, clock: FakeClock, scaled: bool
) -> None:
    vendor.live_status = 8
    recording.turn(scaled=scaled)
    clock.elapsed += 50 * 60
    recording.media_arrives()
    arrived = clock.elapsed
    if scaled:
        recording.turn(scaled=True)
        assert "complete_at" not in recording.row, "the file that came begins the wait anew"
    recording.run(scaled=scaled)
    assert recording.row["complete_at"] == recording.store.timestamp
    assert scaled or arrived + LATE * 60 <= clock.elapsed < arrived + LATE * 60 + 2


def test_no_file_of_a_recorder_that_named_some_is_a_failure(recording: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 8
    recording.run()
    row = recording.row
    assert (row["status"], row["reason"]) == (
        "failed",
        f"Agora recorded, but no file came within {LATE} minutes of the end",
    )
    assert "complete_at" in row


def test_no_file_after_a_stop_is_a_failure(scene: Scene, vendor: FakeAgora, clock: FakeClock) -> None:
    stop_recording(
        scene.watch.recording_id, store=scene.store, agora=scene.agora, deadline=clock.deadline(), watch_stop=unwatched
    )
    scene.run()
    assert scene.row["status"] == "failed"
    assert queries(vendor) == 0


def test_no_file_of_a_recorder_that_never_named_one_is_nothing(scene: Scene, vendor: FakeAgora) -> None:
    bare = Answer(200, {"serverResponse": {"status": 4}})
    vendor.script["query"] = [bare, Answer(200, {"serverResponse": {"status": 8}})]
    scene.run()
    row = scene.row
    assert row["status"] == "empty"
    assert row["reason"] == (f"the recorder left by itself (exited), and no file came within {LATE} minutes of the end")
    assert "complete_at" in row


def test_the_first_file_in_the_last_moment_counts(recording: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 8
    recording.turn()

    class Late(RecordingStore):
        def find_with_media(self, recording_id: str) -> Any:
            found = super().find_with_media(recording_id)
            if found and not found[1] and len(recording.looks) == 3:
                recording.media_arrives()
            return found

    recording.store = Late(recording.store.table, recording.store.now)
    assert recording.turn().outcome == "ended"
    recording.run()
    row = recording.row
    assert row["status"] == "done"
    assert "complete_at" in row


def test_what_agora_said_to_be_uploaded_is_still_waited_for(recording: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 8
    recording.turn()
    recording.store.update(recording.watch.recording_id, {"complete_at": recording.store.timestamp})
    recording.run()
    assert recording.row["status"] == "failed"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "failed", "reason": "Agora refused"},
        {"status": "empty"},
    ],
)
def test_what_has_come_to_nothing_is_watched_no_more(scene: Scene, vendor: FakeAgora, change: RecordingChanges) -> None:
    scene.store.update(scene.watch.recording_id, change)
    assert scene.turn().outcome == "over"
    assert queries(vendor) == 0


def test_what_is_complete_or_erased_is_watched_no_more(recording: Scene) -> None:
    recording.media_arrives()
    recording.store.update(recording.watch.recording_id, {"complete_at": "2026"})
    begun = recording.watch
    assert recording.turn().outcome == "over"
    recording.store.table.delete_item(Key=recording_key(begun.recording_id))
    recording.watch = begun
    assert recording.turn().outcome == "over"


@pytest.mark.parametrize("fault", [None, Answer(500, {})])
def test_a_recorder_is_queried_until_its_hours_have_passed(
    start: Any, vendor: FakeAgora, store: RecordingStore, agora: AgoraClient, clock: FakeClock, fault: Answer | None
) -> None:
    scene = Scene(store, agora, clock, Watch.begin(start(wanted(max_hours=3)).recording))
    if fault:
        vendor.script["query"] = [Answer(200, {"serverResponse": {"status": 5}}), *[fault] * 500]
    scene.run(lambda: "stopped_at" in scene.row)
    assert 3 * HOUR + 600 < clock.elapsed < 3 * HOUR + 1900
    assert "max_hours have passed" in scene.row["reason"]


def test_the_state_holds_bookkeeping_only(scene: Scene) -> None:
    state = scene.turn().to_state()
    assert state == {
        "recording_id": scene.watch.recording_id,
        "opened_at": scene.row["created_at"],
        "since": scene.store.timestamp,
        "outcome": "watching",
        "phase": "recording",
        "attempt": 1,
        "wait_seconds": 900,
        "waited_seconds": 900,
        "names_files": True,
        "credential_seconds": 907,
        "looked_at_slices": False,
        "stop_lost": False,
        "stops_only": False,
    }
