"""What no MP4 holds of a recording that is over is recovered from its recorders' slices."""

from contextlib import suppress
from typing import Any

import pytest

from tests.unit.crashing_table import Crash, crashes_at_every_write
from tests.unit.fakes import FakeClock
from tests.unit.processing.track_scene import BEGAN, FOLDER, SID, FakeRemux, R, playlist, stamp
from tests.unit.watch.recovery_scene import BEGAN_MS, BUCKET, STEM, Recovery, unix_ms


@pytest.fixture
def recovery(table: Any, clock: FakeClock) -> Recovery:
    return Recovery(table, clock)


class TestNothingIsMissing:
    def test_of_a_recorder_whose_mp4s_hold_all_of_its_slices(self, recovery: Recovery) -> None:
        recovery.slices(8)
        recovery.mp4(0, 60)
        recovery.mp4(1, 59.5)

        assert recovery.recover().looked_at_slices

        assert not recovery.recovered
        assert not recovery.executions
        assert (recovery.folder.lists, recovery.folder.gets) == (1, 1)
        assert recovery.recording["status"] == "done"

    def test_in_an_empty_folder(self, recovery: Recovery) -> None:
        assert recovery.recover().outcome == "ended"

        assert (recovery.folder.lists, recovery.folder.gets) == (1, 0)
        assert not recovery.executions

    @pytest.mark.parametrize("seconds", [100.0, 119.0, 135.0])
    def test_where_slices_and_mp4_end_at_other_moments(self, recovery: Recovery, seconds: float) -> None:
        recovery.slices(8)
        recovery.mp4(0, seconds)

        recovery.recover()

        assert not recovery.executions

    def test_where_they_differ_by_less_than_a_hundredth(self, recovery: Recovery) -> None:
        recovery.slices(480)
        recovery.mp4(0, 7140)

        recovery.recover()

        assert not recovery.executions, "two hours and a minute less"

    def test_while_a_page_was_on_hold(self, recovery: Recovery) -> None:
        recovery.slices(8, pause=600, written=unix_ms)
        recovery.mp4(0, 120)

        recovery.recover()

        assert not recovery.executions

    def test_where_mp4s_are_counted_from_another_number(self, recovery: Recovery) -> None:
        recovery.slices(8)
        recovery.mp4(1, 60)
        recovery.mp4(2, 60)

        recovery.recover()

        assert not recovery.executions

    def test_of_a_playlist_without_slices(self, recovery: Recovery) -> None:
        recovery.slices(0)

        recovery.recover()

        assert not recovery.executions

    def test_of_a_recording_that_was_begun_again_or_erased(self, recovery: Recovery) -> None:
        recovery.slices(8)
        recovery.watch = type(recovery.watch)(R, "2026-03-11", "2026-03-11")

        assert recovery.recover().outcome == "over"

        assert (recovery.folder.lists, recovery.executions) == (0, {})


class TestLeftAlone:
    def test_is_a_recorder_with_an_mp4_of_unknown_length(self, recovery: Recovery) -> None:
        recovery.slices(8)
        recovery.mp4(0, None)

        recovery.recover()

        assert not recovery.executions

    def test_is_one_whose_mp4_is_there_and_has_no_row_yet(self, recovery: Recovery) -> None:
        recovery.slices(8)
        recovery.folder.put(f"{FOLDER}{STEM}_0.mp4")

        recovery.recover()

        assert not recovery.executions

    def test_are_tracks_and_files_of_another_recorder_s_sid(self, recovery: Recovery) -> None:
        recovery.slices(8, stem=f"{SID}_team__uid_s_1001__uid_e_audio")
        recovery.slices(8, stem=f"{'0' * 32}_all hands")

        recovery.recover()

        assert not recovery.recovered, "a mix has no tracks, and the other files are of another recording"
        assert not recovery.executions


@pytest.mark.parametrize("written", [stamp, unix_ms], ids=["mix", "web"])
@pytest.mark.parametrize("sid", [SID, None])
def test_a_recording_without_any_mp4_is_one_media_object(recovery: Recovery, written: Any, sid: str | None) -> None:
    names = recovery.slices(4, written=written)
    if sid is None:
        recovery.store.update(R, {"sid": None})

    recovery.recover()

    [row] = recovery.recovered
    key = f"{FOLDER}{STEM}.m3u8"
    [(name, state)] = recovery.executions.items()
    assert name == f"{R}-part-0-{row['media_id']}-0"
    assert state == {"recording_id": R, "media_id": row["media_id"], "key": key, "outcome": "prepare"}
    told = ("bucket", "key", "part", "offset_ms", "status", "provider", "recovered")
    assert [row[name] for name in told] == [BUCKET, key, 0, 0, "waiting", "marsview", True]
    assert not {"uid", "duration_ms", "continues_at_ms", "continues"} & row.keys()
    assert recovery.recording["status"] == "processing"

    remux = FakeRemux()
    assert recovery.prepare(remux).outcome == "submit"
    assert [piece.name for piece in remux.pieces] == names
    [row] = recovery.recovered
    assert row["prepared"]["key"] == f"prepared/{R}/part-0-{row['media_id']}.mp4"
    assert row["incomplete"] == "its playlist was never closed"


def test_what_a_recorder_had_of_the_part_it_died_in_continues_the_one_before(recovery: Recovery) -> None:
    names = recovery.slices(8)
    recovery.mp4(0, 50)

    recovery.recover()

    [row] = recovery.recovered
    assert (row["part"], row["offset_ms"], row["continues_at_ms"]) == (1, 50_000, BEGAN_MS + 50_000)
    remux = FakeRemux()
    recovery.prepare(remux)
    assert [(piece.name, piece.at_ms, piece.trim) for piece in remux.pieces][:2] == [
        (names[3], -5_000, True),
        (names[4], 10_000, False),
    ]
    assert len(remux.pieces) == 5


def test_each_recorder_is_recovered_by_itself_at_its_own_time(recovery: Recovery) -> None:
    recovery.slices(4)
    recovery.slices(8, recorder=1, at=70)
    recovery.mp4(0, 60, recorder=1)
    recovery.slices(2, recorder=2, at=200)

    recovery.recover()

    assert [(row["key"], row["part"], row["offset_ms"]) for row in recovery.recovered] == [
        (f"{FOLDER}{STEM}.m3u8", 0, 0),
        (f"{FOLDER}bak0_{STEM}.m3u8", 100_001, 130_000),
        (f"{FOLDER}bak1_{STEM}.m3u8", 200_000, 200_000),
    ]
    assert len(recovery.executions) == 3
    assert all(len(name) <= 80 for name in recovery.executions)
    assert (recovery.folder.lists, recovery.folder.gets) == (1, 3)


def test_of_a_recorder_that_came_after_one_without_slices_nobody_knows_when(recovery: Recovery) -> None:
    recovery.slices(4, recorder=1, at=70)

    recovery.recover()

    assert ["offset_ms" in row for row in recovery.recovered] == [False]


def test_a_hole_between_mp4s_is_recovered_with_what_follows_it(recovery: Recovery) -> None:
    recovery.slices(12)
    recovery.mp4(0, 60)
    recovery.mp4(2, 60)

    recovery.recover()

    [row] = recovery.recovered
    assert (row["part"], row["continues_at_ms"]) == (1, BEGAN_MS + 60_000)


def test_a_playlist_that_was_uploaded_anew_counts(recovery: Recovery) -> None:
    names = recovery.slices(8)
    recovery.folder.objects.pop(f"{FOLDER}{STEM}.m3u8")
    recovery.folder.put(f"{FOLDER}{STEM}_1773273720_0.m3u8", playlist(names[:4]))
    recovery.folder.put(f"{FOLDER}{STEM}_1773273720_1.m3u8", playlist(names))
    recovery.mp4(0, 60)

    recovery.recover()

    remux = FakeRemux()
    recovery.prepare(remux)
    assert [piece.name for piece in remux.pieces] == names[4:]


def test_an_mp4_with_the_name_of_a_segment_hinders_nothing(recovery: Recovery) -> None:
    recovery.slices(4)
    recovery.folder.put(f"{FOLDER}{STEM}_{unix_ms(BEGAN)}.mp4")

    recovery.recover()

    assert len(recovery.recovered) == 1


@pytest.mark.parametrize("channel", ["room_one", "ride_17822", "room_1741737847_3"])
def test_the_channel_in_the_row_tells_its_playlist_from_a_copy(recovery: Recovery, channel: str) -> None:
    recovery.channel(channel)
    stem = f"{SID}_{channel}"
    recovery.slices(1, recorder=1, at=300, stem=stem)
    names = recovery.slices(8, stem=stem)
    recovery.folder.put(f"{FOLDER}{stem}_1755000000_0.m3u8", playlist(names[:4]))
    recovery.mp4(0, 60, stem=stem)
    recovery.mp4(0, 15, stem=stem, recorder=1)

    recovery.recover()

    [row] = recovery.recovered
    assert (row["key"], row["part"]) == (f"{FOLDER}{stem}.m3u8", 1)
    assert row["continues_at_ms"] == BEGAN_MS + 60_000
    remux = FakeRemux()
    recovery.prepare(remux)
    assert [piece.name for piece in remux.pieces] == names[4:]


def test_slices_without_a_playlist_are_a_failure_that_says_so(recovery: Recovery) -> None:
    recovery.slices(4)
    recovery.folder.objects.pop(f"{FOLDER}{STEM}.m3u8")

    recovery.recover()

    progress = recovery.prepare(FakeRemux())
    assert (progress.outcome, progress.reason[:40]) == ("failed", "none of its playlists can be read: the f")
    assert recovery.recording["status"] == "failed"


def test_a_recording_that_was_a_failure_or_empty_follows_from_what_was_recovered(recovery: Recovery) -> None:
    recovery.store.update(R, {"status": "failed", "reason": "Agora recorded, but no file came"})
    recovery.slices(4)

    recovery.recover()

    assert recovery.recording["status"] == "processing"
    assert "reason" not in recovery.recording


class TestRepeated:
    def test_it_is_one_row_and_one_execution(self, recovery: Recovery) -> None:
        recovery.slices(8)
        for _ in range(3):
            recovery.recover()

        assert (len(recovery.recovered), len(recovery.executions)) == (1, 1)

    def test_after_it_was_processed_nothing_begins(self, recovery: Recovery) -> None:
        recovery.slices(8)
        recovery.recover()
        recovery.media_store.finish(R, recovery.recovered[0]["media_id"], "done")

        recovery.recover()

        assert recovery.starts == 1
        assert recovery.recording["status"] == "done"

    @pytest.mark.parametrize("late", [False, True], ids=["nothing comes", "an MP4 comes meanwhile"])
    def test_after_a_crash_at_any_write(self, late: bool) -> None:
        for table in crashes_at_every_write(at_least=6):
            recovery = Recovery(table, FakeClock())
            recovery.slices(8)
            recovery.slices(4, recorder=1, at=130)
            table.arm()
            with suppress(Crash):
                recovery.recover()
            began = len(recovery.recovered)
            comes = late and table.crashed
            if comes:
                recovery.mp4(0, 60)

            recovery.recover()

            rows = recovery.recovered
            assert {state["media_id"] for state in recovery.executions.values()} == {row["media_id"] for row in rows}
            assert len(rows) == len(recovery.executions) == 2, table
            assert rows[0]["part"] == (1 if comes and not began else 0), table
            assert recovery.recording["status"] == "processing", table
