"""Arrival through a queue: what cannot be admitted waits there, and comes to its end when the fault is mended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recording_insights.model.media_object import MediaObject
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import drop, executions, jobs_paid, read, recording_of, row, until, until_ended
from tests.workflow.aws_faults import unadmitted_arrivals, without_rule

WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def messages(stack: LocalStack, url: str) -> int:
    """Number of messages in a queue, those that are being handled included."""
    found = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(WAITING))["Attributes"]
    return sum(int(found[name]) for name in WAITING)


def test_an_object_that_could_not_be_admitted_is_admitted_by_a_later_delivery(stack: LocalStack, clip: Path) -> None:
    before = jobs_paid(stack)
    with unadmitted_arrivals(stack, deliveries=1000):
        key = drop(stack, clip)
        until(lambda: messages(stack, stack.outputs["ArrivalsUrl"]), "the message")
    recording = until_ended(stack, recording_of(stack, key))
    assert recording["status"] == "done"
    until(lambda: messages(stack, stack.outputs["ArrivalsUrl"]) == 0, "the empty queue")
    assert len(executions(stack, recording)) == 1
    assert sum(jobs_paid(stack).values()) == sum(before.values()) + 1


@pytest.mark.matrix
def test_events_come_five_times_out_of_order_and_for_what_is_gone(
    stack: LocalStack, clip: Path, captured_event: Callable[[str], dict[str, Any]]
) -> None:
    """Of an object that was overwritten, the newer version counts, whichever event comes first."""
    s3, bucket = stack.client("s3"), stack.outputs["RecordingsBucketName"]
    contents = {"older": clip.read_bytes() + box(b"older"), "newer": clip.read_bytes() + box(b"newer")}
    key, gone = (f"dropped/{uuid4().hex[:8]}.mp4" for _ in range(2))
    events = []
    with without_rule(stack, "Media objects that are not empty go to the queue of the intake"):
        for number, content in enumerate(contents.values()):
            for name in (key, gone):
                etag = s3.put_object(Bucket=bucket, Key=name, Body=content)["ETag"].strip('"')
                event = captured_event("object_created")
                event["detail"]["bucket"]["name"] = bucket
                event["detail"]["object"] = {"key": name, "size": len(content), "etag": etag, "sequencer": f"0{number}"}
                events.append(event)
        s3.delete_object(Bucket=bucket, Key=gone)
    for event in [*reversed(events), *events, *reversed(events), *events, *events]:
        stack.client("sqs").send_message(QueueUrl=stack.outputs["ArrivalsUrl"], MessageBody=json.dumps(event))

    until(lambda: messages(stack, stack.outputs["ArrivalsUrl"]) == 0, "the empty queue")
    recording = until_ended(stack, recording_of(stack, key))
    assert recording["status"] == "done"
    [media] = recording["media"]
    assert media["etag"] == md5(contents["newer"], usedforsecurity=False).hexdigest()
    assert len(executions(stack, recording)) == 1
    assert sum(jobs_paid(stack).values()) == 1
    absent = MediaObject(bucket, gone, "", 0, datetime.now(UTC)).own_recording_id
    assert row(stack, absent) is None


def box(content: bytes) -> bytes:
    """A box of an MP4 that players skip."""
    return (8 + len(content)).to_bytes(4, "big") + b"free" + content


def test_dead_letters_of_arrival_are_moved_back(stack: LocalStack, clip: Path) -> None:
    sqs, letters = stack.client("sqs"), stack.outputs["UnadmittedArrivalsArn"]
    url = sqs.get_queue_url(QueueName=letters.rpartition(":")[2])["QueueUrl"]
    with unadmitted_arrivals(stack, deliveries=1):
        key = drop(stack, clip)
        until(lambda: messages(stack, url), "the dead letter")
    sqs.start_message_move_task(SourceArn=letters)
    assert until_ended(stack, recording_of(stack, key))["status"] == "done"


def test_an_execution_that_is_gone_has_a_successor(stack: LocalStack, clip: Path) -> None:
    """Its row was deleted and the same object came again: the name of the execution is taken by the one that ended."""
    key = drop(stack, clip)
    first = until_ended(stack, recording_of(stack, key))
    [media] = first["media"]
    table = stack.client("dynamodb")
    for sort in ("RECORDING", f"MEDIA#{media['media_id']}"):
        table.delete_item(
            TableName=stack.outputs["InsightsTableName"],
            Key={"pk": {"S": first["recording_id"]}, "sk": {"S": sort}},
        )
    assert row(stack, first["recording_id"]) is None
    s3, bucket = stack.client("s3"), stack.outputs["RecordingsBucketName"]
    s3.put_object(Bucket=bucket, Key=key, Body=s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    again = until_ended(stack, recording_of(stack, key))
    assert again["status"] == "done"
    assert read(stack, again["recording_id"])["media"][0]["media_id"] == media["media_id"]
    names = sorted(execution["name"] for execution in executions(stack, again))
    assert len(names) == 2
    assert names[1] == f"{names[0]}-2", "the successor's name ends with its number"
