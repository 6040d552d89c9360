"""`make webhook-key` on the deployed stack, with IAM enforced: no callback under way is lost by a rotation."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from operations.deployed_stack import OperationFailed
from operations.webhook_key import revoke_former_key, rotate_webhook_key
from recording_insights.processing.callbacks import callback_token
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import drop, executions, process, read, recording_of, row, until, until_ended, until_entered
from tests.workflow.aws_faults import begin_anew, function_of, function_with
from tests.workflow.test_providers import called_back, key_for

STAGE = "local"
PROVIDER = "symbl"
"""Its callbacks show the token in their path."""


class Keys:
    """The secret of the webhooks, and the workers that have copies of it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack, self.name = stack, stack.outputs["WebhookSecretArn"]
        self.client = stack.client("secretsmanager")

    @property
    def value(self) -> dict[str, str]:
        return dict(json.loads(self.client.get_secret_value(SecretId=self.name)["SecretString"]))

    def put(self, value: dict[str, str]) -> None:
        self.client.put_secret_value(SecretId=self.name, SecretString=json.dumps(value))

    @property
    def submits(self) -> str:
        return function_of(self.stack, "Submit recording", "WorkflowArn")

    @property
    def receives(self) -> str:
        return function_with(self.stack, "routes.receive_callback.handler")


@pytest.fixture
def keys(stack: LocalStack) -> Iterator[Keys]:
    """The secret is put back afterwards, and nobody has a copy of another one."""
    keys = Keys(stack)
    before = keys.value
    yield keys
    keys.put(before)
    for function in (keys.submits, keys.receives):
        begin_anew(stack, function)


def call_back(stack: LocalStack, media: dict[str, Any], key: str) -> requests.Response:
    """POST the end of a job as Symbl does, with a token that was made with this key."""
    job = f"{media['recording_id']}-{media['media_id']}-0"
    url = f"{stack.api_url}/webhooks/{PROVIDER}/{job}/{callback_token(key, PROVIDER, job)}"
    return requests.post(url, json={"jobId": media["job_id"], "status": "completed"}, timeout=30)


def waiting_for_callback(stack: LocalStack, clip: Path) -> dict[str, Any]:
    """A media object whose job's callback does not come."""
    stack.dials(symbl={"callback": "lost"})
    recording_id = recording_of(stack, drop(stack, clip, key_for(PROVIDER)))
    until(lambda: executions(stack, read(stack, recording_id)), "the execution")
    [execution] = executions(stack, read(stack, recording_id))
    until_entered(stack, execution, "Await callback")
    [media] = read(stack, recording_id)["media"]
    return {**media, "recording_id": recording_id}


def test_a_rotation_loses_no_callback_and_the_former_key_can_be_ended(
    stack: LocalStack, clip: Path, keys: Keys
) -> None:
    first = keys.value["key"]
    # The worker that receives callbacks has a copy of the key from here on.
    assert called_back(stack, process(stack, clip, key_for(PROVIDER)))
    media = waiting_for_callback(stack, clip)

    outcome = rotate_webhook_key(STAGE, stack.client, lambda line: None)
    assert outcome.secret == keys.name
    second = keys.value["key"]
    assert keys.value == {"key": second, "previousKey": first}
    with pytest.raises(OperationFailed, match="FORCE=1"):
        rotate_webhook_key(STAGE, stack.client, lambda line: None)

    answer = call_back(stack, media, first)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "noted"})
    recording = until_ended(stack, media["recording_id"])
    assert recording["status"] == "done"
    assert called_back(stack, recording)

    # The one that submits knows the new key, the one that receives does not yet.
    begin_anew(stack, keys.submits)
    stack.dials(symbl={"callback": "once"})
    recording = process(stack, clip, key_for(PROVIDER))
    assert recording["status"] == "done"
    assert called_back(stack, recording)
    for key in (first, second):
        assert call_back(stack, media, key).json() == {"outcome": "over already"}

    assert not revoke_former_key(STAGE, stack.client, lambda line: None).rotated
    begin_anew(stack, keys.receives)
    assert call_back(stack, media, first).status_code == 401
    assert call_back(stack, media, second).json() == {"outcome": "over already"}
    assert (row(stack, media["recording_id"]) or {})["status"] == "done"
