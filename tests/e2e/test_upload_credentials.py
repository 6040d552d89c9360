"""What Agora is given to write a recording with is good for that and nothing else; its key can be exchanged."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import botocore.auth
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.settings import StackSettings
from recording_insights.agora.storage import RecordingsBucket
from recording_insights.agora.upload_credentials import SECRET_KEYS, Uploader
from recording_insights.deadline import Deadline
from sandbox.cloud.local_cloud import LocalCloud
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT
from tests.deployed import SLOW, STAYS, until_ended, until_recording

RECORDING, ANOTHER = "a" * 32, "b" * 32
SECRET = "recording-insights/local/agora-uploader"

Clients = Callable[[str], Any]


def stored_key(stack: LocalStack) -> dict[str, str]:
    key: dict[str, str] = json.loads(stack.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"])
    return key


def clients_of(stack: LocalStack, access_key_id: str, secret_access_key: str, session: str | None = None) -> Clients:
    return lambda service: stack.client(
        service,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        aws_session_token=session,
        # boto3 would sign links as of old.
        **({"config": Config(signature_version="s3v4")} if service == "s3" else {}),
    )


def federated_for(stack: LocalStack, recording_id: str) -> Clients:
    """With credentials as a start makes them for Agora."""
    uploader = Uploader(
        lambda fresh: stored_key(stack),
        RecordingsBucket(stack.outputs["RecordingsBucketName"], stack.region),
        lambda *key: clients_of(stack, *key)("sts"),
    )
    given = uploader.credentials_for(("recordings", recording_id), Deadline.after(20))
    return clients_of(stack, given.access_key, given.secret_key, given.session_token)


@pytest.fixture
def federated(stack: LocalStack) -> Clients:
    return federated_for(stack, RECORDING)


@pytest.fixture
def user(stack: LocalStack) -> Clients:
    """With the key of Agora's user itself."""
    return clients_of(stack, *(stored_key(stack)[name] for name in SECRET_KEYS))


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as error:
        call()
    return str(error.value.response["Error"]["Code"])


def test_a_token_writes_under_its_recording_and_does_nothing_else(stack: LocalStack, federated: Clients) -> None:
    bucket, s3 = stack.outputs["RecordingsBucketName"], federated("s3")
    own = f"recordings/{RECORDING}/note.txt"
    s3.put_object(Bucket=bucket, Key=own, Body=b"x")
    another, deeper = f"recordings/{ANOTHER}/note.txt", f"recordings/{RECORDING}/{ANOTHER}/note.txt"
    for key in (another, deeper, f"recordings/{RECORDING}", "recordings/note.txt", "note.txt"):
        assert refused(partial(s3.put_object, Bucket=bucket, Key=key, Body=b"x")) == "AccessDenied", key
    replies = stack.outputs["RepliesBucketName"]
    assert refused(lambda: s3.put_object(Bucket=replies, Key=own, Body=b"x")) == "AccessDenied"
    assert refused(lambda: s3.get_object(Bucket=bucket, Key=own)) == "AccessDenied"
    assert refused(lambda: s3.delete_object(Bucket=bucket, Key=own)) == "AccessDenied"
    assert refused(lambda: s3.list_objects_v2(Bucket=bucket, Prefix=f"recordings/{RECORDING}/")) == "AccessDenied"
    sts, iam = federated("sts"), federated("iam")
    assert refused(lambda: sts.get_federation_token(Name="more")) == "AccessDenied"
    assert refused(lambda: iam.list_access_keys()) == "AccessDenied"
    assert refused(lambda: iam.create_access_key(UserName=stack.outputs["AgoraUploaderName"])) == "AccessDenied"


def test_the_key_itself_writes_nothing_and_cannot_read_or_list_either(
    stack: LocalStack, user: Clients, federated: Clients
) -> None:
    bucket, s3 = stack.outputs["RecordingsBucketName"], user("s3")
    key = f"recordings/{RECORDING}/note.txt"
    for each in (key, "note.txt", "recordings/note.txt", f"recordings/{RECORDING}/deeper/note.txt"):
        assert refused(partial(s3.put_object, Bucket=bucket, Key=each, Body=b"x")) == "AccessDenied", each
        assert refused(partial(s3.create_multipart_upload, Bucket=bucket, Key=each)) == "AccessDenied", each
    federated("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    assert refused(lambda: s3.get_object(Bucket=bucket, Key=key)) == "AccessDenied"
    assert refused(lambda: s3.list_objects_v2(Bucket=bucket)) == "AccessDenied"
    assert refused(lambda: user("secretsmanager").get_secret_value(SecretId=SECRET)) == "AccessDeniedException"
    assert refused(lambda: user("iam").list_access_keys()) == "AccessDenied"


def test_no_link_outlives_the_setting(stack: LocalStack, federated: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    s3, key = federated("s3"), f"recordings/{RECORDING}/note.txt"

    def status(age_minutes: int) -> int:
        signed_at = datetime.now(UTC) - timedelta(minutes=age_minutes)
        with monkeypatch.context() as past:
            past.setattr(botocore.auth, "get_current_datetime", lambda **_: signed_at.replace(tzinfo=None))
            given = {"Bucket": stack.outputs["RecordingsBucketName"], "Key": key}
            link = s3.generate_presigned_url("put_object", Params=given, ExpiresIn=12 * 3600)
        return requests.put(link, data=b"x", timeout=30).status_code

    minutes = StackSettings("local", "marsview").link_minutes
    assert [status(0), status(minutes - 1), status(minutes + 1)] == [200, 200, 403]


def rotate(stack: LocalStack, stage: str = "local", *options: str) -> "subprocess.CompletedProcess[str]":
    """The command, as an operator runs it."""
    cloud = LocalCloud(stack.endpoint_url, stack.access_key_id, stack.secret_access_key)
    return subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-m", "operations.agora_key", "--stage", stage, "--json", *options],
        env=cloud.environment(),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_rotating_the_key_disturbs_no_recording(stack: LocalStack) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora={"stands_at_seconds": 3.0, **STAYS})
    under_way = stack.call_api("POST", "/recordings", json={"channel": f"while the key changes {uuid4().hex[:8]}"})
    assert under_way.status_code == 201
    for _ in range(2):
        former = stored_key(stack)
        outcome = rotate(stack)
        assert outcome.returncode == 0, outcome.stderr
        assert json.loads(outcome.stdout)["deleted_keys"] == [former["accessKeyId"]]
        assert stored_key(stack) != former
        assert not any(key["secretAccessKey"] in outcome.stdout + outcome.stderr for key in (former, stored_key(stack)))
        sts = clients_of(stack, *(former[name] for name in SECRET_KEYS))("sts")
        assert refused(partial(sts.get_federation_token, Name="former")) == "InvalidClientTokenId"

    # The function holds a copy of the first key still.
    afterwards = stack.call_api("POST", "/recordings", json={"channel": f"after the key changed {uuid4().hex[:8]}"})
    assert afterwards.status_code == 201, afterwards.text
    for started in (under_way, afterwards):
        recording_id = started.json()["recording_id"]
        until_recording(stack, recording_id)
        assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
        assert until_ended(stack, recording_id)["status"] == "done"


def test_a_revocation_ends_the_tokens_of_before(stack: LocalStack) -> None:
    bucket, key = stack.outputs["RecordingsBucketName"], f"recordings/{RECORDING}/note.txt"
    before, former = federated_for(stack, RECORDING)("s3"), stored_key(stack)
    before.put_object(Bucket=bucket, Key=key, Body=b"x")
    outcome = rotate(stack, "local", "--revoke")
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["deleted_keys"] == [former["accessKeyId"]]
    assert refused(partial(before.put_object, Bucket=bucket, Key=key, Body=b"x")) == "AccessDenied"
    federated_for(stack, RECORDING)("s3").put_object(Bucket=bucket, Key=key, Body=b"x")

    afterwards = stack.call_api("POST", "/recordings", json={"channel": f"after the revocation {uuid4().hex[:8]}"})
    assert until_ended(stack, afterwards.json()["recording_id"])["status"] == "done"


def test_a_stage_that_is_not_deployed_is_named(stack: LocalStack) -> None:
    outcome = rotate(stack, "nowhere")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "There is no stack RecordingInsights-nowhere in us-east-1: `make deploy STAGE=nowhere`" in outcome.stderr
