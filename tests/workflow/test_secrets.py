"""A provider's secret that is missing, malformed or refused: the row names it, never its value, and all wait for it."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.agora.credentials import AGORA_APP_CERTIFICATE
from tests.deployed import SLOW, drop, read, recording_of, until_ended, until_waits
from tests.workflow.aws_faults import begin_anew, function_of, function_with

NAME = "recording-insights/local/marsview"


@pytest.fixture
def secret(stack: LocalStack) -> Iterator[dict[str, str]]:
    """The present secret; put back afterwards, when the workers have forgotten what the test gave them."""
    client = stack.client("secretsmanager")
    text = client.get_secret_value(SecretId=NAME)["SecretString"]
    yield json.loads(text)
    if NAME in [found["Name"] for found in client.list_secrets()["SecretList"]]:
        client.put_secret_value(SecretId=NAME, SecretString=text)
    else:
        client.create_secret(Name=NAME, SecretString=text)
    new_workers(stack)


def new_workers(stack: LocalStack) -> None:
    for state in ("Submit recording", "Poll job"):
        begin_anew(stack, function_of(stack, state, "WorkflowArn"))


def test_missing(stack: LocalStack, clip: Path, secret: dict[str, str]) -> None:
    client = stack.client("secretsmanager")
    stack.set_wait_scale(SLOW)
    client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    new_workers(stack)
    recording_id = recording_of(stack, drop(stack, clip))
    reason = until_waits(stack, recording_id, "secret_unusable")["reason"]
    assert reason == f"secret {NAME}: it does not exist; create it with the keys apiKey, apiSecret, userId"

    client.create_secret(Name=NAME, SecretString=json.dumps(secret))
    new_workers(stack)
    assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("my-api-key", "it is not a JSON object with the keys apiKey, apiSecret, userId"),
        ('{"apiKey": "my-api-key", "userId": "me"}', "it lacks the key apiSecret"),
    ],
    ids=["no JSON", "a key too few"],
)
@pytest.mark.matrix
def test_malformed(stack: LocalStack, clip: Path, secret: dict[str, str], text: str, complaint: str) -> None:
    client = stack.client("secretsmanager")
    stack.set_wait_scale(SLOW)
    client.put_secret_value(SecretId=NAME, SecretString=text)
    new_workers(stack)
    recording_id = recording_of(stack, drop(stack, clip))
    assert until_waits(stack, recording_id, "secret_unusable")["reason"] == f"secret {NAME}: {complaint}"
    assert "my-api-key" not in json.dumps(read(stack, recording_id))

    client.put_secret_value(SecretId=NAME, SecretString=json.dumps(secret))
    new_workers(stack)
    assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.matrix
def test_a_start_reads_the_app_certificate_in_its_own_secret(stack: LocalStack) -> None:
    client, name = stack.client("secretsmanager"), "recording-insights/local/agora-certificate"
    starts = function_with(stack, "routes.start_recording.handler")
    stack.dials(agora={"app_certificate": AGORA_APP_CERTIFICATE})
    begin_anew(stack, starts)
    refused = stack.call_api("POST", "/recordings", {"channel": f"protected-{uuid4().hex[:8]}"})
    assert refused.status_code == 502, refused.text
    client.create_secret(Name=name, SecretString=json.dumps({"appCertificate": AGORA_APP_CERTIFICATE}))
    try:
        begin_anew(stack, starts)
        started = stack.call_api("POST", "/recordings", {"channel": f"protected-{uuid4().hex[:8]}"})
        assert started.status_code == 201, started.text
        until_ended(stack, started.json()["recording_id"])
    finally:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        begin_anew(stack, starts)


def test_rotated(stack: LocalStack, clip: Path, secret: dict[str, str]) -> None:
    """A function that holds an old copy reads the new one when the old is refused. What waited goes on by itself."""
    client = stack.client("secretsmanager")
    stack.set_wait_scale(SLOW)
    client.put_secret_value(SecretId=NAME, SecretString=json.dumps({**secret, "apiSecret": "of yesterday"}))
    new_workers(stack)
    recordings = [recording_of(stack, drop(stack, clip, f"rotated-{number}.mp4")) for number in range(5)]
    for recording_id in recordings:
        until_waits(stack, recording_id, "credentials_refused")

    client.put_secret_value(SecretId=NAME, SecretString=json.dumps(secret))

    assert [until_ended(stack, recording_id)["status"] for recording_id in recordings] == ["done"] * 5
