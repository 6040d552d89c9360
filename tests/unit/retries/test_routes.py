"""The routes that retry, as Lambda calls them."""

import io
import json
import wave
from types import ModuleType
from typing import Any

import pytest

from recording_insights.aws import clients
from recording_insights.aws.recordings_bucket import S3Media, S3TrackFolder
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import RetryStore
from routes import admit_object, cancel_retry, get_retry, list_retries, retry_many, retry_recording
from states import retry_page
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_step_functions import FakeStepFunctions
from tests.unit.fakes import FakeContext
from tests.unit.processing.flow import R
from tests.unit.retries.conftest import Scene
from tests.unit.wired import rewire


@pytest.fixture
def step_functions() -> FakeStepFunctions:
    return FakeStepFunctions(machine=ENVIRONMENT["WORKFLOW_ARN"])


@pytest.fixture(scope="module")
def bucket(fake_aws: None) -> str:
    clients.s3().create_bucket(
        Bucket="bucket-of-keys", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return "bucket-of-keys"


@pytest.fixture(autouse=True)
def deployed(
    media_store: MediaStore, bucket: str, step_functions: FakeStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment that the stack gives, in workers that have just started."""
    for name, value in {**ENVIRONMENT, "RECORDINGS_BUCKET": bucket}.items():
        monkeypatch.setenv(name, value)
    s3 = clients.s3()
    parts = {"s3_media": S3Media(s3), "folder": S3TrackFolder(s3, bucket), "media": media_store}
    rewire(monkeypatch, retry_recording, admit_object, retry_page, step_functions=step_functions, **parts)
    monkeypatch.setattr(clients, "table", lambda name, short_calls: media_store.table)
    machine = FakeStepFunctions(machine=ENVIRONMENT["RETRIES_ARN"])
    rewire(monkeypatch, retry_many, get_retry, list_retries, cancel_retry, step_functions=machine, media=media_store)
    for module in (retry_page, retry_many, get_retry, list_retries, cancel_retry):
        vars(module.wiring)["retries"] = RetryStore(media_store.table, media_store.now)


ANN = "arn:aws:sts::123456789012:assumed-role/operators/ann"


def call(module: ModuleType, body: Any = None, **path: str) -> tuple[int, Any]:
    context = {"authorizer": {"iam": {"userArn": ANN}}}
    event = {"body": None if body is None else json.dumps(body), "pathParameters": path, "requestContext": context}
    answer = module.handler(event, FakeContext())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_failed_recording_is_retried(scene: Scene, step_functions: FakeStepFunctions) -> None:
    row = scene.fail()

    status, answer = call(retry_recording, recording_id=R)

    assert (status, answer["media"][0]["media_id"]) == (202, row["media_id"])
    [state] = step_functions.executions.values()
    assert state == {"recording_id": R, "media_id": row["media_id"], "key": row["key"]}
    assert scene.row(row["media_id"]).get("retried_by") == ANN
    status, problem = call(retry_recording, {"force": True}, recording_id=R)
    assert (status, problem["detail"]) == (409, f"media object {row['media_id']} is at work: its status is submitted")
    status, problem = call(retry_recording, {"provider": "symbl"}, recording_id=R)
    assert (status, problem["detail"]) == (400, "provider: must be one of marsview, deepgram")
    assert call(retry_recording, recording_id="0" * 32)[0] == 404


def test_an_object_is_taken_by_its_key(bucket: str, step_functions: FakeStepFunctions, media_store: MediaStore) -> None:
    key, content = "by hand/two words+.wav", io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    clients.s3().put_object(Bucket=bucket, Key=key, Body=content.getvalue())
    clients.s3().put_object(Bucket=bucket, Key="page.mp3", Body=b"<html></html>")

    status, admitted = call(admit_object, {"key": key})

    assert status == 202
    row = media_store.get(admitted["recording_id"], admitted["media_id"])
    assert (row["key"], row["duration_ms"], row["execution"]) == (key, 1000, admitted["execution"])
    assert row["admitted_by"] == ANN
    assert list(step_functions.executions) == [admitted["execution"]]
    assert call(admit_object, {"key": key})[0] == 409
    assert call(admit_object, {"key": "gone.wav"})[0] == 404
    status, problem = call(admit_object, {"key": "page.mp3"})
    assert (status, problem["detail"][:26]) == (409, "page.mp3 is not processed:")


def test_the_caller_may_name_the_provider_of_an_object(bucket: str, media_store: MediaStore) -> None:
    content = io.BytesIO()
    with wave.open(content, "wb") as silence:
        silence.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        silence.writeframes(bytes(16000))
    clients.s3().put_object(Bucket=bucket, Key="interviews/old.wav", Body=content.getvalue())

    admitted = call(admit_object, {"key": "interviews/old.wav", "provider": "marsview"})[1]

    assert media_store.get(admitted["recording_id"], admitted["media_id"])["provider"] == "marsview"


def test_many_are_retried(scene: Scene, step_functions: FakeStepFunctions) -> None:
    scene.fail()
    scene.clock.elapsed += 1
    assert call(retry_many, {"dry_run": True})[0] == 200
    assert call(retry_many)[0] == 400, "a body is needed, though it may be empty"
    status, retry = call(retry_many, {})
    assert (status, retry["status"], retry["started_by"]) == (202, "queued", ANN)
    scene.clock.elapsed += 1

    page = retry_page.handler({"retry_id": retry["retry_id"]}, FakeContext(300_000))

    assert page == {"retry_id": retry["retry_id"], "outcome": "over"}
    assert len(step_functions.executions) == 1
    status, ended = call(get_retry, retry_id=retry["retry_id"])
    assert (status, ended["status"], ended["counts"]["begun"]) == (200, "done", 1)
    assert call(list_retries) == (200, {"retries": [ended]})
    assert call(cancel_retry, retry_id=retry["retry_id"])[0] == 409
    assert call(get_retry, retry_id="LATEST")[0] == 404
    _, another = call(retry_many, {})
    status, canceled = call(cancel_retry, retry_id=another["retry_id"])
    assert (status, canceled["canceled_by"]) == (202, ANN)
