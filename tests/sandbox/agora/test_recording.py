"""What a recording leaves in the bucket, and how its calls go."""

import re
import wave
from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.credentials import credentials
from tests.sandbox.agora.individual import FAST, individual_parts, seconds_of, still_at
from tests.sandbox.conftest import AgoraCustomer, AgoraTask, StandIns, start_request, until

SILENT = {"recording_seconds": 0, "joining_seconds": 0.0}


def test_a_recording_uploads_slices_playlist_and_mp4(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 31})
    task = agora.started()
    stand_ins.finish()
    name = f"recordings/0123abcd/{task.sid}_room_1"
    slices = sorted(key for key in stand_ins.bucket.objects if key.endswith(".ts"))
    assert sorted(stand_ins.bucket.objects) == sorted([f"{name}.m3u8", f"{name}_0.mp4", *slices])
    assert slices == [f"{name}_20270115080000000.ts", f"{name}_20270115080015000.ts", f"{name}_20270115080030000.ts"]
    assert seconds_of(stand_ins.bucket.objects[f"{name}_0.mp4"]) == pytest.approx(31, abs=0.2)
    assert [round(seconds_of(stand_ins.bucket.objects[key])) for key in slices] == [15, 15, 1]
    last = stand_ins.bucket.playlists[-1].splitlines()
    assert [line for line in last if line.endswith(".ts")] == [key.rpartition("/")[2] for key in slices]
    assert last[-1] == "#EXT-X-ENDLIST"
    assert len(stand_ins.bucket.playlists) == 4
    assert "#EXT-X-ENDLIST" not in stand_ins.bucket.playlists[2]


def test_it_uploads_with_the_storage_it_was_given(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    agora.started(storage={"region": 7}).stop()
    access = stand_ins.bucket.opened[0]
    assert (access.bucket, access.region, access.access_key) == ("recordings", "eu-central-1", "AKIDEXAMPLE")
    assert "wJalrXUtnFEMI" not in repr(access)


def test_it_uploads_with_the_session_of_temporary_credentials(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    agora.started(storage={"stsToken": "s3ss10n", "stsExpiration": 1_800_000_000 + 4 * 3600}).stop()
    assert stand_ins.bucket.opened[0].session_token == "s3ss10n"
    assert "s3ss10n" not in repr(stand_ins.bucket.opened[0])


def test_query_goes_from_initialised_to_in_progress(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**still_at(4), "joins_at_query": 4})
    task = agora.started()
    assert [task.query().json["serverResponse"]["status"] for _ in range(4)] == [1, 3, 3, 5]
    reply = task.query().json
    assert reply["serverResponse"]["fileListMode"] == "json"
    assert (reply["cname"], reply["uid"], reply["sid"]) == ("room_1", "42", task.sid)
    task.stop()


def test_stopping_early_makes_a_shorter_recording(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(4))
    task = agora.started()
    task.query()
    reply = task.stop()
    result = reply.json["serverResponse"]
    assert (reply.status_code, result["uploadingStatus"]) == (200, "uploaded")
    mp4 = result["fileList"][-1]["fileName"]
    assert re.fullmatch(rf"recordings/0123abcd/{task.sid}_room_1_0\.mp4", mp4)
    assert seconds_of(stand_ins.bucket.objects[mp4]) == pytest.approx(4, abs=0.2)
    assert task.query().status_code == 404


def test_an_asynchronous_stop_tells_no_result(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(4))
    task = agora.started()
    task.query()
    reply = task.stop(async_stop=True)
    assert (reply.status_code, reply.json["serverResponse"]) == (200, {})
    stand_ins.finish()
    assert any(key.endswith(".mp4") for key in stand_ins.bucket.objects)


def test_dial_parts_cuts_the_mp4_into_as_many(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "parts": 3, "recording_seconds": 9.0})
    task = agora.started()
    stand_ins.finish()
    mp4s = {key: content for key, content in stand_ins.bucket.objects.items() if key.endswith(".mp4")}
    assert list(mp4s) == [f"recordings/0123abcd/{task.sid}_room_1_{n}.mp4" for n in range(3)]
    for content in mp4s.values():
        assert seconds_of(content) == pytest.approx(3, abs=0.2)


def test_hls_only_leaves_no_mp4_and_lists_a_string(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(4))
    task = agora.started(
        recordingFileConfig={"avFileType": ["hls"]}, recording={"privateParams": '{"correctEXTINF":true}'}
    )
    task.query()
    result = task.stop().json["serverResponse"]
    assert result["fileListMode"] == "string"
    assert result["fileList"].endswith("_room_1.m3u8")
    assert not any(key.endswith(".mp4") for key in stand_ins.bucket.objects)
    assert re.search(r"#EXTINF:[\d.]+,\n", stand_ins.bucket.playlists[-1])


@pytest.mark.parametrize("dials", [SILENT, {"joins_at_query": 2}])
def test_nothing_recorded_is_206_with_code_435(
    agora: AgoraCustomer, stand_ins: StandIns, dials: dict[str, float]
) -> None:
    stand_ins.dials(agora=dials)
    reply = agora.started().stop()
    assert (reply.status_code, reply.json["code"]) == (206, 435)
    stand_ins.finish()
    assert stand_ins.bucket.objects == {}


def test_after_the_channel_emptied_nothing_is_found(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 1})
    task = agora.started()
    stand_ins.finish()
    for reply in (task.query(), task.stop()):
        assert (reply.status_code, reply.json["code"]) == (404, 404)


def test_a_second_stop_is_code_49(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    task = agora.started()
    task.stop()
    reply = task.stop()
    assert (reply.status_code, reply.json["code"]) == (400, 49)


def test_a_resource_serves_one_recording(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    task = agora.started()
    reply = agora.start(task.resource_id)
    assert (reply.status_code, reply.json["code"]) == (201, 7)
    assert "sid" not in reply.json
    task.stop()


def test_a_start_as_acquire_had_it_is_taken(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    resource_id = agora.acquire(startParameter=start_request(), region="NA", regionAffinity=1)
    reply = agora.start(resource_id)
    assert reply.status_code == 200, reply.json
    AgoraTask(agora, resource_id, reply.json["sid"]).stop()


def test_acquire_stays_away_from_resources_that_stand(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    started, waiting = agora.started(), agora.acquire()
    assert agora.acquire(uid="43", excludeResourceIds=[started.resource_id, waiting])
    stand_ins.now[0] += 5 * 60 + 1
    for named, status in (([started.resource_id], 200), ([waiting], 400), ([started.resource_id, "nonsense"], 400)):
        body = {"cname": "room_1", "uid": "43", "clientRequest": {"excludeResourceIds": named}}
        reply = agora.call("POST", "/acquire", json=body)
        assert reply.status_code == status
        assert status == 200 or (reply.json["code"] == 2 and "excludeResourceIds" in reply.json["reason"])
    stand_ins.now[0] += 72 * 3600
    body = {"cname": "room_1", "uid": "43", "clientRequest": {"excludeResourceIds": [started.resource_id]}}
    assert agora.call("POST", "/acquire", json=body).json["code"] == 2
    stand_ins.now[0] -= 72 * 3600
    started.stop()


def test_one_recording_per_channel_and_uid(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    task = agora.started()
    reply = agora.start(agora.acquire())
    assert (reply.status_code, reply.json["code"]) == (400, 53)
    other = agora.acquire(uid="43")
    AgoraTask(agora, other, agora.start(other, uid="43").json["sid"], uid="43").stop()
    task.stop()
    until(lambda: task.query().status_code == 404)
    agora.started().stop()
    assert stand_ins.ledger()["paid"] == {"agora.recordings_started": 3}


def test_a_refusing_bucket_means_backuped(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.bucket.refuses = "AccessDenied"
    stand_ins.dials(agora=still_at(4))
    task = agora.started()
    task.query()
    assert task.stop().json["serverResponse"]["uploadingStatus"] == "backuped"
    uploads = [line for line in stand_ins.ledger()["lines"] if line["call"] == "agora.upload"]
    assert {(line["status"], line["error"], line["sid"]) for line in uploads} == {(403, "AccessDenied", task.sid)}


def test_calls_must_name_their_task_rightly(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    task = agora.started()
    assert task.call("GET", "query", mode="web").json["code"] == 2
    foreign = {"cname": "room_2", "uid": "42", "clientRequest": {}}
    assert task.call("POST", "stop", json=foreign).json["code"] == 2
    assert task.stop(async_stop="true").json["code"] == 2
    task.resource_id, resource_id = "another", task.resource_id
    assert task.query().json["code"] == 1003
    task.resource_id, sid, task.sid = resource_id, task.sid, "0" * 32
    assert task.query().json["code"] == 404
    task.sid = sid
    task.stop()


def test_update_renews_the_storage_credentials(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    task = agora.started()
    renewed = {"accessKey": "ASIA2", "secretKey": "s2", "stsToken": "t2", "stsExpiration": 1_800_000_000 + 14400}
    body = {"cname": "room_1", "uid": "42", "clientRequest": {"storageConfig": renewed}}
    assert "storageConfig.vendor" in task.call("POST", "update", json=body).json["reason"]
    renewed |= {"vendor": 1, "region": 0, "bucket": "recordings"}
    assert task.call("POST", "update", json=body).status_code == 200
    assert stand_ins.bucket.opened[-1].access_key == "ASIA2"
    assert stand_ins.bucket.opened[-1].bucket == "recordings"
    assert task.call("POST", "update", json={**body, "clientRequest": {}}).json["code"] == 2
    layout = {**body, "clientRequest": {"mixedVideoLayout": 1}}
    assert task.call("POST", "updateLayout", json=layout).status_code == 200
    assert task.call("POST", "updateLayout", mode="web", json=layout).status_code == 404
    task.stop()


def test_the_channel_may_play_other_media(agora: AgoraCustomer, stand_ins: StandIns, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    with wave.open(str(other), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * 2))
    stand_ins.dials(agora={**FAST, "media_path": str(other)})
    agora.started()
    stand_ins.finish()
    mp4 = next(content for key, content in stand_ins.bucket.objects.items() if key.endswith(".mp4"))
    assert seconds_of(mp4) == pytest.approx(2, abs=0.2)


def test_media_that_cannot_be_played_is_said(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"media_path": "/nowhere.mp4"})
    reply = agora.start(agora.acquire())
    assert reply.status_code == 500
    assert "agora.media_path" in reply.json["reason"]


def test_the_ledger_holds_no_secret(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SILENT)
    task = agora.started()
    task.stop()
    text = stand_ins.client.get("/ledger").text
    assert [line["call"] for line in stand_ins.ledger()["lines"]] == ["agora.acquire", "agora.start", "agora.stop"]
    for secret in ("wJalrXUtnFEMI", "AKIDEXAMPLE", credentials()["agora"]["customerSecret"], task.resource_id):
        assert secret not in text


@pytest.mark.parametrize(("replaces", "written"), [(False, "the_1st- room_2"), (True, "the-1st- room-2")])
@pytest.mark.parametrize(("mode", "parts"), [("mix", {}), ("individual", individual_parts(streamMode="original"))])
def test_file_names_keep_the_underscores_of_a_channel_or_replace_them(
    agora: AgoraCustomer, stand_ins: StandIns, mode: str, parts: dict[str, Any], replaces: bool, written: str
) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 8, "replaces_underscores": replaces})
    channel = "the_1st. room_2"
    started = agora.start(agora.acquire(cname=channel), mode, cname=channel, **parts)
    stand_ins.finish()
    ending = re.compile(rf".*/{started.json['sid']}_{written}(__uid_s_\d+__uid_e_audio)?(_\d+\.ts|_0\.mp4|\.m3u8)")
    assert [key for key in stand_ins.bucket.objects if not ending.fullmatch(key)] == []
    assert len(stand_ins.bucket.objects) >= 3
