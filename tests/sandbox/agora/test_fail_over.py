"""A recorder that dies, one that takes over, and one that never gets to record."""

import re

import pytest

from tests.sandbox.agora.individual import (
    AT_ONCE,
    FAST,
    MAN,
    named_in,
    playlists_of,
    seconds_of,
    slices_of,
    stamped_at,
    started,
)
from tests.sandbox.conftest import AgoraCustomer, FakeClock, StandIns, until

DIES_AT_20 = {"fail_over_at_seconds": 20.0, "fail_over_gap_seconds": 10.0}


def test_another_recorder_goes_on_under_another_name(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, **DIES_AT_20, "slice_seconds": 6.0})
    task = started(agora, streamMode="original")
    stand_ins.finish()
    playlists = dict(playlists_of(stand_ins.bucket))
    prefix = "recordings/0123abcd/"
    names = [f"{task.sid}_room_1__uid_s_{uid}__uid_e_audio.m3u8" for uid in ("1001", "1002")]
    assert set(playlists) == {f"{prefix}{marker}{name}" for marker in ("", "bak0_") for name in names}
    for key, playlist in playlists.items():
        assert ("#EXT-X-ENDLIST" in playlist) == ("bak0_" in key)
        stem = key.removesuffix(".m3u8").removeprefix(prefix)
        assert all(slice_.startswith(f"{stem}_") for slice_ in named_in(playlist))
    for uid in ("1001", "1002"):
        before = slices_of(stand_ins.bucket, uid)
        after = slices_of(stand_ins.bucket, uid, "bak0_")
        assert [round(part.starts) for part in before] == [0, 6, 12]  # that of 18 was lost
        assert after[0].starts == pytest.approx(30, abs=0.1)
        assert after[-1].starts + after[-1].seconds == pytest.approx(52.4, abs=0.1)
        assert [part.clock for part in after] == pytest.approx([part.starts for part in after], abs=0.002)
    voiced = [part.pitch for part in slices_of(stand_ins.bucket, "1002", "bak0_") if part.pitch]
    assert voiced
    assert all(MAN[0] < pitch < MAN[1] for pitch in voiced)


def test_between_recorders_no_worker_is_found(agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock) -> None:
    stand_ins.dials(agora={**AT_ONCE, **DIES_AT_20, "speed": 1.0})
    task = agora.started()
    assert task.state() == 5
    clock.advance(20)
    until(lambda: task.state() == 404)
    body = {"cname": "room_1", "uid": "42", "clientRequest": {"mixedVideoLayout": 1}}
    assert task.call("POST", "updateLayout", json=body).json["code"] == 404
    clock.advance(9.9)
    assert task.state() == 404
    clock.advance(0.2)
    until(lambda: task.state() == 5)
    assert task.stop().status_code == 200


def test_each_recorder_that_takes_over_has_the_next_prefix(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    url = "https://api.example/webhooks/agora"
    times = {"fail_over_at_seconds": [30.0, 10.0, 20.0], "fail_over_gap_seconds": 4.0}
    stand_ins.dials(agora={**FAST, **times, "slice_seconds": 3.0, "notifications_url": url})
    started(agora)
    stand_ins.finish()
    spans = {}
    for prefix in ("", "bak0_", "bak1_", "bak2_"):
        parts = slices_of(stand_ins.bucket, "1001", prefix)
        spans[prefix] = round(parts[0].starts), round(parts[-1].starts + parts[-1].seconds)
    assert spans == {"": (0, 9), "bak0_": (14, 20), "bak1_": (24, 30), "bak2_": (34, 52)}
    closed = [key for key, text in playlists_of(stand_ins.bucket) if "#EXT-X-ENDLIST" in text]
    assert len(closed) == 2
    assert all("/bak2_" in key for key in closed)
    told = [sent.json["payload"] for sent in stand_ins.sent if sent.json["eventType"] == 12]
    assert len({payload["details"]["newUid"] for payload in told}) == 3


def test_the_fourth_fail_over_ends_the_task(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    times = {"fail_over_at_seconds": [10.0, 20.0, 30.0, 40.0], "fail_over_gap_seconds": 1.0}
    stand_ins.dials(agora={**AT_ONCE, **times, "leaves_at_query": 2, "slice_seconds": 3.0})
    task = agora.started()
    until(lambda: task.state() == 20)
    stand_ins.finish()
    recorders = [re.sub(r"^.*/|[0-9a-f]{32}.*$", "", key) for key, _ in playlists_of(stand_ins.bucket)]
    assert sorted(recorders) == ["", "bak0_", "bak1_", "bak2_"]
    assert stand_ins.bucket.ending_in(".mp4") == []


@pytest.mark.parametrize("mode", ["mix", "individual"])
def test_a_recorder_that_was_only_cut_off_overlaps_with_the_next_one(
    agora: AgoraCustomer, stand_ins: StandIns, mode: str
) -> None:
    overlap = {"fail_over_overlap_seconds": 5.0, "slice_seconds": 3.0, "uids": ["1001"]}
    stand_ins.dials(agora={**FAST, **DIES_AT_20, **overlap})
    task = started(agora) if mode == "individual" else agora.started(recordingFileConfig={"avFileType": ["hls"]})
    stand_ins.finish()
    playlists = dict(playlists_of(stand_ins.bucket))
    [first, second] = sorted(playlists, key=lambda key: "/bak0_" in key)
    assert f"/{task.sid}_" in first
    assert "/bak0_" in second
    starts = {key: [round(stamped_at(name)) for name in named_in(playlists[key])] for key in (first, second)}
    assert starts[first] == list(range(0, 33, 3)), "recorded on during the gap and 5 seconds longer, but for the rest"
    assert starts[second][:2] == [30, 33]
    assert ["#EXT-X-ENDLIST" in playlists[key] for key in (first, second)] == [False, True]
    assert {key.rpartition("/")[2] for key in stand_ins.bucket.ending_in(".ts")} == {
        name for text in playlists.values() for name in named_in(text)
    }


def test_between_recorders_of_which_one_was_cut_off_no_worker_is_found(
    agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock
) -> None:
    stand_ins.dials(agora={**AT_ONCE, **DIES_AT_20, "speed": 1.0, "fail_over_overlap_seconds": 5.0})
    task = agora.started()
    assert task.state() == 5
    clock.advance(25)
    until(lambda: task.state() == 404)
    clock.advance(8)
    until(lambda: task.state() == 5)
    assert task.stop().status_code == 200
    [mp4] = stand_ins.bucket.ending_in(".mp4")
    assert mp4.endswith(f"/bak0_{task.sid}_room_1_0.mp4")


def test_a_stop_between_recorders_is_taken(agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock) -> None:
    stand_ins.dials(agora={**AT_ONCE, **DIES_AT_20, "speed": 1.0})
    task = agora.started()
    assert task.state() == 5
    clock.advance(25)
    until(lambda: task.state() == 404)
    assert task.stop().status_code == 200


def test_the_mp4s_of_a_mix_are_those_of_the_second_recorder(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, **DIES_AT_20})
    task = agora.started()
    stand_ins.finish()
    [mp4] = stand_ins.bucket.ending_in(".mp4")
    assert mp4 == f"recordings/0123abcd/bak0_{task.sid}_room_1_0.mp4"
    assert seconds_of(stand_ins.bucket.objects[mp4]) == pytest.approx(22.4, abs=0.2)
    recorders = {re.sub(r"^.*/|_room.*$", "", key) for key, _ in playlists_of(stand_ins.bucket)}
    assert recorders == {task.sid, f"bak0_{task.sid}"}


@pytest.mark.parametrize("mode", ["mix", "individual"])
def test_after_an_abnormal_exit_files_are_left_open(agora: AgoraCustomer, stand_ins: StandIns, mode: str) -> None:
    stand_ins.dials(agora={**AT_ONCE, "leaves_at_query": 2, "exit_at_seconds": 20.0})
    task = started(agora) if mode == "individual" else agora.started()
    assert [task.state() for _ in range(2)] == [5, 20]
    assert task.stop().json["code"] == 404
    playlists = dict(playlists_of(stand_ins.bucket))
    assert len(playlists) == (2 if mode == "individual" else 1)
    assert not any("#EXT-X-ENDLIST" in text for text in playlists.values())
    assert {key.rpartition(".")[2] for key in stand_ins.bucket.objects} == {"m3u8", "ts"}


def test_a_crashed_recorder_takes_no_orders(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    url = "https://api.example/webhooks/agora"
    stand_ins.dials(agora={**FAST, "exit_at_seconds": 5.0, "leaves_at_query": 9, "notifications_url": url})
    task = agora.started()
    until(lambda: any(sent.json["eventType"] == 11 for sent in stand_ins.sent))
    body = {"cname": "room_1", "uid": "42", "clientRequest": {"mixedVideoLayout": 1}}
    assert task.call("POST", "updateLayout", json=body).json["code"] == 404
    assert task.stop().json["code"] == 404


def test_a_recorder_that_never_starts_exits_after_the_idle_time(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "never_starts": True})
    task = agora.started()
    stand_ins.finish()
    assert task.state() == 404
    assert stand_ins.bucket.objects == {}


def test_a_recorder_that_never_starts_has_nothing_when_stopped(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"never_starts": True, "joining_seconds": 0.0})
    task = started(agora)
    reply = task.stop()
    assert (reply.status_code, reply.json["code"]) == (206, 435)
