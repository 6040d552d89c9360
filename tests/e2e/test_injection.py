"""Whoever may write into the folder of one recording puts nothing into another one."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recording_insights.store.keys import PARTITION
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import drop, jobs_paid, process, until_ended, until_row
from tests.e2e.test_upload_credentials import federated_for, refused

SID = "b1946ac92492d2347c6235b4d2611184"
TRACK = "c__uid_s_7__uid_e_audio.m3u8"
PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1.0,\n0.ts\n#EXT-X-ENDLIST\n"


def recorded(stack: LocalStack) -> str:
    """The id of a mix that is over: neither its recorder nor its watch changes anything any more."""
    started = stack.call_api("POST", "/recordings", json={"channel": f"c {uuid4().hex[:8]}"})
    recording_id = str(started.json()["recording_id"])
    until_row(stack, recording_id, lambda row: "complete_at" in row, "the last file")
    assert until_ended(stack, recording_id)["status"] == "done"
    return recording_id


def all_of(stack: LocalStack, recording_id: str) -> tuple[list[Any], Any]:
    """Every item of the recording in the table, and what the API returns of it."""
    items = stack.client("dynamodb").query(
        TableName=stack.outputs["InsightsTableName"],
        KeyConditionExpression="#pk = :id",
        ExpressionAttributeNames={"#pk": PARTITION},
        ExpressionAttributeValues={":id": {"S": recording_id}},
        ConsistentRead=True,
    )["Items"]
    return items, stack.call_api("GET", f"/recordings/{recording_id}/insights").json()


@pytest.fixture
def a_and_b(stack: LocalStack) -> tuple[str, str]:
    return recorded(stack), recorded(stack)


def foreign_keys(a: str, b: str) -> list[str]:
    """Keys that A's token once wrote and that became media of B, and some that are like them."""
    return [
        f"recordings/{a}/{b}/x.wav",
        f"recordings/{a}/{b}/x.mp4",
        f"recordings/{a}/z/{b}_c_0.mp4",
        f"recordings/{a}/{b}/{SID}_{TRACK}",
        f"uploads/{b}/x.wav",
        f"recordings/{a}/recordings/{b}/x.mp4",
        f"recordings/{a}//{b}/x.mp4",
        f"recordings/{a}/../{b}/x.mp4",
        f"recordings/{a}/z/{b}_{TRACK}",
    ]


def test_the_token_of_one_recording_changes_no_other(stack: LocalStack, clip: Path, a_and_b: tuple[str, str]) -> None:
    a, b = a_and_b
    bucket, s3 = stack.outputs["RecordingsBucketName"], federated_for(stack, a)("s3")
    before, paid = all_of(stack, b), jobs_paid(stack)
    for key in (*foreign_keys(a, b), f"recordings/{b}/x.mp4", f"{b}_c_0.mp4"):
        assert refused(partial(s3.put_object, Bucket=bucket, Key=key, Body=clip.read_bytes())) == "AccessDenied", key
        assert refused(partial(s3.create_multipart_upload, Bucket=bucket, Key=key)) == "AccessDenied", key
        copied = {"Bucket": bucket, "Key": f"recordings/{a}/x.mp4"}
        assert refused(partial(s3.copy_object, Bucket=bucket, Key=key, CopySource=copied)) == "AccessDenied", key

    # What the token may write is looked at by the pipeline: here with B's id in each place that names have.
    for name in (f"{b}_{TRACK}", f"{SID}_{TRACK}", f"{b}_c.wav", f"{b}.m3u8"):
        s3.put_object(Bucket=bucket, Key=f"recordings/{a}/{name}", Body=PLAYLIST)
        assert_ignored(stack, f"recordings/{a}/{name}")

    assert process(stack, clip)["status"] == "done", "the events before it have been handled too"
    assert all_of(stack, b) == before
    assert jobs_paid(stack) == {**paid, **one_more(paid)}


@pytest.mark.matrix
def test_no_other_writer_of_the_bucket_does_either(stack: LocalStack, clip: Path, a_and_b: tuple[str, str]) -> None:
    a, b = a_and_b
    before, paid = [all_of(stack, each) for each in a_and_b], jobs_paid(stack)
    for key in foreign_keys(a, b):
        drop(stack, PLAYLIST if key.endswith("m3u8") else clip, key)
        assert_ignored(stack, key)

    assert process(stack, clip)["status"] == "done", "the events before it have been handled too"
    assert [all_of(stack, each) for each in a_and_b] == before
    assert jobs_paid(stack) == {**paid, **one_more(paid)}


def assert_ignored(stack: LocalStack, key: str) -> None:
    """POST /media does what the event does, and says why it is ignored."""
    answer = stack.call_api("POST", "/media", json={"key": key})
    assert answer.status_code == 409, answer.text
    assert f"{key} is not processed: " in answer.json()["detail"]


def one_more(paid: Any) -> dict[str, int]:
    """The one job of a file that was put by hand."""
    return {"marsview.transactions_computed": paid["marsview.transactions_computed"] + 1}
