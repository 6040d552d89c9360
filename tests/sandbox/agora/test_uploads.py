"""Files that come late, never, or under another name than they should have."""

import re
from typing import Any

import pytest

from tests.sandbox.agora.individual import FAST, PACE, named_in, playlists_of, stamped_at, started, still_at
from tests.sandbox.conftest import AgoraCustomer, FakeClock, StandIns, until

KEYS = {"accessKey": "ASIA2", "secretKey": "s2", "stsToken": "t2", "stsExpiration": 1_800_000_000 + 14400}
RENEWED = {"vendor": 1, "region": 0, "bucket": "recordings", "fileNamePrefix": ["recordings", "0123abcd"], **KEYS}
SHORT = {**FAST, "recording_seconds": 45, "uids": ["1001"]}
HELD = {"held_late": True}


def closed(stand_ins: StandIns) -> bool:
    return any("#EXT-X-ENDLIST" in playlist for playlist in stand_ins.bucket.playlists)


def missing(stand_ins: StandIns) -> set[str]:
    """Slices that a playlist in the bucket names and that are not there."""
    there = {key.rpartition("/")[2] for key in stand_ins.bucket.objects}
    return {name for _, playlist in playlists_of(stand_ins.bucket) for name in named_in(playlist)} - there


def test_the_last_slices_come_after_the_closed_playlist(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, **HELD, "late_slices": 2})
    started(agora)
    until(lambda: closed(stand_ins))
    assert len(missing(stand_ins)) == 2
    stand_ins.dials(agora={"held_late": False})
    stand_ins.finish()
    assert missing(stand_ins) == set()
    assert [key.rpartition(".")[2] for key in stand_ins.bucket.objects] == ["m3u8", "ts", "ts", "ts"]


def test_late_slices_are_those_of_every_playlist(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, **HELD, "uids": ["1001", "1002"], "late_slices": 1})
    task = started(agora)
    until(lambda: task.query().status_code == 404)
    assert {name.partition("__uid_s_")[2][:4] for name in missing(stand_ins)} == {"1001", "1002"}
    assert len(missing(stand_ins)) == 2
    stand_ins.dials(agora={"held_late": False})
    stand_ins.finish()
    assert missing(stand_ins) == set()


def test_a_mix_has_its_last_slices_and_mp4s_late(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, **HELD, "recording_seconds": 45, "late_slices": 1, "parts": 2})
    task = agora.started()
    until(lambda: task.query().status_code == 404)
    assert len(missing(stand_ins)) == 1
    assert not stand_ins.bucket.ending_in(".mp4")
    stand_ins.dials(agora={"held_late": False})
    stand_ins.finish()
    assert missing(stand_ins) == set()
    assert [key[-6:] for key in stand_ins.bucket.objects if key.endswith(".mp4")] == ["_0.mp4", "_1.mp4"]


def test_lost_slices_never_come(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "uids": ["1001", "1002"], "lost_slices": [0, 2]})
    started(agora)
    stand_ins.finish()
    playlists = dict(playlists_of(stand_ins.bucket))
    assert missing(stand_ins) == {named_in(text)[place] for text in playlists.values() for place in (0, 2)}
    assert all(len(named_in(text)) == 3 and "#EXT-X-ENDLIST" in text for text in playlists.values())


def test_a_playlist_from_the_backup_has_another_name(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "backed_up": True})
    task = started(agora)
    stand_ins.finish()
    name = f"recordings/0123abcd/{task.sid}_room_1__uid_s_1001__uid_e_audio"
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
    stand_ins.finish()
    copies = [(re.sub(r"^.*_audio", "", key), "#EXT-X-ENDLIST" in text) for key, text in playlists_of(stand_ins.bucket)]
    assert copies == [(".m3u8", False), ("_1800000000_0.m3u8", False), ("_1800000000_1.m3u8", True)]


EXPIRING = {**PACE, "slice_seconds": 4.0, "uids": ["1001"]}


def expired(stand_ins: StandIns) -> list[str]:
    """What S3 said to each upload that it refused."""
    uploads = [line for line in stand_ins.ledger()["lines"] if line["call"] == "agora.upload"]
    assert {line["status"] for line in uploads} <= {400}
    return [line["error"] for line in uploads]


def test_storage_credentials_run_out(agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock) -> None:
    url = "https://api.example/webhooks/agora"
    stand_ins.dials(
        agora={**EXPIRING, "recording_seconds": 12, "storage_seconds": 7.5, "notifications_url": url},
    )
    started(agora).joined()
    clock.advance(4.5)
    until(lambda: stand_ins.bucket.playlists)
    clock.advance(8)
    stand_ins.finish()
    slices = [key for key in stand_ins.bucket.objects if key.endswith(".ts")]
    assert len(slices) == 1
    [(_, playlist)] = playlists_of(stand_ins.bucket)
    assert named_in(playlist) == [key.rpartition("/")[2] for key in slices]
    assert not closed(stand_ins)
    assert expired(stand_ins) == ["ExpiredToken"] * 5, "two slices, their playlists, and the closed one"
    told = [sent.json["payload"]["details"] for sent in stand_ins.sent if sent.json["eventType"] == 1]
    assert [(error["errorCode"], error["errorMsg"]) for error in told] == [(47, "ExpiredToken")] * 5
    assert [sent.json["eventType"] for sent in stand_ins.sent][-1] == 32


def test_an_update_renews_them_before_they_run_out(agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock) -> None:
    stand_ins.dials(agora={**EXPIRING, "recording_seconds": 12, "storage_seconds": 10})
    task = started(agora).joined()
    clock.advance(4.5)
    until(lambda: stand_ins.bucket.playlists)
    assert task.ask("POST", "update", storageConfig=RENEWED).status_code == 200
    clock.advance(8)
    stand_ins.finish()
    assert expired(stand_ins) == []
    assert missing(stand_ins) == set()
    assert closed(stand_ins)


def test_what_was_refused_before_an_update_stays_lost(
    agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock
) -> None:
    stand_ins.dials(agora={**EXPIRING, "recording_seconds": 20, "storage_seconds": 7.5})
    task = started(agora).joined()
    clock.advance(4.5)
    until(lambda: stand_ins.bucket.playlists)
    clock.advance(4)
    until(lambda: len(expired(stand_ins)) == 2)
    stand_ins.dials(agora={"storage_seconds": 0})  # the recorder keeps to the dial of its start
    assert task.ask("POST", "update", storageConfig=RENEWED).status_code == 200
    clock.advance(4)
    until(lambda: len(stand_ins.bucket.playlists) == 2)
    first, second = stand_ins.bucket.playlists[:2]
    assert len(named_in(first)) == 1
    lost = missing(stand_ins)
    assert lost < set(named_in(second))
    assert lost
    clock.advance(8)
    stand_ins.finish()
    assert len(expired(stand_ins)) > 2, "the renewed ones run out as well"
    assert lost.isdisjoint(key.rpartition("/")[2] for key in stand_ins.bucket.objects)


def test_credentials_run_out_by_the_media_however_fast_it_is_cut(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(
        agora={**still_at(20), "slice_seconds": 5, "recording_seconds": 40, "storage_seconds": 10, "uids": ["1001"]}
    )
    task = started(agora).joined()
    assert task.ask("POST", "update", storageConfig=RENEWED).status_code == 200
    stand_ins.finish()
    assert [round(stamped_at(key)) for key in sorted(stand_ins.bucket.ending_in(".ts"))] == [0, 20]


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
    stand_ins.dials(agora={**still_at(5), **dials})
    task = started(agora).joined()
    assert task.stop().json["serverResponse"]["uploadingStatus"] == status
    stand_ins.finish()
