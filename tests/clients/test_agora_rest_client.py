"""The community's published client of Agora Cloud Recording against the stand-in, in every mode that it offers."""

# mypy: disable-error-code="import-untyped"
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agora_rest_client.core.client import Client
from agora_rest_client.core.domain import Domain, EndpointRegion
from agora_rest_client.core.exceptions import ClientRequestException, ServiceResponseException
from agora_rest_client.services.cloud_recording.v1 import api_start, api_update, api_update_layout
from agora_rest_client.services.cloud_recording.v1.api import SnapshotType
from agora_rest_client.services.cloud_recording.v1.individual_recording.individual_recording_client import (
    IndividualRecordingClient,
)
from agora_rest_client.services.cloud_recording.v1.mix_recording.mix_recording_client import MixRecordingClient
from agora_rest_client.services.cloud_recording.v1.web_recording.web_recording_client import WebRecordingClient

from sandbox.stand_ins.agora.credentials import AGORA_APP_ID, AGORA_CUSTOMER_ID, AGORA_CUSTOMER_SECRET
from sandbox.stand_ins.runtime.runtime import Runtime
from tests.sandbox.fake_bucket import FakeBucket

KINDS = {"audio": "audio", "video": "video", "av": "audio_and_video"}
QUICK = {"requests_per_second": 0, "speed": 40.0, "joining_seconds": 0.0, "slice_seconds": 4.0}


class Loopback(Domain):  # type: ignore[misc]
    """One host; the client would look up the names of Agora's, again every 30 s on a thread that never ends."""

    def __init__(self, host: str) -> None:
        super().__init__(EndpointRegion.US.value)
        self._domain_list = [host]

    def run(self, logger: Any) -> None:
        self.set_logger(logger)


@pytest.fixture
def bucket(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    bucket = FakeBucket()
    monkeypatch.setattr(runtime, "open_bucket", bucket.open)
    runtime.ledger.reset()
    runtime.dials.change({"agora": QUICK})
    yield bucket
    runtime.jobs.join()
    runtime.dials.reset()


@pytest.fixture
def host(served: str, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch) -> str:
    # The scheme is written into the client; the path before the API's own passes as a part of the host.
    monkeypatch.setattr(Client, "get_api_url", lambda self, host, url, service_region=None: f"http://{host}{url}")
    return f"{served.removeprefix('http://')}/agora"


def built(kind: Any, host: str, secret: str = AGORA_CUSTOMER_SECRET) -> Any:
    builder = kind.new_builder().with_app_id(AGORA_APP_ID).with_credential_basic_auth(AGORA_CUSTOMER_ID, secret)
    return builder.with_domain(Loopback(host)).build()


def storage() -> api_start.StorageConfig:
    return api_start.StorageConfig(
        vendor=1, region=0, bucket="recordings", accessKey="AKIDEXAMPLE", secretKey="example", fileNamePrefix=["calls"]
    )


def in_progress(client: Any, resource_id: str, sid: str) -> Any:
    """serverResponse of a query, once there is a file. Pytest's limit ends a wait in vain."""
    while True:
        response = client.query(resource_id, sid).serverResponse
        if response.get("fileList") or any(
            service["payload"]["fileList"] for service in response.get("extensionServiceState", [])
        ):
            return response
        time.sleep(0.02)


def until(seen: Callable[[], bool]) -> None:
    """Wait. Pytest's limit ends a wait in vain."""
    while not seen():
        time.sleep(0.02)


def test_individual(host: str, bucket: FakeBucket, runtime: Runtime) -> None:
    client = built(IndividualRecordingClient, host)
    resource_id = client.acquire("room", "527841").resourceId
    config = api_start.RecordingConfig(
        channelType=0, streamTypes=0, streamMode="original", subscribeUidGroup=0, subscribeAudioUids=["#allstream#"]
    )
    started = client.start(resource_id, "room", "527841", None, storage(), config)
    assert (started.cname, started.uid, started.resourceId) == ("room", "527841", resource_id)
    response = in_progress(client, resource_id, started.sid)
    assert (response["status"], response["fileListMode"]) == (5, "json")
    subscribe = api_update.StreamSubscribe(
        audioUidList=api_update.AudioUidList(subscribeAudioUids=["1001"]),
    )
    assert client.update(resource_id, started.sid, "room", "527841", subscribe).sid == started.sid
    stopped = client.stop(resource_id, started.sid, "room", "527841").serverResponse
    assert stopped["uploadingStatus"] == "uploaded"
    names = [f"calls/{started.sid}_room__uid_s_{uid}__uid_e_audio.m3u8" for uid in (1001, 1002)]
    assert [file["fileName"] for file in stopped["fileList"]] == names
    assert sorted(bucket.ending_in(".m3u8")) == names
    assert bucket.ending_in(".ts")
    calls = [line["call"] for line in runtime.ledger.as_json()["lines"]]
    assert calls[:2] == ["agora.acquire", "agora.start"]
    assert calls[-2:] == ["agora.update", "agora.stop"]


@pytest.mark.matrix
def test_individual_with_video_and_snapshots(host: str, bucket: FakeBucket) -> None:
    client = built(IndividualRecordingClient, host)
    first = client.acquire("room", "527842").resourceId
    resource_id = client.acquire("room", "527841", exclude_resource_ids=[first], region_affinity=1).resourceId
    config = api_start.RecordingConfig(
        channelType=0, streamTypes=2, streamMode="standard", subscribeUidGroup=0, unsubscribeVideoUids=["1002"]
    )
    snapshots = api_start.SnapshotConfig(captureInterval=5, fileType=["jpg"])
    sid = client.start(resource_id, "room", "527841", None, storage(), config, snapshot_config=snapshots).sid
    in_progress(client, resource_id, sid)
    watch = api_update.StreamSubscribe(videoUidList=api_update.VideoUidList(subscribeVideoUids=["#allstream#"]))
    assert client.update(resource_id, sid, "room", "527841", watch).sid == sid
    his = f"calls/{sid}_room__uid_s_1002__uid_e_video_"
    until(lambda: any(key.startswith(his) for key in bucket.ending_in(".jpg")))
    files = client.stop(resource_id, sid, "room", "527841").serverResponse["fileList"]
    names = {f"calls/{sid}_room__uid_s_{uid}__uid_e_{kind}.m3u8" for uid in (1001, 1002) for kind in KINDS}
    assert {file["fileName"] for file in files} == set(bucket.ending_in(".m3u8")) == names
    assert {file["trackType"] for file in files} == set(KINDS.values())
    assert all(bucket.objects[key].startswith(b"\xff\xd8\xff") for key in bucket.ending_in(".jpg"))


@pytest.mark.matrix
def test_individual_with_snapshots_alone(host: str, bucket: FakeBucket) -> None:
    client = built(IndividualRecordingClient, host)
    resource_id = client.acquire("room", "527841").resourceId
    config = api_start.RecordingConfig(channelType=0, streamTypes=1, subscribeUidGroup=0)
    alone, snapshots = SnapshotType.SNAPSHOT_NO_RECORDING.value, api_start.SnapshotConfig(fileType=["jpg"])
    sid = client.start(resource_id, "room", "527841", None, storage(), config, alone, snapshots).sid
    until(lambda: len(bucket.ending_in(".jpg")) >= 2)
    assert "fileList" not in client.query(resource_id, sid).serverResponse
    assert client.stop(resource_id, sid, "room", "527841").serverResponse == {"uploadingStatus": "uploaded"}
    assert set(bucket.objects) == set(bucket.ending_in(".jpg"))


def test_mix(host: str, bucket: FakeBucket) -> None:
    client = built(MixRecordingClient, host)
    resource_id = client.acquire("room", "527841", resource_expired_hour=24).resourceId
    config = api_start.RecordingConfig(channelType=0, streamTypes=0, maxIdleTime=300, audioProfile=1)
    sid = client.start(resource_id, "room", "527841", None, storage(), config).sid
    assert in_progress(client, resource_id, sid)["status"] == 5
    subscribe = api_update.StreamSubscribe(
        audioUidList=api_update.AudioUidList(subscribeAudioUids=["#allstream#"]),
    )
    assert client.update(resource_id, sid, "room", "527841", subscribe).sid == sid
    region = api_update_layout.LayoutConfig(uid="1001", x_axis=0.0, y_axis=0.0, width=1, height=1, alpha=1)
    laid_out = client.update_layout(
        resource_id, sid, "room", "527841", mixed_video_layout=3, background_color="#00ff00", layout_config=[region]
    )
    assert laid_out.sid == sid
    stopped = client.stop(resource_id, sid, "room", "527841").serverResponse
    assert [file["fileName"] for file in stopped["fileList"]] == [f"calls/{sid}_room.m3u8", f"calls/{sid}_room_0.mp4"]
    assert bucket.ending_in(".mp4") == [f"calls/{sid}_room_0.mp4"]


def test_web(host: str, bucket: FakeBucket) -> None:
    client = built(WebRecordingClient, host)
    resource_id = client.acquire("page", "527841").resourceId
    page = api_start.ServiceParam(
        url="https://example.org", audioProfile=0, videoWidth=1280, videoHeight=720, maxRecordingHour=1
    )
    service = api_start.ExtensionServices(
        serviceName="web_recorder_service", errorHandlePolicy="error_abort", serviceParam=page
    )
    extension = api_start.ExtensionServiceConfig(errorHandlePolicy="error_abort", extensionServices=[service])
    sid = client.start(resource_id, "page", "527841", storage(), extension).sid
    in_progress(client, resource_id, sid)
    on_hold = api_update.WebRecordingConfig(onhold=True)
    assert client.update(resource_id, sid, "page", "527841", web_recording_config=on_hold).sid == sid
    [state] = client.query(resource_id, sid).serverResponse["extensionServiceState"]
    assert state["payload"]["onhold"]
    cdn = api_update.RtmpPublishConfig(outputs=[api_update.Outputs(rtmpUrl="rtmp://live.example.com/app/key")])
    with pytest.raises(ServiceResponseException, match="rtmp_publish_service"):
        client.update(resource_id, sid, "page", "527841", rtmp_publish_config=cdn)
    stopped = client.stop(resource_id, sid, "page", "527841").serverResponse
    assert stopped["extensionServiceState"][0]["payload"]["uploadingStatus"] == "uploaded"
    assert bucket.ending_in(".mp4") == [f"calls/{sid}_page_0.mp4"]


def test_an_asynchronous_stop(host: str, bucket: FakeBucket, runtime: Runtime) -> None:
    client = built(MixRecordingClient, host)
    resource_id = client.acquire("room", "527841").resourceId
    sid = client.start(resource_id, "room", "527841", None, storage(), api_start.RecordingConfig(channelType=0)).sid
    in_progress(client, resource_id, sid)
    assert client.stop(resource_id, sid, "room", "527841", async_stop=True).serverResponse == {}
    runtime.jobs.join()
    assert bucket.ending_in(".mp4") == [f"calls/{sid}_room_0.mp4"]


def test_it_takes_a_second_start_for_success(host: str, bucket: FakeBucket) -> None:
    client = built(MixRecordingClient, host)
    resource_id = client.acquire("room", "527841").resourceId
    config = api_start.RecordingConfig(channelType=0)
    first = client.start(resource_id, "room", "527841", None, storage(), config)
    second = client.start(resource_id, "room", "527841", None, storage(), config)
    assert (second.code, second.sid) == (7, None)
    in_progress(client, resource_id, first.sid)
    client.stop(resource_id, first.sid, "room", "527841")


def test_refusals_carry_code_and_reason(host: str, bucket: FakeBucket) -> None:
    client = built(IndividualRecordingClient, host)
    resource_id = client.acquire("room", "527841").resourceId
    with pytest.raises(ServiceResponseException) as refused:
        client.start(resource_id, "room", "527841", None, storage(), api_start.RecordingConfig(channelType=0))
    assert (refused.value.status_code, refused.value.error_code) == (400, 2)
    assert "subscribeUidGroup" in refused.value.error_msg
    with pytest.raises(ServiceResponseException, match="worker"):
        client.query(resource_id, "0" * 32)
    with pytest.raises(ServiceResponseException, match="401"):
        built(IndividualRecordingClient, host, secret="wrong").acquire("room", "527841")


@pytest.mark.parametrize(("status", "code"), [(206, 65), (500, 62), (504, 62)])
def test_every_error_can_be_asked_for(host: str, bucket: FakeBucket, runtime: Runtime, status: int, code: int) -> None:
    failure = {"call": "agora.acquire", "status": status, "body": {"code": code, "reason": "request not completed"}}
    runtime.dials.change({"fail_next": [failure]})
    client = built(MixRecordingClient, host)
    with pytest.raises(ClientRequestException) as failed:
        client.acquire("room", "527841")
    assert (failed.value.status_code, failed.value.error_code) == (status, code)
    assert client.acquire("room", "527841").resourceId
