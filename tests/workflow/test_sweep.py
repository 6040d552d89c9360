"""The sweep under its own role: what nobody has noticed comes to its end, is paid for once, and is found once."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import (
    FAST,
    HELD,
    drop,
    execution_ended,
    executions,
    jobs_paid,
    process,
    read,
    recording_of,
    row,
    until,
    until_ended,
    waits_at,
)
from tests.workflow.aws_faults import (
    failing_event,
    unadmitted_arrivals,
    without_rule,
)
from tests.workflow.test_arrival import messages
from tests.workflow.test_providers import key_for

ARRIVALS = "Media objects that are not empty go to the queue of the intake"
STOPPED = "Executions that ended without success"
RESULTS = "Results that arrive in the replies bucket"


def sweep(stack: LocalStack, *, at_once: bool = True) -> dict[str, Any]:
    """Sweep once, and have every step finish without a fault; the counts of the steps.

    The recordings of other tests may be counted too.
    """
    event = json.dumps({"at_once": at_once}).encode()
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs["SweepFunctionName"], Payload=event)
    counts: dict[str, Any] = json.load(io.BytesIO(answer["Payload"].read()))
    assert counts["unfinished"] == [], counts
    assert not any("faults" in step for step in counts.values() if isinstance(step, dict)), counts
    return counts


@pytest.fixture(autouse=True)
def sweeping(stack: LocalStack) -> None:
    """The first sweep leaves alone what was there before it."""
    sweep(stack, at_once=False)


@contextmanager
def paid_once(stack: LocalStack) -> Iterator[None]:
    before = sum(jobs_paid(stack).values())
    yield
    assert sum(jobs_paid(stack).values()) == before + 1


def job_of(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    """The media object, when its job was accepted."""

    def find() -> dict[str, Any] | None:
        [media] = read(stack, recording_id)["media"] or [{}]
        return media if media.get("status") == "submitted" else None

    return until(find, "the accepted job")


def test_an_object_whose_event_was_lost_is_admitted_once(stack: LocalStack, clip: Path) -> None:
    with paid_once(stack):
        with without_rule(stack, ARRIVALS):
            key = drop(stack, clip)
        assert sweep(stack)["media"]["admitted"] >= 1
        assert "admitted" not in sweep(stack)["media"]
        assert until_ended(stack, recording_of(stack, key))["status"] == "done"


@pytest.mark.matrix
def test_an_execution_that_vanished_has_a_successor(stack: LocalStack, clip: Path) -> None:
    """It is stopped, and nobody is told: its row stays open."""
    with paid_once(stack):
        with waits_at(stack, HELD):
            recording_id = recording_of(stack, drop(stack, clip))
            job_of(stack, recording_id)
            [execution] = executions(stack, read(stack, recording_id))
            with without_rule(stack, STOPPED):
                stack.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
                execution_ended(stack, read(stack, recording_id))
        assert sweep(stack)["rows"]["unfinished"] >= 1
        assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.matrix
def test_dead_letters_of_arrivals_come_back(
    stack: LocalStack, clip: Path, captured_event: Callable[[str], dict[str, Any]]
) -> None:
    letters = stack.outputs["UnadmittedArrivalsArn"].rpartition(":")[2]
    url = stack.client("sqs").get_queue_url(QueueName=letters)["QueueUrl"]
    with unadmitted_arrivals(stack, deliveries=1):
        key = drop(stack, clip)
        until(lambda: messages(stack, url), "the dead letter")
    # A rule of EventBridge puts what it cannot deliver here too: such a message came from no queue.
    gone = captured_event("object_created")
    gone["detail"]["bucket"]["name"] = stack.outputs["RecordingsBucketName"]
    stack.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(gone))
    assert "moved_back" not in sweep(stack, at_once=False)["arrivals"], "it is not an hour old"
    assert sweep(stack)["arrivals"] == {"moved_back": 1}
    assert messages(stack, url) == 0
    assert until_ended(stack, recording_of(stack, key))["status"] == "done"


@pytest.mark.matrix
def test_a_dead_letter_of_a_function_is_handled(stack: LocalStack, clip: Path) -> None:
    url = stack.outputs["DeadLettersUrl"]
    with waits_at(stack, HELD):
        recording_id = recording_of(stack, drop(stack, clip))
        job_of(stack, recording_id)
        [execution] = executions(stack, read(stack, recording_id))
        with failing_event(stack, "report_stopped_execution"):
            stack.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
            execution_ended(stack, read(stack, recording_id))
            stack.set_wait_scale(FAST)
            until(lambda: messages(stack, url), "the dead letter")
    assert sweep(stack)["dead_letters"] == {"handled": 1}
    assert messages(stack, url) == 0
    assert until_ended(stack, recording_id)["media"][0]["status"] == "failed"


def test_a_result_whose_event_was_lost_ends_the_wait(stack: LocalStack, clip: Path) -> None:
    with paid_once(stack), waits_at(stack, HELD):
        with without_rule(stack, RESULTS):
            recording_id = recording_of(stack, drop(stack, clip, key_for("deepgram")))
            job = job_of(stack, recording_id)
            until(lambda: delivered(stack, recording_id, job["media_id"]), "the result in the bucket")
        sweep(stack)
        assert until_ended(stack, recording_id)["status"] == "done"


def delivered(stack: LocalStack, recording_id: str, media_id: str) -> list[Any]:
    bucket = stack.outputs["RepliesBucketName"]
    listed = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"deliveries/deepgram/{recording_id}-{media_id}")
    return list(listed.get("Contents", []))


@pytest.mark.matrix
def test_a_job_that_finished_after_the_ceiling_is_fetched(stack: LocalStack, clip: Path) -> None:
    with paid_once(stack):
        stack.dials(fail_next=[{"call": "marsview.get_txn", "status": 503, "body": {}, "times": 10_000}])
        recording = process(stack, clip)
        assert recording["media"][0]["reason_code"] == "no_result"
        stack.dials(fail_next=[])
        assert sweep(stack)["jobs"]["fetched"] >= 1
        recording_id = recording["recording_id"]
        done = until(lambda: (found := read(stack, recording_id))["status"] == "done" and found, "the result")
    assert [each["reason_code"] for each in done["media"][0]["tries"]] == ["no_result"]
    assert "fetched" not in sweep(stack)["jobs"]
    assert row(stack, recording_id)
