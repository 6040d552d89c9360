"""Wrong requests to Agora get Agora's own errors."""

import base64
from typing import Any

import pytest

from tests.sandbox.conftest import AgoraCustomer, StandIns, start_request

GOOD = {"cname": "room_1", "uid": "42", "clientRequest": {}}


@pytest.fixture
def stand_ins(shared_stand_ins: StandIns) -> StandIns:
    return shared_stand_ins


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/acquire"), ("POST", "/aquire"), ("PUT", "/acquire"), ("POST", "/resourceid/r/sid/s/mode/mix/query")],
)
def test_wrong_route_is_the_gateways_404(agora: AgoraCustomer, method: str, path: str) -> None:
    reply = agora.call(method, path, json=GOOD)
    assert (reply.status_code, reply.json) == (404, {"message": "no Route matched with those values"})


@pytest.mark.parametrize("header", [None, "Bearer abc", "Basic ???", "Basic " + base64.b64encode(b"a:b").decode()])
def test_wrong_credentials_are_401(agora: AgoraCustomer, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    reply = agora.call("POST", "/acquire", json=GOOD, auth=None, headers=headers)
    assert reply.status_code == 401
    assert reply.json.keys() == {"message"}


def test_foreign_app_id_is_the_gateways_400(agora: AgoraCustomer) -> None:
    agora.root = agora.root.replace("/apps/", "/apps/0")
    reply = agora.call("POST", "/acquire", json=GOOD)
    assert (reply.status_code, reply.json) == (400, {"message": "appid is invalid"})


@pytest.mark.parametrize("sent", [{"data": b"{", "content_type": "application/json"}, {"data": b"{}"}, {"json": [1]}])
def test_what_is_no_json_object_is_code_8(agora: AgoraCustomer, sent: dict[str, Any]) -> None:
    reply = agora.call("POST", "/acquire", **sent)
    assert (reply.status_code, reply.json["code"]) == (400, 8)


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"cname": None}, 401),
        ({"cname": "ä"}, 401),
        ({"cname": "x" * 64}, 401),
        ({"cname": "a/b"}, 401),
        ({"uid": 42}, 2),
        ({"uid": "0"}, 2),
        ({"uid": "4294967296"}, 2),
        ({"uid": "01"}, 2),
        ({"uid": "me"}, 2),
        ({"clientRequest": []}, 2),
        ({"clientRequest": {"scene": "0"}}, 2),
        ({"clientRequest": {"resourceExpiredHour": 721}}, 2),
        ({"clientRequest": {"resourceExpiredHour": True}}, 2),
        ({"clientRequest": {"region": "eu"}}, 2),
        ({"clientRequest": {"regionAffinity": 5}}, 2),
        ({"clientRequest": {"excludeResourceIds": "r"}}, 2),
        ({"clientRequest": {"excludeResourceIds": ["r"]}}, 2),
        ({"clientRequest": {"startParameter": []}}, 2),
    ],
)
def test_acquire_refuses(agora: AgoraCustomer, spoilt: dict[str, Any], code: int) -> None:
    reply = agora.call("POST", "/acquire", json={**GOOD, **spoilt})
    assert (reply.status_code, reply.json["code"]) == (400, code)
    assert reply.json["reason"]


@pytest.mark.parametrize("missing", ["cname", "uid", "clientRequest"])
def test_acquire_needs(agora: AgoraCustomer, missing: str) -> None:
    reply = agora.call("POST", "/acquire", json={name: GOOD[name] for name in GOOD if name != missing})
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert missing in reply.json["reason"]


@pytest.mark.parametrize(
    ("spoilt", "named"),
    [
        ({"without": "storageConfig"}, "storageConfig"),
        ({"without": "recordingConfig"}, "recordingConfig"),
        *(
            ({"without": f"storageConfig.{name}"}, f"storageConfig.{name}")
            for name in ("vendor", "region", "bucket", "accessKey", "secretKey")
        ),
        ({"storage": {"vendor": 0}}, "vendor"),
        ({"storage": {"vendor": "1"}}, "vendor"),
        ({"storage": {"region": "us-east-1"}}, "region"),
        ({"storage": {"region": 17}}, "region"),
        ({"storage": {"region": False}}, "region"),
        ({"storage": {"bucket": ""}}, "bucket"),
        ({"storage": {"fileNamePrefix": "recordings"}}, "fileNamePrefix"),
        ({"storage": {"fileNamePrefix": ["a-b"]}}, "fileNamePrefix"),
        ({"storage": {"fileNamePrefix": ["a/b"]}}, "fileNamePrefix"),
        ({"storage": {"fileNamePrefix": ["a" * 64, "b" * 64]}}, "fileNamePrefix"),
        ({"storage": {"extensionParams": {"sse": "aes256"}}}, "extensionParams"),
        ({"storage": {"stsToken": "t"}}, "stsExpiration"),
        ({"storage": {"stsToken": "t", "stsExpiration": 1_800_000_000 + 4 * 3600 - 1}}, "stsExpiration"),
        ({"storage": {"stsExpiration": 1_800_000_000 + 4 * 3600}}, "stsToken"),
        ({"storage": {"stsToken": "", "stsExpiration": 1_800_000_000 + 4 * 3600}}, "stsToken"),
        ({"storage": {"stsToken": "t", "stsExpiration": "1800014400"}}, "stsExpiration"),
        ({"recording": {"channelType": 2}}, "channelType"),
        ({"recording": {"channelType": "0"}}, "channelType"),
        ({"recording": {"streamTypes": 3}}, "streamTypes"),
        ({"recording": {"maxIdleTime": 4}}, "maxIdleTime"),
        ({"recording": {"streamMode": "default"}}, "streamMode"),
        ({"recording": {"subscribeAudioUids": [1]}}, "subscribeAudioUids"),
        ({"recording": {"subscribeAudioUids": ["1"], "unsubscribeAudioUids": ["2"]}}, "subscribeAudioUids"),
        ({"recordingFileConfig": {"avFileType": ["mp4"]}}, "avFileType"),
        ({"recordingFileConfig": {"avFileType": "hls"}}, "avFileType"),
        ({"token": 7}, "token"),
        ({"mode": "composite"}, "mode"),
        ({"mode": "individual"}, "subscribeUidGroup"),
        ({"mode": "individual", "recording": {"subscribeUidGroup": 6}}, "subscribeUidGroup"),
        ({"mode": "individual", "recording": {"subscribeUidGroup": 0}}, "avFileType"),
    ],
)
def test_start_refuses(agora: AgoraCustomer, spoilt: dict[str, Any], named: str) -> None:
    reply = agora.start(agora.acquire(), **spoilt)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]
    assert "wJalrXUtnFEMI" not in reply.text


def test_start_takes_a_session_token_good_for_4_hours(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"recording_seconds": 0, "joining_seconds": 0})
    agora.started(storage={"stsToken": "t", "stsExpiration": 1_800_000_000 + 4 * 3600}).stop()
    assert stand_ins.bucket.opened[0].session_token == "t"


@pytest.mark.parametrize(
    ("acquired", "mode", "parts"),
    [
        ({"cname": "another"}, "mix", {}),
        ({"uid": "43"}, "mix", {}),
        ({"scene": 1}, "mix", {}),
        ({"startParameter": start_request(token="other")}, "mix", {}),
    ],
)
def test_start_must_match_acquire(
    agora: AgoraCustomer, acquired: dict[str, Any], mode: str, parts: dict[str, Any]
) -> None:
    reply = agora.start(agora.acquire(**acquired), mode, **parts)
    assert (reply.status_code, reply.json["code"]) == (400, 432)


def test_unknown_resource_is_code_1001(agora: AgoraCustomer) -> None:
    reply = agora.start("nonsense")
    assert (reply.status_code, reply.json["code"]) == (400, 1001)


def test_a_resource_lives_5_minutes(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    resource_id = agora.acquire()
    stand_ins.now[0] += 5 * 60 + 1
    reply = agora.start(resource_id)
    assert (reply.status_code, reply.json["code"]) == (400, 433)
