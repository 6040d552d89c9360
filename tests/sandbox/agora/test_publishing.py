"""Web mode with a second service, which pushes the page's picture to CDNs."""

from typing import Any

import pytest

from tests.sandbox.agora.test_modes import PageTask, page_request, start_page
from tests.sandbox.conftest import AgoraCustomer, StandIns, until

CDN = "rtmp://live.example.com:1935/app/str3amk3y"
OTHER = "rtmps://other.example.com/app/0th3rk3y"
RUNNING = {"speed": 1e6, "joining_seconds": 0.0, "recording_seconds": 5, "idle_speed": 1.0}


def publisher(*urls: Any, **service: Any) -> dict[str, Any]:
    outputs = {"outputs": [{"rtmpUrl": url} for url in urls]}
    policy = {"errorHandlePolicy": "error_ignore"}
    return {"serviceName": "rtmp_publish_service", **policy, "serviceParam": outputs, **service}


def request_with(*services: Any) -> dict[str, Any]:
    """A start of a page with these services besides."""
    request = page_request()
    request["extensionServiceConfig"]["extensionServices"] += services
    return request


def started(agora: AgoraCustomer, *services: Any) -> PageTask:
    resource_id, reply = start_page(agora, request_with(*services))
    assert reply.status_code == 200, reply.json
    return PageTask(agora, resource_id, reply.json["sid"])


def states(task: PageTask) -> dict[str, Any]:
    """Each service's state in a query, by its name."""
    services = task.call("GET", "query", mode="web").json["serverResponse"]["extensionServiceState"]
    return {service["serviceName"]: service["payload"] for service in services}


def publishing(*urls: str) -> dict[str, Any]:
    return {"state": "inProgress", "outputs": [{"rtmpUrl": url, "status": "publishing"} for url in urls]}


def test_a_page_is_recorded_and_published(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=RUNNING)
    task = started(agora, publisher(CDN))
    until(lambda: states(task)["web_recorder_service"]["state"] == "inProgress")
    assert states(task)["rtmp_publish_service"] == publishing(CDN)
    services = task.ask("stop").json["serverResponse"]["extensionServiceState"]
    assert [service["serviceName"] for service in services] == ["upload_service", "web_recorder_service"]
    assert {key.rpartition(".")[2] for key in stand_ins.bucket.objects} == {"m3u8", "ts", "mp4"}


def test_before_the_page_is_there_nothing_is_published(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**RUNNING, "joins_at_query": 2})
    task = started(agora, publisher(CDN))
    told = {"state": "init", "outputs": [{"rtmpUrl": CDN, "status": "connecting"}]}
    assert states(task)["rtmp_publish_service"] == told
    task.ask("stop")


def test_an_update_replaces_the_outputs(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=RUNNING)
    task = started(agora, publisher(CDN))
    until(lambda: states(task)["rtmp_publish_service"] == publishing(CDN))
    assert task.ask("update", rtmpPublishConfig={"outputs": [{"rtmpUrl": OTHER}]}).status_code == 200
    assert states(task)["rtmp_publish_service"] == publishing(OTHER)
    assert task.ask("update", webRecordingConfig={"onhold": True}).status_code == 200
    assert states(task)["rtmp_publish_service"] == publishing(OTHER)
    task.ask("stop")


def test_without_the_service_there_is_nothing_to_update(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=RUNNING)
    task = started(agora)
    assert states(task).keys() == {"web_recorder_service"}
    reply = task.ask("update", rtmpPublishConfig={"outputs": [{"rtmpUrl": CDN}]}, webRecordingConfig={"onhold": True})
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert "rtmp_publish_service" in reply.json["reason"]
    assert not states(task)["web_recorder_service"]["onhold"], "all or nothing"
    task.ask("stop")


def test_stream_keys_stay_out_of_ledger_and_refusals(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=RUNNING)
    task = started(agora, publisher(CDN))
    task.ask("update", rtmpPublishConfig={"outputs": [{"rtmpUrl": OTHER}]})
    for wrong in ({"rtmpUrl": OTHER, "key": OTHER}, {"rtmpUrl": f"http{OTHER}"}):
        reply = task.ask("update", rtmpPublishConfig={"outputs": [wrong]})
        assert reply.status_code == 400
        assert "0th3rk3y" not in reply.text
    task.ask("stop")
    ledger = stand_ins.client.get("/ledger").text
    assert "agora.update" in ledger
    assert not any(secret in ledger for secret in ("str3amk3y", "0th3rk3y", "rtmp"))


@pytest.mark.parametrize(
    ("services", "named"),
    [
        ([publisher()], "serviceParam.outputs"),
        ([publisher("http://live.example.com/app")], "outputs[0].rtmpUrl is invalid"),
        ([publisher("rtmp:///app")], "outputs[0].rtmpUrl is invalid"),
        ([publisher(CDN, OTHER)], "serviceParam.outputs is invalid"),
        ([publisher(7)], "outputs[0].rtmpUrl is invalid"),
        ([publisher(serviceParam={})], "serviceParam.outputs is required"),
        ([publisher(serviceParam={"outputs": [{}]})], "outputs[0].rtmpUrl is required"),
        ([publisher(serviceParam={"outputs": [CDN]})], "outputs[0] must be an object"),
        ([publisher(CDN, errorHandlePolicy="error_abort")], "[1].errorHandlePolicy is invalid"),
        ([publisher(CDN, serviceName="rtmp_push")], "[1].serviceName is invalid"),
        ([publisher(CDN), publisher(OTHER)], "rtmp_publish_service not twice"),
        ([page_request()["extensionServiceConfig"]["extensionServices"][0]], "web_recorder_service once"),
        (["rtmp_publish_service"], "[1] must be an object"),
    ],
)
def test_it_refuses(shared_stand_ins: StandIns, services: list[Any], named: str) -> None:
    _, reply = start_page(AgoraCustomer(shared_stand_ins.client), request_with(*services))
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert named in reply.json["reason"]


def test_a_page_that_nobody_records_cannot_be_published(shared_stand_ins: StandIns) -> None:
    request = request_with(publisher(CDN))
    del request["extensionServiceConfig"]["extensionServices"][0]
    _, reply = start_page(AgoraCustomer(shared_stand_ins.client), request)
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert "web_recorder_service once" in reply.json["reason"]


def test_its_error_policy_may_be_left_out(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=RUNNING)
    service = publisher(CDN)
    del service["errorHandlePolicy"]
    started(agora, service).ask("stop")
