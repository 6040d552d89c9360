"""Individual mode with video: everybody's camera has a playlist and slices of its own."""

import itertools
import re
from pathlib import Path
from typing import Any

import av
import pytest

from tests.sandbox.agora.individual import (
    FAST,
    IndividualTask,
    SeenSlice,
    named_in,
    playlists_of,
    seen_of,
    slices_of,
    started,
    still_at,
)
from tests.sandbox.conftest import AgoraCustomer, StandIns, until

BOTH: dict[str, Any] = {"streamTypes": 2}
PICTURE = 0.21
"""A little longer than a picture is seen: video is cut between pictures."""


def watch(task: IndividualTask, **lists: Any) -> None:
    reply = task.ask("POST", "update", streamSubscribe={"videoUidList": lists})
    assert reply.status_code == 200, reply.json


def spans(slices: list[SeenSlice]) -> list[tuple[float, float]]:
    """What they cover, slices that follow each other as one."""
    pieces: list[tuple[float, float]] = []
    for part in slices:
        starts = pieces.pop()[0] if pieces and part.starts - pieces[-1][1] < 0.01 else part.starts
        pieces.append((starts, part.ends))
    return pieces


def test_every_camera_is_recorded_in_its_own_colour_and_time(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=FAST)
    task = started(agora, **BOTH)
    stand_ins.finish()
    stem = f"recordings/0123abcd/{task.sid}_room_1__uid_s_{{}}__uid_e_{{}}.m3u8"
    playlists = dict(playlists_of(stand_ins.bucket))
    assert set(playlists) == {stem.format(*each) for each in itertools.product((1001, 1002), ("audio", "video"))}
    for uid in ("1001", "1002"):
        slices = seen_of(stand_ins.bucket, uid)
        assert [part.starts for part in slices] == [0, 15, 30, 45]
        assert [part.seconds for part in slices] == pytest.approx([15, 15, 15, 7.4], abs=PICTURE)
        for part in slices:
            assert part.clock == pytest.approx(part.starts, abs=0.002)
            for index, picture in enumerate(part.pictures):
                assert picture.size == (192, 108)
                assert picture.like(slices[0].pictures[0])
                assert picture.second == pytest.approx(part.starts + index / 5, abs=0.5)
        playlist = playlists[stem.format(uid, "video")]
        assert named_in(playlist) == [part.name.rpartition("/")[2] for part in slices]
        assert "TRACK_TYPE=VIDEO,TIME=1800000000000" in playlist
        assert playlist.endswith("#EXT-X-ENDLIST\n")
    hers, his = (seen_of(stand_ins.bucket, uid)[0].pictures[0] for uid in ("1001", "1002"))
    assert not hers.like(his)


def test_beside_video_the_sound_is_what_it_is_alone(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 20})
    started(agora)
    stand_ins.finish()
    alone = [(part.name.partition("_room_1")[2], part.pcm) for part in slices_of(stand_ins.bucket, "1002")]
    stand_ins.bucket.objects.clear()
    started(agora, **BOTH)
    stand_ins.finish()
    assert [(part.name.partition("_room_1")[2], part.pcm) for part in slices_of(stand_ins.bucket, "1002")] == alone


def test_the_low_stream_has_half_the_size(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 10})
    started(agora, **BOTH, videoStreamType=1)
    stand_ins.finish()
    [slice_] = seen_of(stand_ins.bucket, "1001")
    assert {picture.size for picture in slice_.pictures} == {(96, 54)}
    assert slice_.pictures[-1].second == pytest.approx(9.8, abs=1)


@pytest.mark.parametrize(
    ("recording", "heard", "seen"),
    [
        ({}, {"1001", "1002"}, {"1001", "1002"}),
        ({"streamTypes": 0}, {"1001", "1002"}, set()),
        ({"streamTypes": 1}, set(), {"1001", "1002"}),
        ({"subscribeAudioUids": ["1001"]}, {"1001"}, set()),
        ({"subscribeVideoUids": ["1002"]}, set(), {"1002"}),
        ({"subscribeAudioUids": ["1001"], "subscribeVideoUids": ["#allstream#"]}, {"1001"}, {"1001", "1002"}),
        ({"subscribeAudioUids": ["1001"], "unsubscribeVideoUids": ["1001"]}, {"1001"}, {"1002"}),
        ({"unsubscribeVideoUids": ["1001"]}, {"1001", "1002"}, {"1002"}),
        ({"unsubscribeVideoUids": ["#allstream#"]}, {"1001", "1002"}, set()),
    ],
)
def test_what_is_recorded_of_whom(
    agora: AgoraCustomer, stand_ins: StandIns, recording: dict[str, Any], heard: set[str], seen: set[str]
) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 8})
    started(agora, **{**BOTH, **recording})
    stand_ins.finish()
    uids = ("1001", "1002")
    assert {uid for uid in uids if slices_of(stand_ins.bucket, uid)} == heard
    assert {uid for uid in uids if seen_of(stand_ins.bucket, uid)} == seen


def test_without_streamtypes_both_are_recorded(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 8})
    recording = {"subscribeUidGroup": 0}
    files = {"avFileType": ["hls"]}
    assert agora.start(agora.acquire(), "individual", recording=recording, recordingFileConfig=files).status_code == 200
    stand_ins.finish()
    assert seen_of(stand_ins.bucket, "1001")
    assert slices_of(stand_ins.bucket, "1001")


def test_query_stop_and_notifications_list_each_playlist(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    url = "https://api.example/webhooks/agora"
    stand_ins.dials(agora={**still_at(12), "notifications_url": url})
    task = started(agora, **BOTH).joined()
    until(lambda: len(task.query().json["serverResponse"]["fileList"]) == 4)
    listed = task.query().json["serverResponse"]["fileList"]
    assert [(file["uid"], file["trackType"]) for file in listed] == [
        ("1001", "audio"),
        ("1001", "video"),
        ("1002", "audio"),
        ("1002", "video"),
    ]
    assert all(file["fileName"].endswith(f"_uid_e_{file['trackType']}.m3u8") for file in listed)
    assert {file["mixedAllUser"] for file in listed} == {False}
    assert task.stop().json["serverResponse"]["fileList"] == listed
    stand_ins.finish()
    stand_ins.finish()
    [uploaded] = [sent.json["payload"]["details"] for sent in stand_ins.sent if sent.json["eventType"] == 31]
    assert uploaded["fileList"] == listed


def test_a_camera_that_is_off_leaves_a_hole(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    off = {"uid": "1001", "from_seconds": 3, "to_seconds": 6.0}
    stand_ins.dials(agora={**FAST, "recording_seconds": 12, "cameras_off": [off]})
    started(agora, **BOTH)
    stand_ins.finish()
    slices = seen_of(stand_ins.bucket, "1001")
    assert spans(slices) == [pytest.approx(span, abs=PICTURE) for span in [(0, 3), (6, 12)]]
    assert slices[1].pictures[0].second == pytest.approx(6, abs=0.5)
    assert [part.clock for part in slices] == pytest.approx([part.starts for part in slices], abs=0.002)
    assert spans(seen_of(stand_ins.bucket, "1002")) == [pytest.approx((0, 12), abs=PICTURE)]
    assert [part.seconds for part in slices_of(stand_ins.bucket, "1001")] == [pytest.approx(12, abs=0.1)]


def test_an_update_changes_who_is_seen_and_nobodys_sound(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**still_at(5), "recording_seconds": 12})
    task = started(agora, **BOTH, subscribeAudioUids=["#allstream#"], subscribeVideoUids=["1001"]).joined()
    watch(task, subscribeVideoUids=["1002"])
    stand_ins.finish()
    assert spans(seen_of(stand_ins.bucket, "1001")) == [pytest.approx((0, 5), abs=PICTURE)]
    assert spans(seen_of(stand_ins.bucket, "1002")) == [pytest.approx((5, 12), abs=PICTURE)]
    for part in seen_of(stand_ins.bucket, "1002"):
        assert part.clock == pytest.approx(part.starts, abs=0.002)
        assert part.pictures[0].second == pytest.approx(part.starts, abs=0.5)
    for uid in ("1001", "1002"):
        assert sum(part.seconds for part in slices_of(stand_ins.bucket, uid)) == pytest.approx(12, abs=0.1)


def test_an_update_adds_video_that_the_start_left_out(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**still_at(3), "recording_seconds": 10})
    task = started(agora, **BOTH, subscribeAudioUids=["#allstream#"]).joined()
    watch(task, unsubscribeVideoUids=["1002"])
    stand_ins.finish()
    assert spans(seen_of(stand_ins.bucket, "1001")) == [pytest.approx((3, 10), abs=PICTURE)]
    assert seen_of(stand_ins.bucket, "1002") == []


def test_a_recorder_that_takes_over_sees_what_comes_later(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    gap = {"fail_over_at_seconds": 20.0, "fail_over_gap_seconds": 10.0}
    stand_ins.dials(agora={**FAST, "slice_seconds": 6.0, **gap})
    started(agora, **BOTH)
    stand_ins.finish()
    before, after = seen_of(stand_ins.bucket, "1002"), seen_of(stand_ins.bucket, "1002", "bak0_")
    assert spans(before) == [(0, 18)]
    assert after[0].starts == pytest.approx(30, abs=PICTURE)
    assert after[0].pictures[0].second == pytest.approx(after[0].starts, abs=0.5)
    assert after[0].pictures[0].like(before[0].pictures[0])


def test_standard_has_a_playlist_over_both_besides(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 20})
    task = started(agora, **BOTH, streamMode="standard", unsubscribeVideoUids=["1002"])
    stand_ins.finish()
    name = f"{task.sid}_room_1__uid_s_{{}}__uid_e_{{}}.m3u8"
    playlists = dict(playlists_of(stand_ins.bucket))
    assert len(playlists) == 5
    hers = playlists[f"recordings/0123abcd/{name.format(1001, 'av')}"].splitlines()
    assert (hers[0], hers[-1]) == ("#EXTM3U", name.format(1001, "video"))
    assert re.fullmatch(r'#EXT-X-STREAM-INF:BANDWIDTH=[1-9]\d+,AUDIO="audio"', hers[-2])
    assert hers[-3].startswith('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",')
    assert hers[-3].endswith(f'URI="{name.format(1001, "audio")}"')
    his = playlists[f"recordings/0123abcd/{name.format(1002, 'av')}"].splitlines()
    assert his[-1] == name.format(1002, "audio")
    assert "#EXT-X-MEDIA" not in "".join(his)


def test_players_find_sound_and_picture_in_a_merged_playlist(
    agora: AgoraCustomer, stand_ins: StandIns, tmp_path: Path
) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 20})
    started(agora, **BOTH, streamMode="standard", privateParams='{"correctEXTINF":true}')
    stand_ins.finish()
    for key, content in stand_ins.bucket.objects.items():
        (tmp_path / key.rpartition("/")[2]).write_bytes(content)
    [merged] = tmp_path.glob("*__uid_s_1001__uid_e_av.m3u8")
    with av.open(str(merged), format="hls") as played:
        pictures = sum(1 for _ in played.decode(video=0))
    with av.open(str(merged), format="hls") as played:
        seconds = sum(frame.samples / frame.sample_rate for frame in played.decode(audio=0))
    assert pictures == 100
    assert seconds == pytest.approx(20, abs=0.1)


def test_standard_lists_the_merged_playlists_too(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(5))
    task = started(agora, **BOTH, streamMode="standard").joined()
    files = task.stop().json["serverResponse"]["fileList"]
    assert [(file["uid"], file["trackType"]) for file in files[4:]] == [
        ("1001", "audio_and_video"),
        ("1002", "audio_and_video"),
    ]
    assert all(file["fileName"] in stand_ins.bucket.objects for file in files)
    assert files[4]["fileName"].endswith("__uid_s_1001__uid_e_av.m3u8")


def test_where_nobody_is_watched_nothing_is_recorded(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(5))
    reply = started(agora, streamTypes=1, subscribeVideoUids=["9"]).joined().stop()
    assert (reply.status_code, reply.json["code"]) == (206, 435)
