"""Every provider through the deployed stack: real media, real words, IAM enforced, its own way of reporting back."""

import hmac
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from recording_insights.aws.reply_bucket import kept_result_key
from recording_insights.providers.registry import PROVIDERS, capabilities_of, receives_webhooks, sends_result
from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.vendors.registry import vendors
from tests.deployed import (
    HELD,
    drop,
    executions,
    history,
    jobs_paid,
    process,
    read,
    recording_of,
    states,
    until,
    until_ended,
)
from tests.ways_of_waiting import each_provider
from tests.workflow.aws_faults import callback_wait, throttled_route

ANSWER = {
    "recording_id": str,
    "status": str,
    "provider": str,
    "transcript": list,
    "topics": list,
    "action_items": list,
    "follow_ups": list,
    "questions": list,
    "emotions": list,
    "entities": list,
    "ratings": dict,
}
SCORES = ("sentiment", "confidence")
CALL_BACK = [name for name in PROVIDERS if capabilities_of(name).callback != "none"]
BY_WEBHOOK = [name for name in PROVIDERS if receives_webhooks(name)]


def key_for(provider: str) -> str:
    return f"via/{provider}/{uuid4().hex[:8]}.mp4"


def paid(stack: LocalStack, provider: str) -> int:
    return int(jobs_paid(stack).get(vendors()[provider].paid, 0))


def insights_of(stack: LocalStack, recording: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()
    return answer


def called_back(stack: LocalStack, recording: dict[str, Any]) -> bool:
    """Whether a callback ended the wait, or came before it."""
    [execution] = executions(stack, recording)
    return "States.Timeout" not in str(history(stack, execution["executionArn"]))


@pytest.mark.parametrize("provider", each_provider(PROVIDERS))
def test_insights_in_one_shape_whoever_gives_them(stack: LocalStack, clip: Path, provider: str) -> None:
    recording = process(stack, clip, key_for(provider))

    assert recording["status"] == "done", recording["media"]
    assert recording["provider"] == recording["media"][0]["provider"] == provider
    answer = insights_of(stack, recording)
    assert {name: type(answer.get(name)) for name in ANSWER} == ANSWER
    said = " ".join(line["text"] for line in answer["transcript"]).lower()
    assert "help you" in said, said
    for line in answer["transcript"]:
        assert {"text", "speaker"} <= line.keys() <= {*("id", "text", "speaker", "start_ms", "end_ms"), *SCORES}
    assert paid(stack, provider) == 1
    waits = "Await callback" if provider in CALL_BACK else "Wait"
    loop = ["Media prepared?", "Submit recording", "Job finished?", waits, "Poll job", "Job finished?"]
    assert states(stack, recording)[: len(loop)] == loop
    # Without it the wait ends too, by its time.
    assert provider not in CALL_BACK or called_back(stack, recording)


@pytest.mark.matrix
def test_lost_callbacks_are_made_good_or_missed_with_a_reason(stack: LocalStack, clip: Path) -> None:
    stack.dials(**{provider: {"callback": "lost"} for provider in CALL_BACK})
    with callback_wait(stack, seconds=1):  # all at once: they wait alike
        keys = {
            provider: drop(stack, clip, key_for(provider)) for provider in CALL_BACK
        }  # all at once: they wait alike
        recordings = {provider: until_ended(stack, recording_of(stack, key)) for provider, key in keys.items()}

    for provider, recording in recordings.items():
        if capabilities_of(provider).callback == "required":
            assert "no result within 20 minutes; last: " in recording["media"][0]["reason"]
        else:
            assert recording["status"] == "done", recording["media"]
        assert not called_back(stack, recording)
        assert paid(stack, provider) == 1


@pytest.mark.matrix
@pytest.mark.parametrize("provider", each_provider(CALL_BACK))
@pytest.mark.parametrize("callback", ["early", pytest.param("double", marks=pytest.mark.matrix)])
def test_early_and_double_callbacks_end_well(stack: LocalStack, clip: Path, provider: str, callback: str) -> None:
    stack.dials(**{provider: {"callback": callback}})

    recording = process(stack, clip, key_for(provider))

    assert recording["status"] == "done", recording["media"]
    assert "Wait" not in states(stack, recording)
    assert called_back(stack, recording)
    assert paid(stack, provider) == 1


@pytest.mark.matrix
@pytest.mark.parametrize("provider", each_provider(CALL_BACK))
def test_a_lost_answer_is_confirmed_by_the_callback_and_not_paid_twice(
    stack: LocalStack, clip: Path, provider: str
) -> None:
    stack.dials(fail_next=[{"call": vendors()[provider].submits, "drop_connection": True, "after": True}])

    recording = process(stack, clip, key_for(provider))

    assert recording["status"] == "done", recording["media"]
    assert paid(stack, provider) == 1


@pytest.mark.matrix
@pytest.mark.parametrize("provider", each_provider(BY_WEBHOOK))
def test_a_forged_callback_is_401_and_changes_nothing(stack: LocalStack, clip: Path, provider: str) -> None:
    stack.set_wait_scale(HELD)
    stack.dials(**{provider: {"job_never_ends": True}})
    recording_id = recording_of(stack, drop(stack, clip, key_for(provider)))
    submitted = _until_submitted(stack, recording_id)
    job = f"{recording_id}-{submitted['media_id']}-0"
    body = json.dumps({"transcript_id": "x", "jobId": "x", "status": "completed", "event_name": "x"})

    paths = [f"/{job}", f"/{job}/{'0' * 64}", f"/{'0' * 32}-{'0' * 20}-0/{'0' * 64}"]
    for path in [""] if sends_result(provider) else paths:
        headers = {"X-Recording-Insights-Token": "0" * 64, "X-Seasalt-Server-Signature": "0" * 64}
        answer = requests.post(f"{stack.api_url}/webhooks/{provider}{path}", data=body, headers=headers, timeout=30)
        assert answer.status_code == 401, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"

    assert _media(stack, recording_id) == submitted
    _abort(stack, recording_id)


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if sends_result(name)])
def test_a_result_that_is_sent_once_needs_nothing_of_other_webhooks(
    stack: LocalStack, clip: Path, provider: str
) -> None:
    with throttled_route(stack, "receive_callback"):
        busy = requests.post(f"{stack.api_url}/webhooks/symbl/job/token", data="{}", timeout=30)
        recording = process(stack, clip, key_for(provider))

    assert busy.status_code >= 429
    assert recording["status"] == "done", recording["media"]
    assert called_back(stack, recording)
    assert paid(stack, provider) == 1


@pytest.mark.matrix
def test_a_result_that_comes_after_the_ceiling_finishes_the_recording(stack: LocalStack, clip: Path) -> None:
    stack.dials(seameet={"callback": "lost"})
    with callback_wait(stack, seconds=1):
        recording = process(stack, clip, key_for("seameet"))
    assert recording["status"] == "failed"
    [meeting] = {line["meeting_id"] for line in stack.ledger()["lines"] if "meeting_id" in line}
    event = {"event_name": "dashboard_analysis_finished", "meeting_id": meeting, "payload": {"transcript": []}}
    body = json.dumps(event).encode()
    secret = vendors()["seameet"].webhook_secret["webhookSecret"].encode()
    headers = {"X-Seasalt-Server-Signature": hmac.new(secret, body, "sha256").hexdigest()}

    for _ in range(2):
        answer = requests.post(f"{stack.api_url}/webhooks/seameet", data=body, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "kept"})

    bucket = {"Bucket": stack.outputs["RepliesBucketName"]}
    kept = stack.client("s3").get_object(**bucket, Key=kept_result_key("seameet", body))
    assert kept["Body"].read() == body
    recording_id = recording["recording_id"]
    done = until(lambda: (found := read(stack, recording_id))["status"] == "done" and found, "the finished recording")
    [media] = done["media"]
    assert [earlier["reason_code"] for earlier in media["tries"]] == ["result_not_delivered"]
    assert sum(jobs_paid(stack).values()) == 1


@pytest.mark.matrix
def test_a_delivered_result_beyond_what_lambda_takes_is_kept_whole(stack: LocalStack, clip: Path) -> None:
    stack.dials(deepgram={"oversize_result": 4000})

    recording = process(stack, clip, key_for("deepgram"))

    assert recording["status"] == "done", recording["media"]
    where = {"Bucket": stack.outputs["RepliesBucketName"], "Key": recording["media"][0]["reply"]}
    assert stack.client("s3").head_object(**where)["ContentLength"] > 6 * 1024 * 1024
    assert len(insights_of(stack, recording)["transcript"]) >= 3000


@pytest.mark.parametrize(
    ("path", "status"), [("gladia", 404), ("symbl", 404), ("seameet/x", 404), ("deepgram/x/y", 404)]
)
def test_nobody_else_has_a_webhook(stack: LocalStack, path: str, status: int) -> None:
    answer = requests.post(f"{stack.api_url}/webhooks/{path}", data="{}", timeout=30)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("symbl/x/y", "{}", 401), ("seameet", "{}", 401), ("seameet/x", "{}", 404), ("agora", "x" * 300_000, 413)],
)
def test_a_caller_without_a_sign_in_learns_the_status_only(
    stack: LocalStack, path: str, body: str, status: int
) -> None:
    answer = requests.post(f"{stack.api_url}/webhooks/{path}", data=body, timeout=30)

    assert answer.status_code == status
    assert answer.json().keys() == {"type", "title", "status", "request_id"}
    assert answer.json()["type"] == "about:blank"


def test_the_next_one_takes_over_and_the_row_tells_the_story(stack: LocalStack, clip: Path) -> None:
    refused = {"status": 401, "body": {"message": "bad credentials"}, "times": 9}
    stack.dials(fail_next=[{"call": "symbl.token", **refused}, {"call": "symbl.process_url", **refused}])

    recording = process(stack, clip, f"via/two/{uuid4().hex[:8]}.mp4")

    assert recording["status"] == "done", recording["media"]
    [media] = recording["media"]
    assert media["provider"] == "transcribe"
    [story] = media["given_up"]
    assert story["provider"] == "symbl"
    assert "Symbl refused" in story["reason"]
    assert states(stack, recording).count("Submit recording") == 2
    assert insights_of(stack, recording)["provider"] == "transcribe"


def _until_submitted(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        media = _media(stack, recording_id)
        return media if media["status"] == "submitted" else None

    return until(find, "the submitted media object")


def _media(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    return dict(read(stack, recording_id)["media"][0])


def _abort(stack: LocalStack, recording_id: str) -> None:
    [execution] = executions(stack, read(stack, recording_id))
    stack.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    assert until_ended(stack, recording_id)["status"] == "failed"
