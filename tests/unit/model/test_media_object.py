import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from recording_insights.model.execution_name import execution_name
from recording_insights.model.media_object import MediaObject, why_ignored
from tests.unit.conftest import MakeMedia
from tests.unit.executions import name_before, name_of

SID = "b1946ac92492d2347c6235b4d2611184"
RECORDING = "5eb63bbbe01eeed093cb22bb8f5acdc3"
NO_MEDIA = "not a media file (.mp4, .m4a, .mp3, .wav, .webm, .ogg, .opus, .flac, .aac, .aiff, .mov, .mkv)"
EXACT_KEYS = (
    "two words and  more.mp4",
    "a+b.mp4",
    "100%41.mp4",
    "%25%2B.mp4",
    "besprechung/日本語 – Ünïcode 🎙.mp4",
    "deep/" + "x" * 991 + ".mp4",
    "quotes \"'`$(id) & <tag>.mp4",
    "line\nbreak\t.mp4",
)


@pytest.mark.parametrize("key", EXACT_KEYS)
def test_a_key_is_taken_exactly_as_the_event_has_it(captured_event: Callable[[str], Any], key: str) -> None:
    event = captured_event("object_created")
    event["detail"]["object"]["key"] = key

    media = MediaObject.from_event(event)

    assert media.key == key
    assert why_ignored(media) is None


def test_everything_of_the_event_is_read(captured_event: Callable[[str], Any]) -> None:
    media = MediaObject.from_event(captured_event("object_created_multipart"))

    assert media.bucket == "recordings-bucket"
    assert media.etag == "3858f62230ac3c915f300c664312c63f-128"
    assert media.size == 1 << 30
    assert media.created_at.isoformat() == "2026-03-12T00:04:07+00:00"
    assert media.agora_sid == SID
    assert media.folder_ids == [RECORDING]


@pytest.mark.parametrize(
    ("key", "size", "reason"),
    [
        ("a/slice.ts", 9, NO_MEDIA),
        ("a/list.m3u8", 9, NO_MEDIA),
        ("a/shot.jpg", 9, NO_MEDIA),
        ("no suffix", 9, NO_MEDIA),
        ("mp4", 9, NO_MEDIA),
        ("notes.mp4.txt", 9, NO_MEDIA),
        ("empty.mp4", 0, "the object has zero bytes"),
        ("folder/", 0, "a key that ends in / is a folder marker"),
        ("folder.mp4/", 9, "a key that ends in / is a folder marker"),
        (
            f"prepared/{RECORDING}/a.mp4",
            9,
            "the object was prepared from another media object, which is processed already",
        ),
    ],
)
def test_what_is_no_media_is_ignored_with_the_reason(make_media: MakeMedia, key: str, size: int, reason: str) -> None:
    assert why_ignored(make_media(key, size=size)) == reason


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("a.mp4", "mp4"),
        ("A.M4A", "m4a"),
        ("a.b.Mp3", "mp3"),
        ("x/y.z/a.wav", "wav"),
        ("folder/.mp4", "mp4"),
        (".wav", "wav"),
    ],
)
def test_the_suffix_is_the_format_whatever_its_case(make_media: MakeMedia, key: str, form: str) -> None:
    assert why_ignored(make_media(key)) is None
    assert make_media(key).format == form


class TestIds:
    def test_the_same_object_has_the_same_ids_however_it_was_announced(self, captured_event: Any) -> None:
        event, again = captured_event("object_created"), captured_event("object_created")
        again.update(id="another", time="2026-03-12T09:00:00Z")
        again["detail"]["object"].update(sequencer="00FF", etag='"b57f9512698f4b09e608f4f2a65852e5"')
        again["detail"]["reason"] = "CopyObject"

        first, second = MediaObject.from_event(event), MediaObject.from_event(again)

        assert first.media_id == second.media_id
        assert first.own_recording_id == second.own_recording_id
        assert name_of(first, "r") == name_of(second, "r")

    def test_ids_do_not_change_between_releases(self, make_media: MakeMedia) -> None:
        assert make_media("talk.mp4").media_id == "ca603eb20b04ae283ee9"
        assert make_media("talk.mp4").own_recording_id == "f49ca61e3efc31fc7c3fd2f6a1df00b4"

    @pytest.mark.parametrize("key", ["talk.mp4", f"{SID}_team_0.mp4"])
    def test_other_bytes_are_another_media_object_of_the_same_recording(self, make_media: MakeMedia, key: str) -> None:
        first, second = make_media(key, etag="one"), make_media(key, etag="two")

        assert first.media_id != second.media_id
        assert first.own_recording_id == second.own_recording_id

    def test_keys_that_differ_only_in_case_or_encoding_are_different(self, make_media: MakeMedia) -> None:
        keys = ("a b.mp4", "a+b.mp4", "a%20b.mp4", "A b.mp4", "a b.MP4", "a  b.mp4")

        assert len({make_media(key).media_id for key in keys}) == len(keys)
        assert len({make_media(key).own_recording_id for key in keys}) == len(keys)

    def test_the_parts_of_an_id_cannot_be_shifted(self, make_media: MakeMedia) -> None:
        assert make_media("a", etag="bc").media_id != make_media("ab", etag="c").media_id


class TestAgoraNames:
    @pytest.mark.parametrize(
        "key",
        [
            f"{SID}_team_0.mp4",
            f"recordings/{SID}_team_0.mp4",
            f"a/b c/{SID}_team_0.mp4",
            f"{SID}_team_17.mp4",
            f"bak0_{SID}_team_0.mp4",
            f"bak12_{SID}_team_1.mp4",
            f"{SID}_weekly-sync--4--_0.mp4",
            f"{SID}_with space_0.mp4",
            f"{SID}__0.mp4",
            f"{SID}_team_and_others_0.mp4",
            f"{SID}_team_20260312000407123_1.mp4",
        ],
    )
    def test_the_sid_is_read_from_agoras_name(self, make_media: MakeMedia, key: str) -> None:
        media = make_media(key)

        assert media.agora_sid == SID
        assert media.own_recording_id == "4f66448e912f59fcaa6dd15cbd237e95"
        assert SID in media.earlier_recording_ids

    @pytest.mark.parametrize(
        "key",
        [
            "talk.mp4",
            f"{SID[:-1]}_team_0.mp4",
            f"{SID}0_team_0.mp4",
            f"{SID.upper()}_team_0.mp4",
            f"{SID}_team.mp4",
            f"{SID}_team_0.mp3",
            f"{SID}_team_0/other.mp4",
            f"copy of {SID}_team_0.mp4",
        ],
    )
    def test_other_names_have_none(self, make_media: MakeMedia, key: str) -> None:
        media = make_media(key)

        assert media.agora_sid is None
        assert re.fullmatch(r"[0-9a-f]{32}", media.own_recording_id)
        assert SID not in (media.own_recording_id, *media.earlier_recording_ids)


@pytest.mark.parametrize(
    ("key", "folders"),
    [
        (f"recordings/{RECORDING}/{SID}_team_0.mp4", [RECORDING]),
        (f"{RECORDING}/a.mp4", [RECORDING]),
        (f"{SID}/{RECORDING}/{SID}/a.mp4", [SID, RECORDING]),
        (f"recordings/{RECORDING}/deeper/a.mp4", [RECORDING]),
        (f"recordings/{RECORDING}//", [RECORDING]),
        (f"recordings/{RECORDING}x/a.mp4", []),
        (f"x{RECORDING}/a.mp4", []),
        (f"recordings/{RECORDING}\n/a.mp4", []),
        (RECORDING, []),
        ("talk.mp4", []),
    ],
)
def test_every_folder_that_may_be_named_after_a_recording(make_media: MakeMedia, key: str, folders: list[str]) -> None:
    assert make_media(key).folder_ids == folders


class TestExecutionNames:
    @pytest.mark.parametrize("key", [*EXACT_KEYS, f"bak0_{SID}_team_0.mp4", f"{SID}_{'c' * 64}_0.mp4", ".mp4", "🎙.mp4"])
    def test_step_functions_takes_every_name(self, make_media: MakeMedia, key: str) -> None:
        media = make_media(key)

        name = name_of(media, RECORDING)

        assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)
        assert name.endswith(f"-{media.media_id}-0")

    def test_they_begin_with_the_recording_id_and_show_the_part(self, make_media: MakeMedia) -> None:
        media = make_media(f"recordings/{RECORDING}/{SID}_team_3.mp4")

        assert name_of(media, RECORDING) == f"{RECORDING}-3-{media.media_id}-0"
        assert name_before(media, RECORDING) == f"{SID}-3-{media.media_id}"

    def test_earlier_versions_began_them_with_32_characters_of_the_sid(self, make_media: MakeMedia) -> None:
        media = make_media(f"{'0' * 40}_team__uid_s_7__uid_e_audio.m3u8")

        assert name_of(media, RECORDING) == f"{RECORDING}-uid-7-{media.media_id}-0"
        assert name_before(media, RECORDING) == f"{'0' * 32}-uid-7-{media.media_id}"

    def test_other_keys_show_the_recording_and_the_file(self, make_media: MakeMedia) -> None:
        media = make_media("2026/Weekly sync (12 March) with everybody.mp4")

        assert name_of(media, RECORDING) == f"{RECORDING}-Weekly-sync-12-March-wit-{media.media_id}-0"
        assert name_before(media, RECORDING) == f"{RECORDING}-Weekly-sync-12-March-wit-{media.media_id}"

    def test_they_show_the_try_and_which_execution_of_it_they_are(self, make_media: MakeMedia) -> None:
        row: Any = {**make_media("talk.mp4").attributes, "recording_id": RECORDING, "try_number": 12, "executions": 100}

        assert execution_name(row) == f"{RECORDING}-talk-{row['media_id']}-12-100"


@pytest.mark.parametrize(
    ("key", "part"),
    [
        (f"recordings/{'a' * 32}/{'b' * 32}_team_0.mp4", 0),
        (f"{'b' * 32}_weekly-sync_12.mp4", 12),
        (f"bak0_{'b' * 32}_team_0.mp4", 100_000),
        (f"bak1_{'b' * 32}_team_3.mp4", 200_003),
        ("by hand.mp4", None),
        (f"{'b' * 32}_team_x.mp4", None),
    ],
)
def test_the_place_among_the_parts_follows_from_agoras_name(make_media: MakeMedia, key: str, part: int | None) -> None:
    assert make_media(key).part == part


STEM = f"{SID}_team__uid_s_1001__uid_e_audio"


class TestTracks:
    @pytest.mark.parametrize(
        "name",
        [
            f"{STEM}.m3u8",
            f"bak0_{STEM}.m3u8",
            f"{STEM}_1741737847_3.m3u8",
            f"bak12_{STEM}_1741737847_0.m3u8",
        ],
    )
    def test_every_playlist_of_a_uid_stands_for_its_track(self, captured_event: Any, name: str) -> None:
        event = captured_event("object_created")
        event["detail"]["object"].update(key=f"recordings/{RECORDING}/{name}", etag="whatever is in it now")

        media = MediaObject.from_event(event)

        assert media.key == f"recordings/{RECORDING}/{STEM}.m3u8"
        assert (media.playlist, media.etag, media.sequencer) == (f"recordings/{RECORDING}/{name}", "", "")
        assert media.media_id == "a4d6cb30bb91bbcf327c"
        assert (media.is_track, media.uid, media.agora_sid, media.part) == (True, "1001", SID, None)
        assert media.folder_ids == [RECORDING]
        assert name_before(media, RECORDING) == f"{SID}-uid-1001-{media.media_id}"
        assert why_ignored(media) is None

    @pytest.mark.parametrize(
        "name",
        [
            f"{SID}_team.m3u8",
            f"{STEM.replace('audio', 'video')}.m3u8",
            f"{STEM.replace('audio', 'av')}.m3u8",
            "x__uid_e_audio.m3u8",
        ],
    )
    def test_other_playlists_are_ignored_with_the_reason(self, make_media: MakeMedia, name: str) -> None:
        media = make_media(name)

        assert not media.is_track
        assert why_ignored(media) == NO_MEDIA

    @pytest.mark.parametrize(
        "ending",
        [
            *("__uid_s_1__uid_e_audio_20260312000407123", "__uid_s_1__uid_e_video_1773273847123"),
            *("__uid_s_1__uid_e_av_0", "__uid_s_1__uid_e_audio", "_20260312000407123", "_1773273847123"),
        ],
    )
    @pytest.mark.parametrize("recorder", ["", "bak0_"])
    def test_a_segment_is_never_media_whatever_its_suffix(
        self, make_media: MakeMedia, ending: str, recorder: str
    ) -> None:
        for suffix in ("ts", "webm", "WebM", "mp4", "m4a", "wav", "ogg", "m3u"):
            media = make_media(f"calls/{recorder}{SID}_room_one{ending}.{suffix}")

            assert "a segment of Agora's" in str(why_ignored(media)), suffix

    @pytest.mark.parametrize(
        "key",
        [
            *("talk_20260312000407123.mp4", "1773273847123.wav", f"{SID}_match_1773273847123_0.mp4"),
            *(f"{SID}_team_177327384712.mp4", f"{SID}_team__uid_s_1__uid_e_0.mp4"),
        ],
    )
    def test_a_stamp_alone_makes_no_segment(self, make_media: MakeMedia, key: str) -> None:
        assert why_ignored(make_media(key)) is None

    def test_a_sid_of_another_form_makes_a_recording_id_all_the_same(self, make_media: MakeMedia) -> None:
        one, other = (make_media(f"a/{s}_team__uid_s_7__uid_e_audio.m3u8") for s in ("Sid1", "Sid2"))
        second_uid = make_media("a/Sid1_team__uid_s_8__uid_e_audio.m3u8")

        assert one.is_track
        assert re.fullmatch(r"[0-9a-f]{32}", one.own_recording_id)
        assert one.own_recording_id == second_uid.own_recording_id != other.own_recording_id

    def test_what_continues_a_track_is_told_apart_from_it(self, make_media: MakeMedia) -> None:
        track = make_media(f"{STEM}.m3u8", etag="")
        then = track.next_continuation(30_000)
        at_last = then.next_continuation(90_000)

        assert [each.continuation for each in (track, then, at_last)] == [0, 1, 2]
        assert track.continues is None
        assert then.continues == at_last.continues == track.media_id
        assert len({each.media_id for each in (track, then, at_last)}) == 3
        assert then.media_id == replace(then, continues_at_ms=0, size=1).media_id, "whatever the event says beside"
        for each in (then, at_last):
            assert name_of(each, SID) == f"{SID}-uid-1001-{each.media_id}-0"


def test_what_is_recovered_keeps_its_part_and_its_begin(make_media: MakeMedia) -> None:
    media = replace(make_media(f"bak0_{SID}_team.m3u8"), recovers=3, continues_at_ms=90_000)

    row = media.attributes

    assert (row["part"], row["recovered"], row["continues_at_ms"]) == (100_003, True, 90_000)
    assert not {"uid", "continues", "continuation"} & row.keys()
    assert name_before(media, RECORDING) == f"{SID}-part-100003-{media.media_id}"
