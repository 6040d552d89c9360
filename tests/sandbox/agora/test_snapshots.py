"""Individual mode with pictures of the cameras, beside a recording or instead of one."""

from typing import Any

import pytest

from sandbox.stand_ins.agora.media import Span
from sandbox.stand_ins.agora.snapshots import next_seen
from tests.sandbox.agora.individual import (
    FAST,
    IndividualTask,
    files_of,
    individual_parts,
    playlists_of,
    seen_of,
    stamped_at,
    started,
    still,
    still_at,
)
from tests.sandbox.conftest import AgoraCustomer, StandIns

URL = "https://api.example/webhooks/agora"
JPG = {"fileType": ["jpg"]}


def only_pictures(agora: AgoraCustomer, **snapshots: Any) -> IndividualTask:
    resource_id = agora.acquire()
    parts = {**individual_parts(streamTypes=1), "snapshotConfig": {**JPG, **snapshots}}
    reply = agora.start(resource_id, "individual", **parts, without="recordingFileConfig")
    assert reply.status_code == 200, reply.json
    return IndividualTask(agora, resource_id, reply.json["sid"])


def taken(stand_ins: StandIns, uid: str) -> list[float]:
    """When pictures of a uid were taken, by their names."""
    return [stamped_at(key) for key in files_of(stand_ins.bucket, uid, "video", "jpg")]


def test_pictures_are_taken_beside_a_recording(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 32})
    started(agora, snapshots=JPG, streamTypes=2)
    stand_ins.finish()
    for uid in ("1001", "1002"):
        assert taken(stand_ins, uid) == [0, 10, 20, 30]
        video = seen_of(stand_ins.bucket, uid)
        for key in files_of(stand_ins.bucket, uid, "video", "jpg"):
            picture = still(stand_ins.bucket.objects[key])
            assert stand_ins.bucket.objects[key].startswith(b"\xff\xd8\xff")
            assert picture.size == (192, 108)
            assert picture.like(video[0].pictures[0])
            assert picture.second == pytest.approx(stamped_at(key), abs=0.5)
    assert len(list(playlists_of(stand_ins.bucket))) == 4


def test_pictures_alone_leave_no_playlist(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 12, "notifications_url": URL})
    task = only_pictures(agora, captureInterval=5)
    stand_ins.finish()
    assert taken(stand_ins, "1001") == taken(stand_ins, "1002") == [0, 5, 10]
    assert {key.rpartition(".")[2] for key in stand_ins.bucket.objects} == {"jpg"}
    events = [(sent.json["eventType"], sent.json["payload"]["details"]) for sent in stand_ins.sent]
    assert [event for event, _ in events] == [40, *[45] * 6, 41, 11, 31]
    told = [details for event, details in events if event == 45]
    assert {details["msgName"] for details in told} == {"snapshot_file"}
    assert {details["fileName"] for details in told} == set(stand_ins.bucket.objects)
    name = f"recordings/0123abcd/{task.sid}_room_1__uid_s_1001__uid_e_video_20270115080000000.jpg"
    assert told[0]["fileName"] == name
    assert events[-1][1] == {"msgName": "uploaded", "status": 0}


def test_a_task_of_pictures_has_no_list_of_files(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=still_at(4))
    task = only_pictures(agora, captureInterval=5).joined()
    response = task.query().json["serverResponse"]
    assert {"fileList", "fileListMode"}.isdisjoint(response)
    reply = task.stop()
    assert (reply.status_code, reply.json["serverResponse"]) == (200, {"uploadingStatus": "uploaded"})


def test_only_what_is_seen_is_taken(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    off = {"uid": "1001", "from_seconds": 4, "to_seconds": 11}
    stand_ins.dials(agora={**FAST, "recording_seconds": 22, "cameras_off": [off]})
    snapshots = {**JPG, "captureInterval": 5}
    started(agora, snapshots=snapshots, streamTypes=1, unsubscribeVideoUids=["1002"])
    stand_ins.finish()
    assert (taken(stand_ins, "1001"), taken(stand_ins, "1002")) == ([0, 15, 20], [])


def test_who_is_watched_later_is_taken_from_then_on(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**still_at(12), "recording_seconds": 32})
    task = started(agora, snapshots={**JPG, "captureInterval": 5}, streamTypes=1, subscribeVideoUids=["1001"]).joined()
    lists = {"videoUidList": {"subscribeVideoUids": ["#allstream#"]}}
    assert task.ask("POST", "update", streamSubscribe=lists).status_code == 200
    stand_ins.finish()
    assert taken(stand_ins, "1001") == [0, 5, 10, 15, 20, 25, 30]
    assert taken(stand_ins, "1002") == [15, 20, 25, 30]


def test_a_stop_before_the_first_picture_has_nothing(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    off = {"uid": "1001", "from_seconds": 0, "to_seconds": 100}
    stand_ins.dials(agora={**still_at(12), "uids": ["1001"], "cameras_off": [off]})
    reply = only_pictures(agora).joined().stop()
    assert (reply.status_code, reply.json["code"]) == (206, 435)
    stand_ins.finish()
    assert stand_ins.bucket.objects == {}


@pytest.mark.parametrize(
    ("snapshots", "recording", "named"),
    [
        ({}, {}, "snapshotConfig.fileType is required"),
        ({**JPG, "captureInterval": 4}, {}, "snapshotConfig.captureInterval"),
        ({**JPG, "captureInterval": 3601}, {}, "snapshotConfig.captureInterval"),
        ({"fileType": ["png"]}, {}, "snapshotConfig.fileType"),
        ({"fileType": "jpg"}, {}, "snapshotConfig.fileType"),
        ({**JPG, "quality": 1}, {}, "snapshotConfig.quality"),
        (JPG, {"streamTypes": 0}, "snapshotConfig needs streamTypes 1 or 2"),
    ],
)
def test_it_refuses(agora: AgoraCustomer, snapshots: dict[str, Any], recording: dict[str, Any], named: str) -> None:
    parts = {**individual_parts(**{"streamTypes": 2, **recording}), "snapshotConfig": snapshots}
    reply = agora.start(agora.acquire(), "individual", **parts)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]


def test_a_mix_has_no_pictures(agora: AgoraCustomer) -> None:
    reply = agora.start(agora.acquire(), snapshotConfig=JPG)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert "snapshotConfig is not a parameter" in reply.json["reason"]


INF = float("inf")


@pytest.mark.parametrize(
    ("position", "gaps", "at"),
    [
        (0.0, [], 0.0),
        (5.0, [(0.0, 5.0)], 5.0),
        (0.0, [(0.0, 5.1)], 10.0),
        (2.0, [(0.0, 5.1)], 7.0),
        (0.0, [(0.0, 3.0), (5.0, 6.0)], 10.0),
        (0.0, [(7.0, INF)], 0.0),
        (10.0, [(7.0, INF)], None),
        (0.0, [(0.0, 3.0), (4.0, INF)], None),
    ],
)
def test_the_next_picture_avoids_gaps(position: float, gaps: list[Span], at: float | None) -> None:
    assert next_seen(position, 5, gaps) == at
