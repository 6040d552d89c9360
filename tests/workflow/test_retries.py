"""What failed is processed again: one recording, many, and an object whose rows are gone."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from recording_insights.store.keys import media_key, recording_key
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import (
    FAST,
    HELD,
    drop,
    executions,
    jobs_paid,
    process,
    read,
    recording_of,
    until,
    until_ended,
    until_row,
    waits_at,
)
from tests.workflow.aws_faults import throttled

NO_SPEECH = {"marsview": {"job_fails": "no speech"}}


def retry(stack: LocalStack, recording: dict[str, Any], body: Any = None) -> requests.Response:
    return stack.call_api("POST", f"/recordings/{recording['recording_id']}/retry", json=body)


def until_done(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    """The recording when it is done; it was failed before."""
    until_row(stack, recording_id, lambda row: row["status"] == "done", "the finished recording")
    return read(stack, recording_id)


def until_retried(stack: LocalStack, retry_id: str) -> dict[str, Any]:
    """A retry of many when it has ended."""

    def find() -> dict[str, Any] | None:
        found: dict[str, Any] = stack.call_api("GET", f"/retries/{retry_id}").json()
        return found if "ended_at" in found else None

    return until(find, "the end of the retry")


def test_a_failed_recording_is_retried_at_another_provider(stack: LocalStack, clip: Path) -> None:
    stack.dials(**NO_SPEECH)
    failed = process(stack, clip)

    answer = retry(stack, failed, {"provider": "deepgram"})

    assert answer.status_code == 202, answer.text
    [begun] = answer.json()["media"]
    assert (begun["from"], begun["provider"], begun["try"]) == ("media", "deepgram", 1)
    [media] = until_done(stack, failed["recording_id"])["media"]
    assert (media["provider"], media["tries"][0]["provider"]) == ("deepgram", "marsview")
    assert sorted(jobs_paid(stack).values()) == [1, 1], jobs_paid(stack)
    again = retry(stack, failed)
    assert again.status_code == 409
    assert "none of its media objects failed" in again.json()["detail"]


def test_a_job_that_has_finished_since_is_fetched_and_not_paid_for_again(stack: LocalStack, clip: Path) -> None:
    with waits_at(stack, HELD):
        recording_id = recording_of(stack, drop(stack, clip))
        found = until(lambda: [one for one in read(stack, recording_id)["media"] if "submitted_at" in one], "the job")
        [execution] = executions(stack, {"media": found})
        stack.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
        failed = until_ended(stack, recording_id)
    assert failed["status"] == "failed"

    [begun] = retry(stack, failed).json()["media"]

    assert begun["from"] == "job"
    until_done(stack, recording_id)
    assert list(jobs_paid(stack).values()) == [1]


@pytest.mark.matrix
def test_a_reply_that_was_deleted_is_fetched_again(stack: LocalStack, clip: Path) -> None:
    with waits_at(stack, HELD), throttled(stack, "Save insights"):
        stack.set_wait_scale(FAST)
        recording_id = recording_of(stack, drop(stack, clip))
        [media] = until(lambda: [m for m in read(stack, recording_id)["media"] if "reply" in m], "the reply")
        stack.set_wait_scale(HELD)
        stack.client("s3").delete_object(Bucket=stack.outputs["RepliesBucketName"], Key=media["reply"])
    stack.set_wait_scale(FAST)
    failed = until_ended(stack, recording_id)
    assert (failed["reason_code"], failed["retryable"]) == ("reply_gone", True)

    [begun] = retry(stack, failed).json()["media"]

    assert begun["from"] == "job"
    until_done(stack, recording_id)
    assert list(jobs_paid(stack).values()) == [1]


@pytest.mark.matrix
def test_an_object_whose_rows_are_gone_is_taken_by_its_key(stack: LocalStack, clip: Path) -> None:
    key = f"by hand/{uuid4().hex[:8]} a+b.mp4"
    recording = process(stack, clip, key)
    [media] = recording["media"]
    known = stack.call_api("POST", "/media", json={"key": key})
    assert known.status_code == 409
    assert f"POST /recordings/{recording['recording_id']}/retry" in known.json()["detail"]
    table = stack.client("dynamodb")
    for row in (media_key(recording["recording_id"], media["media_id"]), recording_key(recording["recording_id"])):
        name = stack.outputs["InsightsTableName"]
        table.delete_item(TableName=name, Key={name: {"S": value} for name, value in row.items()})

    admitted = stack.call_api("POST", "/media", json={"key": key})

    assert admitted.status_code == 202, admitted.text
    assert admitted.json()["media_id"] == media["media_id"]
    until_done(stack, admitted.json()["recording_id"])


@pytest.mark.matrix
def test_an_object_that_is_ignored_is_refused_with_the_reason(stack: LocalStack) -> None:
    key = drop(stack, b"no media", f"dropped/{uuid4().hex[:8]}.txt")
    ignored = stack.call_api("POST", "/media", json={"key": key})
    assert ignored.status_code == 409
    assert "not a media file" in ignored.json()["detail"]
    assert stack.call_api("POST", "/media", json={"key": f"{key}.mp4"}).status_code == 404


def test_many_are_retried_at_once_and_one_retry_is_at_work_at_a_time(stack: LocalStack, clip: Path) -> None:
    stack.dials(**NO_SPEECH)
    folder = f"many-{uuid4().hex[:8]}/"
    failed = [process(stack, clip, f"{folder}{number}.mp4") for number in range(3)]
    assert {recording["status"] for recording in failed} == {"failed"}
    stack.dials(marsview={"job_fails": None})
    wanted = {"prefix": folder, "from": "media"}
    counted = stack.call_api("POST", "/retries", json={**wanted, "dry_run": True})
    assert (counted.status_code, counted.json()["media"]) == (200, 3)

    with waits_at(stack, HELD), throttled(stack, "Retry page", "RetriesArn"):
        held = stack.call_api("POST", "/retries", json=wanted)
        assert held.status_code == 202, held.text
        held_id = held.json()["retry_id"]
        second = stack.call_api("POST", "/retries", json=wanted)
        assert second.status_code == 409
        assert held_id in second.json()["detail"]
        canceled = stack.call_api("POST", f"/retries/{held_id}/cancel")
        assert (canceled.status_code, canceled.json()["status"]) == (202, "canceled")
    assert jobs_paid(stack) == {"marsview.transactions_computed": 3}, "nothing began"

    retried = until_retried(stack, stack.call_api("POST", "/retries", json=wanted).json()["retry_id"])

    assert (retried["status"], retried["counts"]) == ("done", {"seen": 3, "begun": 3, "refused": {}})
    for recording in failed:
        until_done(stack, recording["recording_id"])
    assert jobs_paid(stack) == {"marsview.transactions_computed": 6}
    listed = stack.call_api("GET", "/retries").json()["retries"]
    # The order within one second, with which their ids begin, is that of chance.
    assert sorted(one["status"] for one in listed[:2]) == ["canceled", "done"]


@pytest.mark.matrix
def test_a_retry_that_is_aborted_at_the_console_has_failed(stack: LocalStack) -> None:
    with waits_at(stack, HELD), throttled(stack, "Retry page", "RetriesArn"):
        retry_id = stack.call_api("POST", "/retries", json={"prefix": f"none-{uuid4().hex}/"}).json()["retry_id"]
        machine = stack.outputs["RetriesArn"]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{retry_id}"
        stack.client("stepfunctions").stop_execution(executionArn=arn)
        aborted = until_retried(stack, retry_id)
    assert aborted["status"] == "failed"
    assert "aborted" in aborted["reason"]
