"""Files that come late, never, or under another name than they should have."""

import re
import threading
import time
from typing import Any

import pytest

from tests.sandbox.agora.individual import FAST, named_in, playlists_of, started
from tests.sandbox.conftest import AgoraCustomer, StandIns

KEYS = {"accessKey": "ASIA2", "secretKey": "s2", "stsToken": "t2", "stsExpiration": 1_800_000_000 + 14400}
RENEWED = {"vendor": 1, "region": 0, "bucket": "recordings", "fileNamePrefix": ["recordings", "0123abcd"], **KEYS}
SHORT = {**FAST, "recording_seconds": 45, "uids": ["1001"]}


def ended(stand_ins: StandIns, sid: str) -> None:
    """Waits until the recorder has left, whatever is still to be uploaded."""
    while any(thread.name == f"agora {sid}" for thread in threading.enumerate()):
        if closed(stand_ins):
            return
        time.sleep(0.01)


def closed(stand_ins: StandIns) -> bool:
    return any("#EXT-X-ENDLIST" in playlist for playlist in stand_ins.bucket.playlists)


def missing(stand_ins: StandIns) -> set[str]:
    """Slices that a playlist in the bucket names and that are not there."""
    there = {key.rpartition("/")[2] for key in stand_ins.bucket.objects}
    return {name for _, playlist in playlists_of(stand_ins.bucket) for name in named_in(playlist)} - there


def test_the_last_slices_come_after_the_closed_playlist(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "late_slices": 2, "late_seconds": 0.5})
    task = started(agora)
    ended(stand_ins, task.sid)
    assert len(missing(stand_ins)) == 2
    stand_ins.runtime.jobs.join()
    assert missing(stand_ins) == set()
    assert [key.rpartition(".")[2] for key in stand_ins.bucket.objects] == ["m3u8", "ts", "ts", "ts"]


def test_late_slices_are_those_of_every_playlist(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "uids": ["1001", "1002"], "late_slices": 1, "late_seconds": 0.5})
    task = started(agora)
    while len(stand_ins.bucket.playlists) < 8:
        time.sleep(0.01)
    assert {name.partition("__uid_s_")[2][:4] for name in missing(stand_ins)} == {"1001", "1002"}
    assert len(missing(stand_ins)) == 2
    assert task.query().status_code == 404
    stand_ins.runtime.jobs.join()
    assert missing(stand_ins) == set()


def test_a_mix_has_its_last_slices_and_mp4s_late(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 45, "late_slices": 1, "late_seconds": 0.5, "parts": 2})
    task = agora.started()
    ended(stand_ins, task.sid)
    assert len(missing(stand_ins)) == 1
    assert not any(key.endswith(".mp4") for key in stand_ins.bucket.objects)
    stand_ins.runtime.jobs.join()
    assert missing(stand_ins) == set()
    assert [key[-6:] for key in stand_ins.bucket.objects if key.endswith(".mp4")] == ["_0.mp4", "_1.mp4"]


def test_lost_slices_never_come(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "uids": ["1001", "1002"], "lost_slices": [0, 2]})
    started(agora)
    stand_ins.runtime.jobs.join()
    playlists = dict(playlists_of(stand_ins.bucket))
    assert missing(stand_ins) == {named_in(text)[place] for text in playlists.values() for place in (0, 2)}
    assert all(len(named_in(text)) == 3 and "#EXT-X-ENDLIST" in text for text in playlists.values())


def test_a_playlist_from_the_backup_has_another_name(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "backed_up": True, "late_seconds": 0.2})
    task = started(agora)
    stand_ins.runtime.jobs.join()
    name = f"recordings/0123abcd/{task.sid}_room-1__uid_s_1001__uid_e_audio"
    playlists = dict(playlists_of(stand_ins.bucket))
    assert list(playlists) == [f"{name}.m3u8", f"{name}_1800000000_0.m3u8", f"{name}_1800000000_1.m3u8"]
    first, before, last = playlists.values()
    assert [len(named_in(text)) for text in (first, before, last)] == [1, 3, 3]
    assert ["#EXT-X-ENDLIST" in text for text in (first, before, last)] == [False, False, True]
    assert list(stand_ins.bucket.objects)[-2:] == list(playlists)[1:]
    assert missing(stand_ins) == set()


def test_of_one_slice_the_backup_still_has_an_open_copy(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "recording_seconds": 10, "backed_up": True})
    started(agora)
    stand_ins.runtime.jobs.join()
    copies = [(re.sub(r"^.*_audio", "", key), "#EXT-X-ENDLIST" in text) for key, text in playlists_of(stand_ins.bucket)]
    assert copies == [(".m3u8", False), ("_1800000000_0.m3u8", False), ("_1800000000_1.m3u8", True)]


EXPIRING = {"speed": 5.0, "joining_seconds": 0.0, "idle_speed": 1e6, "slice_seconds": 4.0, "uids": ["1001"]}


def expired(stand_ins: StandIns) -> list[str]:
    """What S3 said to each upload that it refused."""
    uploads = [line for line in stand_ins.ledger()["lines"] if line["call"] == "agora.upload"]
    assert {line["status"] for line in uploads} <= {400}
    return [line["error"] for line in uploads]


def test_storage_credentials_run_out(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    url = "https://api.example/webhooks/agora"
    stand_ins.dials(
        agora={**EXPIRING, "recording_seconds": 12, "storage_seconds": 7.5, "notifications_url": url},
    )
    started(agora)
    for _ in range(3):
        stand_ins.runtime.jobs.join()
    slices = [key for key in stand_ins.bucket.objects if key.endswith(".ts")]
    assert len(slices) == 1
    [(_, playlist)] = playlists_of(stand_ins.bucket)
    assert named_in(playlist) == [key.rpartition("/")[2] for key in slices]
    assert not closed(stand_ins)
    assert expired(stand_ins) == ["ExpiredToken"] * 5, "two slices, their playlists, and the closed one"
    told = [sent.json["payload"]["details"] for sent in stand_ins.sent if sent.json["eventType"] == 1]
    assert [(error["errorCode"], error["errorMsg"]) for error in told] == [(47, "ExpiredToken")] * 5
    assert [sent.json["eventType"] for sent in stand_ins.sent][-1] == 32


def test_an_update_renews_them_before_they_run_out(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**EXPIRING, "recording_seconds": 12, "storage_seconds": 10})
    task = started(agora)
    while not stand_ins.bucket.playlists:
        time.sleep(0.01)
    assert task.ask("POST", "update", storageConfig=RENEWED).status_code == 200
    stand_ins.runtime.jobs.join()
    assert expired(stand_ins) == []
    assert missing(stand_ins) == set()
    assert closed(stand_ins)


def test_what_was_refused_before_an_update_stays_lost(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**EXPIRING, "recording_seconds": 20, "storage_seconds": 7.5})
    task = started(agora)
    while not expired(stand_ins):
        time.sleep(0.01)
    stand_ins.dials(agora={"storage_seconds": 0})  # the recorder keeps to the dial of its start
    assert task.ask("POST", "update", storageConfig=RENEWED).status_code == 200
    while len(stand_ins.bucket.playlists) < 2:
        time.sleep(0.01)
    first, second = stand_ins.bucket.playlists[:2]
    assert len(named_in(first)) == 1
    lost = missing(stand_ins)
    assert lost < set(named_in(second))
    assert lost
    refusals = len(expired(stand_ins))
    stand_ins.runtime.jobs.join()
    assert len(expired(stand_ins)) > refusals, "the renewed ones run out as well"
    assert lost.isdisjoint(key.rpartition("/")[2] for key in stand_ins.bucket.objects)


@pytest.mark.parametrize(
    ("dials", "status"),
    [
        ({}, "uploaded"),
        ({"lost_slices": [0]}, "uploaded"),
        ({"late_slices": 1}, "backuped"),
        ({"backed_up": True}, "backuped"),
    ],
)
def test_stop_says_that_something_comes_later(
    agora: AgoraCustomer, stand_ins: StandIns, dials: dict[str, Any], status: str
) -> None:
    stand_ins.dials(agora={"speed": 100.0, "joining_seconds": 0.0, "slice_seconds": 2.0, **dials})
    task = started(agora).joined()
    time.sleep(0.1)
    assert task.stop().json["serverResponse"]["uploadingStatus"] == status
    stand_ins.runtime.jobs.join()
