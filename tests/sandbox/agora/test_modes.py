"""What a recorder can be told in the modes mix and web, and how the recording of a web page goes."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from recording_insights.hls.playlist import begins_at_ms
from tests.sandbox.agora.individual import FAST
from tests.sandbox.conftest import AgoraCustomer, AgoraTask, FakeClock, StandIns, start_request, until

SALT = b64encode(bytes(32)).decode()
REGION = {"x_axis": 0, "y_axis": 0.5, "width": 1, "height": 0.5}
PAGE = {"url": "https://example.org", "audioProfile": 0, "videoWidth": 1280, "videoHeight": 720, "maxRecordingHour": 1}
LABEL = "Räume / 1"


def page_request(service: dict[str, Any] | None = None, **page: Any) -> dict[str, Any]:
    services = [{"serviceName": "web_recorder_service", "serviceParam": {**PAGE, **page}, **(service or {})}]
    extension = {"errorHandlePolicy": "error_abort", "extensionServices": services}
    return start_request(without="recordingConfig", extensionServiceConfig=extension)


def start_page(agora: AgoraCustomer, request: dict[str, Any], cname: str = LABEL) -> tuple[str, Any]:
    resource_id = agora.acquire(cname, scene=1)
    body = {"cname": cname, "uid": "42", "clientRequest": request}
    return resource_id, agora.call("POST", f"/resourceid/{resource_id}/mode/web/start", json=body)


class PageTask(AgoraTask):
    """A running recording of a web page."""

    def ask(self, name: str, **client_request: Any) -> Any:
        body = {"cname": LABEL, "uid": "42", "clientRequest": client_request}
        return self.call("POST", name, mode="web", json=body)

    def page(self) -> Any:
        reply = self.call("GET", "query", mode="web")
        assert reply.status_code == 200, reply.json
        assert "fileList" not in reply.json["serverResponse"]
        [service] = reply.json["serverResponse"]["extensionServiceState"]
        assert service["serviceName"] == "web_recorder_service"
        return service["payload"]


def started(agora: AgoraCustomer, **page: Any) -> PageTask:
    resource_id, reply = start_page(agora, page_request(**page))
    assert reply.status_code == 200, reply.json
    return PageTask(agora, resource_id, reply.json["sid"])


@pytest.fixture
def running(shared_stand_ins: StandIns) -> Iterator[AgoraTask]:
    shared_stand_ins.dials(agora={"recording_seconds": 0, "joining_seconds": 0})
    task = AgoraCustomer(shared_stand_ins.client).started()
    yield task
    task.stop()
    shared_stand_ins.finish()
    shared_stand_ins.bucket.opened.clear()


@pytest.mark.parametrize(
    ("spoilt", "named"),
    [
        ({"chanelType": 0}, "chanelType is not a parameter"),
        ({"subscribeAudioUids": ["#ALLSTREAM#"]}, "subscribeAudioUids"),
        ({"subscribeAudioUids": [str(uid) for uid in range(1, 34)]}, "subscribeAudioUids"),
        ({"subscribeVideoUids": ["1"], "streamTypes": 0}, "subscribeVideoUids"),
        ({"UnsubscribeAudioUids": ["1"]}, "UnsubscribeAudioUids"),
        ({"videoStreamType": 2}, "videoStreamType"),
        ({"audioProfile": 3}, "audioProfile"),
        ({"subscribeUidGroup": 0}, "subscribeUidGroup"),
        ({"decryptionMode": 9}, "decryptionMode"),
        ({"decryptionMode": 1}, "secret is required"),
        ({"decryptionMode": 7, "secret": "s3cr3t"}, "salt is required"),
        ({"decryptionMode": 7, "secret": "s3cr3t", "salt": "c2hvcnQ="}, "salt"),
        ({"privateParams": "correctEXTINF"}, "privateParams"),
        ({"privateParams": {"correctEXTINF": True}}, "privateParams"),
        ({"extensionParams": {"enableNTPtimestamp": "true"}}, "extensionParams.enableNTPtimestamp"),
        ({"extensionParams": {"enableNtpTimestamp": True}}, "extensionParams.enableNtpTimestamp"),
        ({"transcodingConfig": []}, "transcodingConfig"),
        ({"transcodingConfig": {"colour": 1}}, "colour"),
        ({"transcodingConfig": {"width": 1920, "height": 1081}}, "larger"),
        ({"transcodingConfig": {"fps": 15.0}}, "fps"),
        ({"transcodingConfig": {"maxResolutionUid": 1}}, "maxResolutionUid"),
        ({"transcodingConfig": {"mixedVideoLayout": 4}}, "mixedVideoLayout"),
        ({"transcodingConfig": {"mixedVideoLayout": 3}}, "layoutConfig"),
        ({"transcodingConfig": {"mixedVideoLayout": 0, "layoutConfig": [REGION]}}, "layoutConfig"),
        ({"transcodingConfig": {"mixedVideoLayout": 3, "layoutConfig": [REGION] * 18}}, "layoutConfig"),
        ({"transcodingConfig": {"mixedVideoLayout": 3, "layoutConfig": [{**REGION, "x_axis": 2}]}}, "[0].x_axis"),
        ({"transcodingConfig": {"mixedVideoLayout": 3, "layoutConfig": [{"x_axis": 0}]}}, "[0].y_axis is required"),
        ({"transcodingConfig": {"backgroundColor": "red"}}, "backgroundColor"),
        ({"transcodingConfig": {"backgroundImage": "a.jpg"}}, "backgroundImage"),
        ({"transcodingConfig": {"backgroundImage": "http://["}}, "backgroundImage"),
        ({"transcodingConfig": {"backgroundConfig": [{"uid": "1"}]}}, "image_url is required"),
    ],
)
def test_a_mix_refuses(shared_stand_ins: StandIns, spoilt: dict[str, Any], named: str) -> None:
    agora = AgoraCustomer(shared_stand_ins.client)
    reply = agora.start(agora.acquire(), recording=spoilt)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]
    assert "s3cr3t" not in reply.text


@pytest.mark.parametrize(
    ("request_body", "named"),
    [
        (start_request(without="recordingConfig"), "extensionServiceConfig is required"),
        (start_request(extensionServiceConfig={}), "recordingConfig is not a parameter"),
        (start_request(without="recordingConfig", extensionServiceConfig={}), "extensionServices is required"),
        (page_request({"serviceName": "web_recorder"}), "serviceName"),
        (page_request({"errorHandlePolicy": "error_ignore"}), "errorHandlePolicy"),
        (page_request({"serviceParam": {}}), "url is required"),
        *(
            (page_request({"serviceParam": {key: value for key, value in PAGE.items() if key != name}}), name)
            for name in PAGE
        ),
        (page_request(url="example.org"), "url"),
        (page_request(videoWidth=239), "videoWidth"),
        (page_request(videoWidth=1920, videoHeight=1081), "larger"),
        (page_request(audioProfile="0"), "audioProfile"),
        (page_request(maxRecordingHour=721), "maxRecordingHour"),
        (page_request(VideoBitrate=2000), "VideoBitrate is not a parameter"),
        (page_request(videoBitrate=0), "videoBitrate"),
        (page_request(videoFps=61), "videoFps"),
        (page_request(maxVideoDuration=29), "maxVideoDuration"),
        (page_request(onhold="true"), "onhold"),
        (page_request(readyTimeout=61), "readyTimeout"),
        (page_request(mobile=0), "mobile"),
        (page_request(maxIdleTime=30), "maxIdleTime is not a parameter"),
    ],
)
def test_a_page_refuses(shared_stand_ins: StandIns, request_body: dict[str, Any], named: str) -> None:
    _, reply = start_page(AgoraCustomer(shared_stand_ins.client), request_body)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]


def test_a_pages_label_ends_at_1024_bytes(shared_stand_ins: StandIns) -> None:
    body = {"uid": "42", "clientRequest": {"scene": 1}}
    agora = AgoraCustomer(shared_stand_ins.client)
    assert agora.call("POST", "/acquire", json={**body, "cname": "é" * 512}).status_code == 200
    for cname in ("é" * 513, "", 7):
        assert agora.call("POST", "/acquire", json={**body, "cname": cname}).json["code"] == 401
    other = {**body, "cname": LABEL, "clientRequest": {"scene": 0}}
    assert agora.call("POST", "/acquire", json=other).json["code"] == 401


@pytest.mark.parametrize(("area", "region", "status"), [("NA", 0, 200), ("EU", 7, 200), ("EU", 0, 400), ("CN", 8, 400)])
def test_the_bucket_lies_where_acquire_said(agora: AgoraCustomer, area: str, region: int, status: int) -> None:
    agora.client.put("/dials", json={"agora": {"recording_seconds": 0, "joining_seconds": 0}})
    reply = agora.start(agora.acquire(region=area), storage={"region": region})
    assert reply.status_code == status
    assert status == 200 or area in reply.json["reason"]


def test_a_page_is_uploaded_as_a_mix_is(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"speed": 1e6, "joining_seconds": 0.0, "recording_seconds": 5, "idle_speed": 1.0})
    task = started(agora, videoFps=30, maxVideoDuration=60)
    until(lambda: task.page()["fileList"])
    assert task.page()["state"] == "inProgress"
    reply = task.ask("stop")
    upload, page = reply.json["serverResponse"]["extensionServiceState"]
    assert upload == {"serviceName": "upload_service", "payload": {"uploadingStatus": "uploaded"}}
    assert (page["serviceName"], page["payload"]["state"]) == ("web_recorder_service", "exit")
    names = [file["filename"] for file in page["payload"]["fileList"]]
    name = f"recordings/0123abcd/{task.sid}_{LABEL}"
    assert names == [f"{name}.m3u8", f"{name}_0.mp4"]
    assert set(names) < set(stand_ins.bucket.objects)
    assert page["payload"]["fileList"][0]["sliceStartTime"] == 1_800_000_000
    assert task.call("GET", "query", mode="web").status_code == 404


def test_the_segments_of_a_page_have_their_unix_time_in_their_names(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 31})
    task = started(agora)
    stand_ins.finish()
    name = f"recordings/0123abcd/{task.sid}_{LABEL}"
    segments = stand_ins.bucket.ending_in(".ts")
    assert segments == [f"{name}_{1_800_000_000_000 + second * 1000}.ts" for second in (0, 15, 30)]
    assert [begins_at_ms(key) for key in segments] == [1_800_000_000_000 + second * 1000 for second in (0, 15, 30)]
    lines = stand_ins.bucket.playlists[-1].splitlines()
    assert [line for line in lines if line.endswith(".ts")] == [key.rpartition("/")[2] for key in segments]


def test_nothing_is_recorded_while_a_page_is_on_hold(
    agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock
) -> None:
    stand_ins.dials(agora={"speed": 1.0, "joins_at_query": 1, "slice_seconds": 5.0, "idle_speed": 1.0})
    task = started(agora, onhold=True)
    assert task.page().items() >= {"state": "inProgress", "onhold": True, "fileList": []}.items()
    clock.advance(60)
    assert task.ask("update", webRecordingConfig={"onhold": False}).status_code == 200
    clock.advance(3)
    task.ask("update", webRecordingConfig={"onhold": True})
    clock.advance(60)
    assert task.page().items() >= {"onhold": True, "fileList": []}.items()
    assert stand_ins.bucket.objects == {}
    task.ask("update", webRecordingConfig={"onhold": False})
    clock.advance(4)
    until(lambda: task.page()["fileList"])
    assert task.ask("stop").status_code == 200
    lengths = re.findall(r"#EXTINF:(\d+)", stand_ins.bucket.playlists[-1])
    assert lengths == ["5", "2"]


def test_a_page_that_never_ran_has_no_files(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"joining_seconds": 0.0})
    reply = started(agora, onhold=True).ask("stop", async_stop=True)
    assert (reply.status_code, reply.json["code"]) == (206, 435)


@pytest.mark.parametrize(
    ("client_request", "named"),
    [
        ({"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["#allstream#"]}}}, None),
        ({"streamSubscribe": {"videoUidList": {"unsubscribeVideoUids": ["1"]}}}, None),
        ({"streamSubscribe": {"audioUidList": {"subscribeVideoUids": ["1"]}}}, "subscribeVideoUids"),
        ({"streamSubscribe": {"audioUidList": {"subscribeAudioUids": [1]}}}, "subscribeAudioUids"),
        ({"streamSubscribe": {"audioUidList": []}}, "audioUidList"),
        ({"streamSubscribe": {"subscribeAudioUids": ["1"]}}, "subscribeAudioUids"),
        (
            {"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["1"], "unsubscribeAudioUids": ["2"]}}},
            "has both",
        ),
        ({"webRecordingConfig": {"onhold": True}}, "webRecordingConfig"),
        ({"maxIdleTime": 30}, "maxIdleTime"),
    ],
)
def test_an_update_of_a_mix(running: AgoraTask, client_request: dict[str, Any], named: str | None) -> None:
    reply = running.call("POST", "update", json={"cname": "room_1", "uid": "42", "clientRequest": client_request})
    assert reply.status_code == (400 if named else 200)
    assert not named or (reply.json["code"] == 2 and named in reply.json["reason"])


@pytest.mark.parametrize(
    ("layout", "named"),
    [
        ({}, None),
        ({"mixedVideoLayout": 2, "maxResolutionUid": "5", "backgroundColor": "#00ff00"}, None),
        ({"mixedVideoLayout": 3, "layoutConfig": [{**REGION, "uid": "5", "alpha": 0.5, "render_mode": 1}]}, None),
        ({"width": 640}, "width"),
        ({"mixedVideoLayout": 3, "layoutConfig": [{**REGION, "x": 0}]}, "x is not a parameter"),
    ],
)
def test_a_layout(running: AgoraTask, layout: dict[str, Any], named: str | None) -> None:
    reply = running.call("POST", "updateLayout", json={"cname": "room_1", "uid": "42", "clientRequest": layout})
    assert reply.status_code == (400 if named else 200)
    assert not named or (reply.json["code"] == 2 and named in reply.json["reason"])


@pytest.mark.parametrize(
    ("client_request", "named"),
    [
        ({"webRecordingConfig": {"onhold": 1}}, "onhold"),
        ({"webRecordingConfig": {"url": "https://example.org"}}, "url"),
        ({"streamSubscribe": {}}, "streamSubscribe"),
        ({}, "nothing"),
    ],
)
def test_an_update_of_a_page_refuses(agora: AgoraCustomer, client_request: dict[str, Any], named: str) -> None:
    reply = started(agora, onhold=True).ask("update", **client_request)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]
