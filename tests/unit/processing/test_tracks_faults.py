"""Tracks among faults: hostile names, and files that come and go when they should not."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest

from recording_insights.aws.recordings_bucket import LARGEST_BYTES, S3TrackFolder, StoredFile
from recording_insights.hls.playlist import Playlist, parse_playlist
from recording_insights.media import track
from recording_insights.media.track import Track
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.store.media import MediaStore
from tests.unit.executions import name_of
from tests.unit.fake_table import LARGEST_ITEM_BYTES, FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.processing.track_scene import BEGAN, FOLDER, KEY, SID, STEM, FakeFolder, R, Scene, playlist, stamp

LOOKS_IN_AN_HOUR = 300
"""A check every 5 s for 500 s, and from there on after another hundredth of the time since the first check."""


@pytest.fixture
def scene(store: MediaStore, clock: FakeClock) -> Scene:
    return Scene(store, clock)


class TestNames:
    @pytest.mark.parametrize("folder", ["", "calls/", FOLDER])
    def test_files_of_other_folders_are_none_of_the_track_s(self, clock: FakeClock, folder: str) -> None:
        bucket = FakeFolder(clock)
        names = [f"{STEM}_{stamp(BEGAN)}.ts", f"bak0_{STEM}_{stamp(BEGAN)}.ts"]
        bucket.put(f"{folder}{STEM}.m3u8", playlist(names))
        for other in (f"bak/{names[0]}", f"backup/old/{names[1]}", f"bakery/{STEM}_1_2.m3u8", f"{STEM}/{names[0]}"):
            bucket.put(folder + other, "another's")

        track = Track.read(f"{folder}{STEM}.m3u8", bucket)

        assert track.segment_keys == {}
        assert track.absent == names

    @pytest.mark.parametrize(
        "written",
        [
            "../elsewhere/{}",
            "..%2Felsewhere%2F{}",
            "https://other-bucket.s3.amazonaws.com/elsewhere/{}?X-Amz-Signature=5ec0de",
            "file:///etc/{}",
        ],
    )
    def test_a_playlist_leads_nowhere_else(self, scene: Scene, written: str) -> None:
        [name] = scene.slices(1)
        for foreign in (f"elsewhere/{name}", f"recordings/elsewhere/{name}"):
            scene.folder.put(foreign, "another's")
        scene.folder.put(KEY, playlist([written.format(name)]))
        scene.end(complete_at=scene.clock.now().isoformat())

        scene.look()

        assert b"another's" not in scene.remux.contents
        assert "5ec0de" not in str(scene.store.table.scan())

    @pytest.mark.parametrize("channel", ["my room", "日本語 – Ünïcode 🎙", "a&b=c%41"])
    def test_a_playlist_may_write_names_as_a_link_does(self, clock: FakeClock, channel: str) -> None:
        stem = STEM.replace("team", channel)
        bucket = FakeFolder(clock)
        names = [f"{stem}_{stamp(BEGAN + timedelta(seconds=15 * n))}.ts" for n in range(2)]
        for name in names:
            bucket.put(name, name)
        bucket.put(f"{stem}.m3u8", playlist([names[0], quote(names[1])]))

        track = Track.read(f"{stem}.m3u8", bucket)

        assert track.absent == []
        assert [track.key_of(name) for name in track.named] == names

    @pytest.mark.parametrize(
        ("folder", "channel", "sid", "uid"),
        [
            ("", "a-b", SID, "0"),
            ("a/", "a-b", SID, "0"),
            ("", "my room", SID, "0"),
            ("", "", SID, "0"),
            ("", "--uid-s-5--uid-e-audio", SID, "0"),
            ("", "日本語", SID, "0"),
            ("", "a-b", "x", "0"),
            ("", "a-b", "0" * 40, "0"),
            ("", "a-b", "AGORA1", "007"),
            ("", "a-b", SID, "4294967295"),
            ("a/", "", "x", "9" * 800),
        ],
    )
    def test_whose_track_it_is(self, clock: FakeClock, folder: str, channel: str, sid: str, uid: str) -> None:
        media = MediaObject(
            "recordings-bucket", f"{folder}{sid}_{channel}__uid_s_{uid}__uid_e_audio.m3u8", "", 9, BEGAN
        )
        assert (media.is_track, media.uid, media.agora_sid, media.part) == (True, uid, sid, None)
        assert re.fullmatch(r"[0-9A-Za-z-]{1,80}", name_of(media, media.own_recording_id))
        assert re.fullmatch(r"[0-9a-f]{32}", media.own_recording_id)
        bucket = FakeFolder(clock)
        bucket.put(media.key.replace(".m3u8", "_1.ts"))
        bucket.put(media.key, playlist([media.key.replace(".m3u8", "_1.ts")]))
        bucket.put(media.key.replace(f"_s_{uid}_", f"_s_{uid}0_"), playlist([]))
        track = Track.read(media.key, bucket)
        assert (len(track.recorders), track.closed, track.absent) == (1, True, [])

    @pytest.mark.parametrize("medium", ["video", "av"])
    def test_other_playlists_of_a_uid_are_no_tracks(self, medium: str) -> None:
        media = MediaObject("recordings-bucket", KEY.replace("audio", medium), "", 9, BEGAN)
        assert not media.is_track
        assert "not a media file" in str(why_ignored(media))

    @pytest.mark.parametrize(
        "name", [f"{SID}_team_{'9' * 60}.mp4", f"bak{'9' * 60}_{SID}_team_0.mp4", f"{SID}_team_٣.mp4"]
    )
    def test_numbers_that_no_recorder_reaches_are_no_numbers(self, store: MediaStore, name: str) -> None:
        media = MediaObject("recordings-bucket", name, "etag", 9, BEGAN)
        store.admit(media.own_recording_id, media, providers=["marsview"], duration_ms=None)
        assert "part" not in store.get(media.own_recording_id, media.media_id)

    def test_names_without_end_do_not_grow_the_row(self, scene: Scene) -> None:
        scene.folder.put(KEY, playlist([*scene.slices(1), "x" * LARGEST_ITEM_BYTES + ".ts"]))
        assert scene.look().outcome == "running"
        assert len(scene.item["reason"]) < 500
        scene.look_until_it_ends()
        assert scene.progress.outcome == "submit"
        assert len(scene.item["incomplete"]) < 500

    @pytest.mark.parametrize("letter", ["x", "語"])
    def test_the_prepared_file_s_key_is_one_that_s3_takes(
        self, store: MediaStore, clock: FakeClock, letter: str
    ) -> None:
        scene = scene_of(f"{STEM.replace('team', letter * (940 // len(letter.encode())))}.m3u8", store, clock)
        assert scene.look().outcome == "submit"
        [key] = scene.folder.kept
        assert len(key.encode()) <= 1024
        assert key.startswith(f"prepared/{R}/")

    def test_tracks_of_one_name_in_two_folders_are_two_files(self, store: MediaStore, clock: FakeClock) -> None:
        kept = [
            key
            for folder in ("recordings/", "a copy/")
            for scene in [scene_of(f"{folder}{STEM}.m3u8", store, clock)]
            if scene.look().outcome == "submit"
            for key in scene.folder.kept
        ]
        assert len(set(kept)) == 2


def scene_of(key: str, store: MediaStore, clock: FakeClock) -> Scene:
    """A whole track under another key."""
    scene = Scene(store, clock)
    scene.media = replace(scene.media, key=key)
    store.admit(R, scene.media, providers=["marsview"], duration_ms=None)
    scene.progress = replace(scene.progress, media_id=scene.media.media_id, key=key)
    name = f"{key.removesuffix('.m3u8')}_{stamp(BEGAN)}.ts"
    scene.folder.put(name)
    scene.folder.put(key, playlist([name]))
    return scene


class TestFilesThatComeAndGo:
    def test_a_segment_that_vanishes_between_the_list_and_its_reading_is_named(self, scene: Scene) -> None:
        names = scene.slices(3)
        scene.folder.put(KEY, playlist(names))
        listed = scene.folder.list

        def and_gone(prefix: str) -> Sequence[StoredFile]:
            found = listed(prefix)
            scene.folder.objects.pop(FOLDER + names[1], None)
            return found

        scene.folder.list = and_gone  # type: ignore[method-assign]

        assert scene.look().outcome == "submit"
        assert scene.item["incomplete"] == f"1 of 3 segments never arrived or cannot be read, such as {names[1]}"

    def test_segments_that_no_playlist_names_are_not_nothing(self, scene: Scene) -> None:
        scene.slices(4)
        scene.folder.put(KEY, playlist([]))

        scene.look_until_it_ends()

        assert scene.progress.outcome == "failed"
        assert "segments that no playlist names: 4, such as " in scene.progress.reason
        assert scene.clock.elapsed >= 3600, "a better copy of the playlist may come"

    def test_segments_that_an_open_playlist_does_not_name_are_named(self, scene: Scene) -> None:
        names = scene.slices(4)
        scene.folder.put(KEY, playlist(names[:3], closed=False))
        scene.end()

        scene.look_until_it_ends()

        assert scene.progress.outcome == "submit"
        assert f"segments left out because no playlist names them: 1, such as {names[3]}" in scene.item["incomplete"]

    def test_what_arrives_after_agora_declared_the_recording_complete_is_waited_for(self, scene: Scene) -> None:
        """Whoever sent it: a notification of the recorder that was replaced, or the watch, which sees no slices."""
        scene.folder.put(KEY, playlist(scene.slices(2), closed=False))
        scene.end(complete_at=scene.clock.now().isoformat())
        scene.clock.elapsed += 15
        scene.folder.put(KEY, playlist(scene.slices(3), closed=False))

        assert scene.look().outcome == "running"
        scene.folder.put(KEY, playlist(scene.slices(4)))
        assert scene.look().outcome == "submit"
        assert len(scene.remux.pieces) == 4

    def test_a_check_compares_each_name_a_fixed_number_of_times(
        self, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counts = [comparisons_of_a_check(names, clock, monkeypatch) for names in (1_000, 2_000)]

        assert counts[0] > 1_000
        assert counts[1] < 2.1 * counts[0]


class Name(str):
    """A segment's name or key. Counts how often any of them is hashed or compared."""

    uses = 0

    def __eq__(self, other: object) -> bool:
        Name.uses += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        Name.uses += 1
        return str.__hash__(self)


def comparisons_of_a_check(names: int, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> int:
    """Check a track of which every second segment is absent and one is in no playlist."""
    table: Any = FakeTable()
    scene = Scene(MediaStore(table, clock.now, clock.sleep), clock)
    written = scene.slices(names, present=False)
    for name in written[::2]:
        scene.folder.put(Name(FOLDER + name))
    scene.folder.put(KEY, playlist(written[1:]))

    def counted(content: bytes) -> Playlist:
        parsed = parse_playlist(content)
        return replace(parsed, segments=[replace(segment, name=Name(segment.name)) for segment in parsed.segments])

    with monkeypatch.context() as patch:
        patch.setattr(track, "parse_playlist", counted)
        Name.uses = 0
        assert scene.look().outcome == "running"
        assert f"{names // 2} of {names - 1} segments did not arrive" in scene.item["reason"]
        scene.folder.put(KEY, playlist(written[1:], closed=False))
        scene.end(complete_at=scene.clock.now().isoformat())
        assert scene.look().outcome == "submit"
        assert f"because no playlist names them: 1, such as {written[0]}" in scene.item["incomplete"]
        return Name.uses


class TestHistory:
    """However a track comes, the checks become rarer, so that those of days fit into one execution's history."""

    def test_a_recorder_that_took_over_goes_on_for_an_hour(self, scene: Scene) -> None:
        scene.folder.put(KEY, playlist(scene.slices(2), closed=False))
        names: list[str] = []

        def writes() -> None:
            begins = BEGAN + timedelta(seconds=60 + 15 * len(names))
            names.append(f"bak0_{STEM}_{stamp(begins)}.ts")
            scene.folder.put(FOLDER + names[-1])
            scene.folder.put(f"{FOLDER}bak0_{STEM}.m3u8", playlist(names, closed=len(names) == 120))

        assert looks_while(scene, writes, every=30, times=120) <= LOOKS_IN_AN_HOUR
        assert len(scene.remux.pieces) == 2 + len(names)

    def test_slices_come_late_for_an_hour(self, scene: Scene) -> None:
        names = scene.slices(120, present=False)
        scene.folder.put(KEY, playlist(names))
        scene.end()
        rest = iter(names)

        def writes() -> None:
            scene.folder.put(FOLDER + next(rest))

        assert looks_while(scene, writes, every=30, times=120) <= LOOKS_IN_AN_HOUR
        assert "incomplete" not in scene.item


def looks_while(scene: Scene, writes: Callable[[], None], *, every: float, times: int) -> int:
    """The number of looks at a track of which something is written so often, until it is prepared."""
    written, looks = 0, 0
    while scene.progress.outcome != "submit":
        while written < times and written * every <= scene.clock.elapsed:
            writes()
            written += 1
        scene.look()
        looks += 1
        scene.clock.elapsed += scene.progress.wait_seconds
    assert written == times
    return looks


class TestLargeObjects:
    @pytest.mark.parametrize(("size", "content"), [(9, b"ts"), (LARGEST_BYTES, b"ts"), (LARGEST_BYTES + 1, b"")])
    def test_what_is_too_large_to_be_of_a_track_is_not_loaded(
        self, clock: FakeClock, size: int, content: bytes
    ) -> None:
        class S3:
            def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
                body = BytesIO(b"ts")
                return {"Body": body, "ContentLength": size, "LastModified": clock.now()}

            class exceptions:
                NoSuchKey = KeyError

        fake: Any = S3()
        assert S3TrackFolder(fake, "recordings-bucket").read("a.ts") == (content, clock.now())
