"""The README's calls and the sandbox page's snippets, run against the deployed stack as they are written."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import SLOW, STAYS, recording_of, until, until_ended
from tests.docs.commands import Call, commands_of, curl_call
from tests.docs.examples import fields_in, parse
from tests.docs.pages import PROJECT, Page, page

README = page("README.md")
SANDBOX = page("docs/sandbox.md")


def calls_of(read: Page, stack: LocalStack, recording_id: str) -> list[Call]:
    """The page's curl commands in order, with the variables that they name."""
    variables = {
        "API_URL": stack.api_url,
        "AWS_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": stack.access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.secret_access_key,
        "RECORDING_ID": recording_id,
    }
    return [curl_call(command, variables) for command in commands_of(read) if command.program == "curl"]


def send(stack: LocalStack, call: Call) -> requests.Response:
    """Send what curl would send: SigV4 for the region and the service that the command names."""
    assert call.signature == f"aws:amz:{stack.region}:execute-api"
    body = None if call.body is None else json.loads(call.body)
    return stack.call_api(call.method, call.path, json=body, headers=call.headers)


def until_files(stack: LocalStack, recording_id: str) -> None:
    """Wait until the recorder has written a file."""
    files = {"Bucket": stack.outputs["RecordingsBucketName"], "Prefix": f"recordings/{recording_id}/"}
    until(lambda: stack.client("s3").list_objects_v2(**files).get("Contents"), "a file of the recorder")


def test_the_readmes_calls_start_stop_and_read_a_recording(stack: LocalStack) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    unknown = "0" * 32
    start, _, _ = calls_of(README, stack, unknown)
    started = send(stack, start)
    assert started.status_code == 201, started.text
    recording_id = started.json()["recording_id"]
    until_files(stack, recording_id)

    _, stop, insights = calls_of(README, stack, recording_id)
    stopped = send(stack, stop)
    assert stopped.status_code == 202, stopped.text
    assert stopped.json()["recording_id"] == recording_id

    ended = until_ended(stack, recording_id)
    assert ended["status"] == "done", ended
    answer = send(stack, insights)
    assert answer.status_code == 200, answer.text
    [example] = [fence for fence in README.fences if fence.info[:2] == ("json", "answer")]
    assert set(fields_in(parse(example.text))) <= set(fields_in(answer.json()))
    assert answer.json()["provider"] == parse(example.text)["provider"]


@pytest.fixture
def project_with_a_running_stack(stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the snippets find the test's stack where `make up` leaves the user's."""
    (tmp_path / ".local").mkdir()
    stack.save(tmp_path / ".local" / "stack.json")
    (tmp_path / "sandbox").symlink_to(PROJECT / "sandbox")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def snippet(number: int) -> str:
    """One of the sandbox page's snippets of Python."""
    return [fence.text for fence in SANDBOX.fences if fence.language == "python"][number]


@pytest.mark.usefixtures("project_with_a_running_stack")
def test_the_sandbox_pages_snippet_records_and_uploads(stack: LocalStack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    names: dict[str, Any] = {}
    exec(compile(snippet(0), SANDBOX.name, "exec"), names)  # noqa: S102 - the page's own code
    described, listed = capsys.readouterr().out.splitlines()
    recording_id = names["started"]["recording_id"]
    assert recording_id in described
    assert recording_id in listed
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    until_ended(stack, recording_id)
    assert until_ended(stack, recording_of(stack, "by hand.mp4"))["status"] == "done"


@pytest.mark.usefixtures("project_with_a_running_stack")
def test_the_sandbox_pages_snippet_turns_dials(stack: LocalStack) -> None:
    before = stack.reset_dials()
    statements = snippet(1).splitlines()
    assert statements[-1] == "stack.reset_dials()"
    exec(compile("\n".join(statements[:-1]), SANDBOX.name, "exec"), {})  # noqa: S102 - the page's own code
    turned = stack.dials()
    assert turned["deepgram"]["job_fails"] == "no speech"
    assert turned["agora"]["parts"] == 3
    assert [failure["call"] for failure in turned["fail_next"]] == ["agora.acquire"]
    exec(compile(snippet(1), SANDBOX.name, "exec"), {})  # noqa: S102 - the page's own code
    assert stack.dials() == before
