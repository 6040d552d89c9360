"""State "Prepare media": when it checks, when it waits, what it makes of a track, and what it says of the rest."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recording_insights.hls.remux.remux import NoAudio
from recording_insights.processing.late_files import AWAIT_SECONDS
from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore
from tests.unit.fakes import FakeClock
from tests.unit.processing.track_scene import BEGAN, FOLDER, KEY, LATE_MINUTES, STEM, R, Scene, playlist, stamp


@pytest.fixture
def scene(store: MediaStore, clock: FakeClock) -> Scene:
    return Scene(store, clock)


def test_a_whole_track_becomes_a_file_that_is_submitted(scene: Scene) -> None:
    names = scene.slices(2)
    scene.folder.put(KEY, playlist(names))

    progress = scene.look()

    assert progress == Progress(R, scene.media.media_id, KEY, "submit")
    assert [content.decode() for content in scene.remux.contents if content] == names
    [(key, content)] = scene.folder.kept.items()
    assert (key, content) == (f"prepared/{R}/uid-1001-{scene.media.media_id}.mp4", b"mp4")
    item = scene.item
    assert item["prepared"] == {"key": key, "etag": "etag-of-the-file", "size": 3}
    assert item["duration_ms"] == 30_000
    assert item["starts_at_ms"] == int(BEGAN.timestamp() * 1000)
    assert (item["status"], item["uid"]) == ("waiting", "1001")
    assert "incomplete" not in item
    assert "reason" not in item


def test_a_recording_whose_row_was_deleted_does_not_end_the_wait(scene: Scene) -> None:
    scene.store.table.delete_item(Key={"pk": R, "sk": "RECORDING"}, ConditionExpression="")
    scene.folder.put(KEY, playlist(scene.slices(1), closed=False))

    assert scene.look().outcome == "awaiting"


def test_what_is_prepared_is_not_prepared_again(scene: Scene) -> None:
    scene.folder.put(KEY, playlist(scene.slices(1)))
    scene.look()
    scene.remux.fails = AssertionError("twice")

    assert scene.look().outcome == "submit"


def test_while_it_is_recorded_its_end_is_awaited_and_a_check_is_one_get(scene: Scene) -> None:
    for count in range(1, 60):
        scene.folder.put(KEY, playlist(scene.slices(count), closed=False))
        assert scene.look().outcome == "awaiting"
        scene.clock.elapsed += AWAIT_SECONDS
    assert scene.folder.lists == 0
    assert scene.folder.gets == 59
    assert scene.item["status"] == "preparing"
    assert scene.item["reason"] == "waiting for files: the track is still being recorded"


def test_a_long_playlist_costs_three_lists_and_one_get_a_check(scene: Scene) -> None:
    names = scene.slices(1440)
    del scene.folder.objects[FOLDER + names[700]]
    scene.folder.put(KEY, playlist(names))

    assert scene.look().outcome == "running"

    assert scene.folder.lists == 3
    assert scene.folder.gets == 2


def test_a_muted_speaker_s_playlist_stands_still_for_hours_and_nothing_is_concluded(scene: Scene) -> None:
    scene.folder.put(KEY, playlist(scene.slices(2), closed=False))
    while scene.clock.elapsed < 5 * 3600:
        assert scene.look().outcome == "awaiting"
        scene.clock.elapsed += AWAIT_SECONDS

    scene.folder.put(KEY, playlist(scene.slices(3)))

    assert scene.look().outcome == "submit"


def test_where_the_end_is_unknown_a_day_of_silence_is_the_end(scene: Scene) -> None:
    scene.folder.put(KEY, playlist(scene.slices(2), closed=False))

    scene.look_until_it_ends(500)

    assert scene.progress.outcome == "submit"
    assert 24 * 3600 <= scene.clock.elapsed < 25 * 3600
    assert scene.item["incomplete"] == "its playlist was never closed"


def test_late_segments_are_waited_for(scene: Scene) -> None:
    names = scene.slices(3, present=False)
    scene.folder.put(FOLDER + names[0])
    scene.folder.put(KEY, playlist(names))

    assert scene.look().outcome == "running"
    assert scene.item["reason"] == f"waiting for files: 2 of 3 segments did not arrive, such as {names[1]}"
    scene.slices(3)

    assert scene.look().outcome == "submit"
    assert "incomplete" not in scene.item


def test_a_segment_that_never_arrives_is_left_out_and_named(scene: Scene) -> None:
    names = scene.slices(3)
    del scene.folder.objects[FOLDER + names[1]]
    scene.folder.put(KEY, playlist(names))

    scene.look_until_it_ends()

    assert scene.progress.outcome == "submit"
    assert 60 * LATE_MINUTES <= scene.clock.elapsed < 60 * (LATE_MINUTES + 6)
    assert scene.item["incomplete"] == f"1 of 3 segments never arrived or cannot be read, such as {names[1]}"
    assert [piece.name for piece in scene.remux.pieces] == names


def test_late_files_have_exactly_the_minutes_that_are_set(scene: Scene) -> None:
    names = scene.slices(2)
    del scene.folder.objects[FOLDER + names[1]]
    scene.folder.put(KEY, playlist(names))

    scene.clock.elapsed = 60 * LATE_MINUTES - 1
    assert scene.look().outcome == "running"
    scene.clock.elapsed = 60 * LATE_MINUTES
    assert scene.look().outcome == "submit"


def test_between_two_checks_no_run_prepares_the_track(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    names = scene.slices(2)
    del scene.folder.objects[FOLDER + names[1]]
    scene.folder.put(KEY, playlist(names))
    listed = scene.folder.list

    def and_announced(prefix: str) -> Any:
        assert scene.store.note_going_on(R, scene.media.media_id), "its file is not prepared"
        return listed(prefix)

    monkeypatch.setattr(scene.folder, "list", and_announced)

    assert scene.look().outcome == "running"

    assert "being_made" not in scene.item
    assert "went_on" in scene.item, "a wait for the end of the track would end at once"
    assert scene.store.recordings.get(R)["media"][scene.media.media_id]["status"] == "preparing"


def test_after_hours_of_recording_late_segments_are_checked_for_soon(scene: Scene) -> None:
    names = scene.slices(3, present=False)
    scene.folder.put(KEY, playlist(names[:1], closed=False))
    scene.look()
    scene.clock.elapsed = 6 * 3600
    scene.end()
    scene.folder.put(KEY, playlist(names))

    progress = scene.look()

    assert (progress.outcome, progress.wait_seconds) == ("running", 5)


def test_the_time_for_late_files_begins_anew_with_each_that_comes(scene: Scene) -> None:
    names = scene.slices(3, present=False)
    scene.folder.put(KEY, playlist(names))
    for name in names[:2]:
        for _ in range(15):
            assert scene.look().outcome == "running"
            scene.clock.elapsed += scene.progress.wait_seconds
        scene.folder.put(FOLDER + name)
    came = scene.clock.elapsed

    scene.look_until_it_ends()

    assert 60 * LATE_MINUTES <= scene.clock.elapsed - came < 60 * (LATE_MINUTES + 6)


def test_the_waits_count_where_they_run_faster_than_the_clock(scene: Scene) -> None:
    names = scene.slices(2)
    del scene.folder.objects[FOLDER + names[1]]
    scene.folder.put(KEY, playlist(names))
    asked = 0
    while scene.look().outcome == "running":
        asked += scene.progress.wait_seconds

    assert 60 * LATE_MINUTES <= asked < 60 * (LATE_MINUTES + 6)


def test_after_the_recording_s_end_an_open_playlist_is_waited_for_and_then_taken_as_it_is(scene: Scene) -> None:
    scene.folder.put(KEY, playlist(scene.slices(2), closed=False))
    scene.end()

    scene.look_until_it_ends()

    assert 60 * LATE_MINUTES <= scene.clock.elapsed < 60 * (LATE_MINUTES + 6)
    assert scene.item["incomplete"] == "its playlist was never closed"
    assert len(scene.remux.pieces) == 2


def test_a_recording_that_agora_declares_complete_ends_the_wait(scene: Scene) -> None:
    names = scene.slices(2)
    del scene.folder.objects[FOLDER + names[1]]
    scene.folder.put(KEY, playlist(names))
    scene.end(complete_at=scene.clock.now().isoformat())

    assert scene.look().outcome == "submit"
    assert names[1] in scene.item["incomplete"]


def test_of_a_playlist_s_copies_the_best_is_taken(scene: Scene) -> None:
    names = scene.slices(3)
    scene.folder.put(KEY, playlist(names[:1], closed=False))
    scene.folder.put(f"{FOLDER}{STEM}_1741737847_0.m3u8", playlist(names[:2], closed=False))
    scene.folder.put(f"{FOLDER}{STEM}_1741737847_1.m3u8", playlist(names))
    scene.end()

    assert scene.look().outcome == "submit"
    assert [piece.name for piece in scene.remux.pieces] == names


def test_a_recorder_that_took_over_goes_on_with_the_track(scene: Scene) -> None:
    first = scene.slices(2)
    scene.folder.put(KEY, playlist(first, closed=False))
    later = f"bak0_{STEM}_{stamp(BEGAN + timedelta(seconds=60))}.ts"
    scene.folder.put(FOLDER + later)
    scene.folder.put(f"{FOLDER}bak0_{STEM}.m3u8", playlist([later]))
    scene.folder.put(f"{FOLDER}bak0_{STEM.replace('1001', '1002')}.m3u8", playlist(["another's.ts"]))
    scene.clock.elapsed += 200  # the first one's playlist stands still

    assert scene.look().outcome == "submit"
    assert [piece.name for piece in scene.remux.pieces] == [*first, later]
    assert scene.remux.pieces[-1].at_ms == 60_000
    assert "incomplete" not in scene.item


def test_the_first_recorder_s_key_may_never_have_come(scene: Scene) -> None:
    [name] = scene.slices(1)
    scene.folder.put(f"{FOLDER}{STEM}_1741737847_0.m3u8", playlist([name]))

    assert scene.look().outcome == "submit"


def test_a_playlist_that_names_no_segment_is_an_empty_track(scene: Scene) -> None:
    scene.folder.put(KEY, playlist([]))

    progress = scene.look()

    assert progress.outcome == "empty"
    assert (scene.item["status"], scene.item["empty"]) == ("done", True)
    recording = scene.store.recordings.get(R)
    assert recording["status"] == "empty"
    assert "its playlist names no segment" in recording["reason"]


def test_what_is_no_playlist_fails_when_no_better_copy_came(scene: Scene) -> None:
    scene.folder.put(KEY, "<html>")
    scene.look_until_it_ends()
    assert scene.progress.outcome == "failed"
    assert "none of its playlists can be read" in scene.progress.reason
    assert scene.clock.elapsed >= 60 * LATE_MINUTES


def test_a_track_without_sound_fails_with_the_reason(scene: Scene) -> None:
    scene.folder.put(KEY, playlist(scene.slices(1)))
    scene.remux.fails = NoAudio("none of 1 slices holds sound")

    progress = scene.look()

    assert progress.outcome == "failed"
    assert progress.reason == "the track holds no sound: none of 1 slices holds sound"


def test_a_playlist_that_claims_a_week_is_refused(scene: Scene) -> None:
    lines = [line for number in range(9) for line in ("#EXTINF:80000", f"{number}.ts")]
    scene.folder.put(KEY, "\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"]))
    scene.end(complete_at=scene.clock.now().isoformat())

    progress = scene.look()

    assert progress.outcome == "failed"
    assert progress.reason == "its playlists claim 200 hours; the limit is 72"


def test_a_finished_track_is_left_alone(scene: Scene) -> None:
    scene.store.finish(R, scene.media.media_id, "failed", reason="aborted")
    assert scene.look() == replace(scene.progress, outcome="failed", reason="aborted")
    assert scene.folder.gets == 0
