"""Before the watch says what became of a recording, it has the slices of its recorders looked at."""

from collections.abc import Sequence
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.media.test_intake import wav
from tests.unit.processing.track_scene import playlist
from tests.unit.recordings.wanted import wanted
from tests.unit.watch.scene import LATE, Scene


def slices_come(scene: Scene, count: int = 4) -> None:
    """What the recorder had uploaded when it died."""
    row = scene.row
    stem = f"{row['sid']}_{row['channel']}"
    names = [f"{stem}_202611211200{15 * n:02}000.ts" for n in range(count)]
    for name in names:
        scene.folder.put(row["prefix"] + name)
    scene.folder.put(f"{row['prefix']}{stem}.m3u8", playlist(names, closed=False))


def test_a_recording_of_slices_alone_is_no_failure_and_never_was_one(recording: Scene, vendor: FakeAgora) -> None:
    slices_come(recording)
    vendor.live_status = 8
    seen = []
    for _ in range(5):
        if recording.watch.outcome != "over":
            recording.turn()
        seen.append(recording.row["status"])

    row = recording.row
    assert recording.watch.outcome == "over"
    assert set(seen) == {"stopping", "processing"}
    assert len(recording.executions) == 1
    assert row["complete_at"] == recording.store.timestamp, "it was waited for files once, and not once more"


def test_slices_are_looked_at_once_nothing_more_comes(recording: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 8
    recording.turn()
    recording.media_arrives()
    recording.run()

    assert recording.folder.lists == 1
    assert "complete_at" in recording.row
    assert not recording.executions


def test_when_agora_says_that_all_is_uploaded_slices_are_looked_at_at_once(recording: Scene) -> None:
    recording.media_arrives()
    slices_come(recording)
    recording.store.update(recording.watch.recording_id, {"complete_at": recording.store.timestamp})

    assert recording.turn().outcome == "over"

    assert len(recording.executions) == 1


def test_a_file_that_comes_after_the_look_has_them_looked_at_again(recording: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 8
    recording.turn()
    look = recording.folder.list

    def and_a_file_comes(prefix: str) -> Sequence[StoredFile]:
        listed = look(prefix)
        recording.media_arrives()
        return listed

    recording.folder.list = and_a_file_comes  # type: ignore[method-assign]
    assert recording.turn().outcome == "ended"
    recording.folder.list = look  # type: ignore[method-assign]
    slices_come(recording)
    recording.run()

    assert recording.folder.lists == 2
    assert len(recording.executions) == 1
    assert recording.clock.elapsed >= 2 * LATE * 60


def test_what_hinders_the_look_is_waited_out_and_nothing_is_concluded(recording: Scene, vendor: FakeAgora) -> None:
    vendor.live_status = 8
    recording.turn()
    look, faults = recording.recover, [RuntimeError("S3 is away")] * 2

    def hindered() -> Watch:
        if faults:
            raise faults.pop()
        return look()

    recording.recover = hindered  # type: ignore[method-assign]
    slices_come(recording)
    for _ in range(2):
        before = recording.watch
        with pytest.raises(RuntimeError):
            recording.turn()
        # As the Catch has it: what was put in, with a wait.
        recording.watch = Watch.from_state({**recording.watch.to_state(), "wait_seconds": 120})
        assert (recording.watch.outcome, before.looked_at_slices) == ("ended", False)
        assert recording.row["status"] == "stopping"
    recording.run()

    assert len(recording.executions) == 1


def test_without_any_slices_it_is_the_failure_that_it_was(recording: Scene) -> None:
    stop_recording(
        recording.watch.recording_id,
        store=recording.store,
        agora=recording.agora,
        deadline=recording.clock.deadline(),
        watch_stop=unwatched,
    )
    recording.run()

    assert recording.row["status"] == "failed"
    assert recording.row["reason"] == f"Agora recorded, but no file came within {LATE} minutes of the end"
    assert recording.folder.lists == 1


def file_lies_there(scene: Scene, name: str, content: bytes | str = b"ts") -> None:
    row = scene.row
    scene.folder.put(f"{row['prefix']}{row['sid']}_{name}", content)


def test_a_file_whose_event_never_came_is_admitted_and_no_failure_is_declared(
    recording: Scene, vendor: FakeAgora
) -> None:
    slices_come(recording, 1)
    file_lies_there(recording, f"{recording.row['channel']}_0.mp4", wav())
    vendor.live_status = 8
    recording.run()

    assert [item["key"] for item in recording.media] == [f"{recording.row['prefix']}{recording.row['sid']}_team_0.mp4"]
    assert recording.row["status"] == "processing"
    assert "complete_at" in recording.row
    assert len(recording.executions) == 1


def test_so_is_a_track_of_mode_individual(
    start: Any, store: RecordingStore, agora: AgoraClient, clock: FakeClock, vendor: FakeAgora
) -> None:
    scene = Scene(store, agora, clock, Watch.begin(start(wanted(mode="individual")).recording))
    vendor.live_status = 5
    scene.run(lambda: "sid" in scene.row and scene.watch.phase == "recording")
    stem = f"{scene.row['channel']}__uid_s_1001__uid_e_audio"
    segment = f"{scene.row['sid']}_{stem}_20261121120000000.ts"
    scene.folder.put(scene.row["prefix"] + segment)
    file_lies_there(scene, f"{stem}.m3u8", playlist([segment], closed=True))
    vendor.live_status = 8
    scene.run()

    assert [item["uid"] for item in scene.media] == ["1001"]
    assert scene.row["status"] == "processing"


def test_what_has_a_row_is_left_alone(recording: Scene, vendor: FakeAgora) -> None:
    file_lies_there(recording, f"{recording.row['channel']}_0.mp4", wav())
    vendor.live_status = 8
    recording.run()
    [before] = recording.media

    recording.recover()

    assert recording.media == [before]
    assert len(recording.executions) == 1


def test_a_file_that_is_no_media_is_no_reason_to_say_that_a_file_came(recording: Scene, vendor: FakeAgora) -> None:
    file_lies_there(recording, f"{recording.row['channel']}_0.mp4", b"<html>")
    vendor.live_status = 8
    recording.run()

    assert recording.row["status"] in ("failed", "empty")


class TestWithoutAnyFile:
    def test_the_folder_of_mode_individual_is_looked_at_too(
        self, start: Any, store: RecordingStore, agora: AgoraClient, clock: FakeClock, vendor: FakeAgora
    ) -> None:
        scene = Scene(store, agora, clock, Watch.begin(start(wanted(mode="individual")).recording))
        vendor.live_status = 8
        scene.run()
        assert scene.row["status"] in ("failed", "empty")
        assert scene.folder.lists == 1

    def test_where_nothing_was_recorded(self, scene: Scene, vendor: FakeAgora) -> None:
        vendor.live_status = 2
        scene.run()
        assert scene.row["status"] == "failed"
        assert scene.folder.lists == 0
