"""Individual mode: a playlist and slices of its own for everybody in the channel, with their own voice in them."""

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4, duration_of
from sandbox.stand_ins.agora.voices import Voices
from tests.sandbox.agora.individual import (
    FAST,
    MAN,
    WOMAN,
    individual_parts,
    named_in,
    playlists_of,
    slices_of,
    started,
    still_at,
)
from tests.sandbox.conftest import AgoraCustomer, StandIns, until

# What the voices of the sample say first, in seconds: hers until 7.0, his until 16.6, with pauses of 0.7 s.
HER_TURN, HIS_TURN = (1.2, 6.6), (7.5, 16.2)


def test_everybody_has_a_playlist_with_slices_of_their_own_voice(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=FAST)
    task = started(agora)
    stand_ins.finish()
    name = f"recordings/0123abcd/{task.sid}_room_1__uid_s_{{}}__uid_e_audio"
    assert {key for key, _ in playlists_of(stand_ins.bucket)} == {f"{name.format(u)}.m3u8" for u in (1001, 1002)}
    for uid, (lowest, highest) in (("1001", WOMAN), ("1002", MAN)):
        slices = slices_of(stand_ins.bucket, uid)
        assert len(slices) == 4
        assert {part.rate for part in slices} == {48_000}
        assert sum(part.seconds for part in slices) == pytest.approx(duration_of(SAMPLE), abs=0.1)
        pitches = [part.pitch for part in slices]
        assert all(pitch and lowest < pitch < highest for pitch in pitches), pitches
    her, his = slices_of(stand_ins.bucket, "1001")[0], slices_of(stand_ins.bucket, "1002")[0]
    assert her.loudness(*HER_TURN) > 0.1 > 0.01 > his.loudness(*HER_TURN)
    assert his.loudness(7.5, 14.9) > 0.1 > 0.01 > her.loudness(7.5, 14.9)


def test_slices_follow_each_other_without_a_gap(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "slice_seconds": 4, "recording_seconds": 18})
    started(agora, streamMode="original")
    stand_ins.finish()
    slices = slices_of(stand_ins.bucket, "1002")
    assert [round(part.starts) for part in slices] == [0, 4, 8, 12, 16]
    assert {part.rate for part in slices} == {16_000}
    for part, after in itertools.pairwise(slices):
        assert after.starts == pytest.approx(part.starts + part.seconds, abs=0.002)
        assert after.clock == pytest.approx(after.starts, abs=0.002)


def test_the_playlist_is_uploaded_after_every_slice_and_closed_at_the_end(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 31, "uids": ["7"]})
    started(agora, privateParams='{"correctEXTINF":true}')
    stand_ins.finish()
    assert [len(named_in(playlist)) for playlist in stand_ins.bucket.playlists] == [1, 2, 3, 3]
    assert ["#EXT-X-ENDLIST" in playlist for playlist in stand_ins.bucket.playlists] == [False, False, False, True]
    slices = slices_of(stand_ins.bucket, "7")
    assert named_in(stand_ins.bucket.playlists[-1]) == [part.name.rpartition("/")[2] for part in slices]
    lengths = [line[8:-1] for line in stand_ins.bucket.playlists[-1].splitlines() if line.startswith("#EXTINF:")]
    assert [float(length) for length in lengths] == pytest.approx([part.seconds for part in slices], abs=0.001)


def test_a_muted_uid_is_silent_in_a_transcoded_track(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    mute = {"uid": "1001", "from_seconds": 2.0, "to_seconds": 5}
    stand_ins.dials(agora={**FAST, "recording_seconds": 15, "mutes": [mute]})
    started(agora)
    stand_ins.finish()
    [slice_] = slices_of(stand_ins.bucket, "1001")
    assert slice_.seconds == pytest.approx(15, abs=0.05)
    assert slice_.loudness(2.1, 4.9) < 0.01
    assert slice_.loudness(1.2, 1.9) > 0.1
    assert slice_.loudness(5.2, 6.6) > 0.1


def test_a_mute_ends_the_segment_and_leaves_a_gap_in_an_original_track(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    mutes = [
        {"uid": "1001", "from_seconds": 20.0, "to_seconds": 30.0},
        {"uid": "1001", "from_seconds": 3, "to_seconds": 5},
    ]
    stand_ins.dials(agora={**FAST, "recording_seconds": 40, "mutes": mutes})
    started(agora, streamMode="original")
    stand_ins.finish()
    slices = slices_of(stand_ins.bucket, "1001")
    spans = [(part.starts, part.starts + part.seconds) for part in slices]
    assert spans == [pytest.approx(span, abs=0.07) for span in [(0, 3), (5, 20), (30, 40)]]
    assert [part.clock for part in slices] == pytest.approx([part.starts for part in slices], abs=0.002)
    assert slices[1].loudness(5.2, 6.6) > 0.1
    others = slices_of(stand_ins.bucket, "1002")
    assert sum(part.seconds for part in others) == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize(
    ("subscribed", "recorded"),
    [
        ({"subscribeAudioUids": ["1002", "1003"]}, {"1002"}),
        ({"subscribeAudioUids": ["#allstream#"]}, {"1001", "1002"}),
        ({"unsubscribeAudioUids": ["1002"]}, {"1001"}),
    ],
)
def test_only_who_is_subscribed_to_is_recorded(
    agora: AgoraCustomer, stand_ins: StandIns, subscribed: dict[str, Any], recorded: set[str]
) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 15})
    started(agora, **subscribed)
    stand_ins.finish()
    assert {uid for uid in ("1001", "1002", "1003") if slices_of(stand_ins.bucket, uid)} == recorded
    for uid, voice in (("1001", WOMAN), ("1002", MAN)):
        for part in slices_of(stand_ins.bucket, uid):
            assert voice[0] < (part.pitch or 0) < voice[1]


def test_of_one_voice_the_first_speaks_all(agora: AgoraCustomer, stand_ins: StandIns, tmp_path: Path) -> None:
    alone = tmp_path / "alone.mp4"
    beginning_mp4(SAMPLE, 6.9, alone)
    stand_ins.dials(agora={**FAST, "media_path": str(alone), "uids": ["5", "6"]})
    started(agora)
    stand_ins.finish()
    [speaks], [listens] = slices_of(stand_ins.bucket, "5"), slices_of(stand_ins.bucket, "6")
    assert WOMAN[0] < (speaks.pitch or 0) < WOMAN[1]
    assert listens.loudness(0, 7) < 0.01


def test_one_alone_speaks_with_all_voices(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 15, "uids": ["5"]})
    started(agora)
    stand_ins.finish()
    [slice_] = slices_of(stand_ins.bucket, "5")
    assert slice_.loudness(*HER_TURN) > 0.1
    assert slice_.loudness(7.5, 14.9) > 0.1


def test_a_start_is_answered_before_the_voices_are_separated(
    agora: AgoraCustomer, stand_ins: StandIns, voices: Voices, monkeypatch: pytest.MonkeyPatch
) -> None:
    separated, turns = threading.Event(), voices.turns
    monkeypatch.setattr(voices, "turns", lambda media, most: separated.wait() and turns(media, most))
    stand_ins.dials(agora={**FAST, "recording_seconds": 3})
    reply = started(agora).query().json["serverResponse"]
    assert (reply["fileListMode"], reply["fileList"]) == ("json", [])
    separated.set()
    stand_ins.finish()
    assert slices_of(stand_ins.bucket, "1001")


def test_query_and_stop_list_a_file_per_uid(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(5))
    task = started(agora).joined()
    until(lambda: len(task.query().json["serverResponse"]["fileList"]) == 2)
    reply = task.query().json["serverResponse"]
    assert reply["status"] == 5
    assert reply["fileList"] == [
        {
            "fileName": f"recordings/0123abcd/{task.sid}_room_1__uid_s_{uid}__uid_e_audio.m3u8",
            "trackType": "audio",
            "uid": uid,
            "mixedAllUser": False,
            "isPlayable": True,
            "sliceStartTime": 1_800_000_000_000,
        }
        for uid in ("1001", "1002")
    ]
    result = task.stop().json["serverResponse"]
    assert result == {"fileListMode": "json", "fileList": reply["fileList"], "uploadingStatus": "uploaded"}
    assert task.query().status_code == 404
    for uid in ("1001", "1002"):
        ends = slices_of(stand_ins.bucket, uid)[-1]
        assert ends.starts + ends.seconds == pytest.approx(5, abs=0.1)
    assert all("#EXT-X-ENDLIST" in playlist for _, playlist in playlists_of(stand_ins.bucket))


def test_where_nobody_is_subscribed_to_nothing_is_recorded(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(5))
    reply = started(agora, subscribeAudioUids=["9"]).joined().stop()
    assert (reply.status_code, reply.json["code"]) == (206, 435)
    stand_ins.finish()
    assert stand_ins.bucket.objects == {}


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        (individual_parts(streamMode="standard", streamTypes=0), "streamMode standard needs streamTypes 2"),
        (individual_parts(streamMode="standard", streamTypes=1), "streamMode standard needs streamTypes 2"),
        (individual_parts(streamMode="original", streamTypes=2), "streamMode original needs streamTypes 0"),
        (individual_parts(audioProfile=1), "audioProfile"),
    ],
)
def test_it_refuses(agora: AgoraCustomer, parts: dict[str, Any], named: str) -> None:
    reply = agora.start(agora.acquire(), "individual", **parts)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]


@pytest.mark.parametrize(
    ("dials", "named"),
    [
        ({"uids": []}, "agora.uids"),
        ({"uids": ["1", "1"]}, "agora.uids"),
        ({"uids": ["0"]}, "agora.uids"),
        ({"mutes": [{"uid": "1001"}]}, "agora.mutes[0]"),
        ({"mutes": [{"uid": "9", "from_seconds": 1, "to_seconds": 2}]}, "agora.mutes[0].uid"),
        ({"mutes": [{"uid": "1001", "from_seconds": 2, "to_seconds": 2}]}, "agora.mutes[0]"),
        ({"mutes": [{"uid": "1001", "from_seconds": "1", "to_seconds": 2}]}, "agora.mutes[0]"),
        ({"cameras_off": [{"uid": "9", "from_seconds": 1, "to_seconds": 2}]}, "agora.cameras_off[0].uid"),
        ({"unsubscribe_spelling": "Unsubscribe"}, "agora.unsubscribe_spelling"),
    ],
)
def test_dials_that_make_no_channel_are_said(
    agora: AgoraCustomer, stand_ins: StandIns, dials: dict[str, Any], named: str
) -> None:
    stand_ins.dials(agora=dials)
    reply = agora.start(agora.acquire(), "individual", **individual_parts())
    assert (reply.status_code, reply.json["code"]) == (500, 500)
    assert named in reply.json["reason"]
