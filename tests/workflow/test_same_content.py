"""The same content again, and a newer version, through the deployed stack: nothing is paid twice, nothing is hidden."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import all_ended, drop, jobs_paid, read, recording_of, until, until_ended

COMPUTED = "marsview.transactions_computed"


def paid(stack: LocalStack) -> int:
    return int(jobs_paid(stack).get(COMPUTED, 0))


def transcript(stack: LocalStack, recording_id: str) -> Any:
    return stack.call_api("GET", f"/recordings/{recording_id}/insights").json()["transcript"]


def upload_in_parts(stack: LocalStack, media: Path) -> str:
    """Upload a file as one part, without a checksum of the client's; returns its key."""
    s3 = stack.client("s3", config=Config(request_checksum_calculation="when_required"))
    place = {"Bucket": stack.outputs["RecordingsBucketName"], "Key": f"dropped/{uuid4().hex[:8]}.mp4"}
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=media.read_bytes())
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    return place["Key"]


def until_admitted(stack: LocalStack, key: str, times: int) -> list[dict[str, Any]]:
    """What the intake has logged about an object, when it has handled so many events of it."""
    logs = stack.client("logs")

    def find() -> list[dict[str, Any]] | None:
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        [group] = [group for group in groups if "AdmitMedia" in group]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        texts = [event["message"] for page in pages for event in page["events"] if f'"key":"{key}"' in event["message"]]
        return [json.loads(text) for text in texts] if len(texts) >= times else None

    return until(find, f"{times} events of {key} in the log of the intake")


def test_a_copy_in_place_with_another_etag_is_not_paid_again(stack: LocalStack, clip: Path) -> None:
    key = upload_in_parts(stack, clip)
    recording_id = recording_of(stack, key)
    before = until_ended(stack, recording_id)
    lines = transcript(stack, recording_id)
    assert (before["status"], paid(stack), bool(lines)) == ("done", 1, True), before

    place = {"Bucket": stack.outputs["RecordingsBucketName"], "Key": key}
    copied = stack.client("s3").copy_object(**place, CopySource=place, MetadataDirective="REPLACE")

    assert copied["CopyObjectResult"]["ETag"].strip('"') != before["media"][0]["etag"]
    _, second = until_admitted(stack, key, times=2)
    assert second["ignored"] == "the media object was processed before"
    assert read(stack, recording_id) == before
    assert (transcript(stack, recording_id), paid(stack)) == (lines, 1)


@pytest.mark.matrix
def test_a_second_copy_in_a_recording_is_named_and_not_paid(stack: LocalStack, clip: Path) -> None:
    folder, sid = f"dropped/{uuid4().hex[:8]}", uuid4().hex
    key, copy = f"{folder}/{sid}_team_0.mp4", f"{folder}/again/{sid}_team_0.mp4"
    recording_id = recording_of(stack, drop(stack, clip, key))
    until_ended(stack, recording_id)

    drop(stack, clip, copy)

    until_admitted(stack, copy, times=1)
    recording = read(stack, recording_id)
    assert [(media["key"], media["copies"]) for media in recording["media"]] == [(key, [copy])]
    assert (recording["status"], paid(stack)) == ("done", 1)


@pytest.mark.matrix
def test_a_newer_version_that_fails_hides_no_insights(stack: LocalStack, clip: Path) -> None:
    key = drop(stack, clip)
    recording_id = recording_of(stack, key)
    until_ended(stack, recording_id)
    lines = transcript(stack, recording_id)
    assert lines

    stack.dials(marsview={"job_fails": "the audio has no speech"})
    drop(stack, clip.read_bytes() + bytes(8), key)

    recording = all_ended(stack, recording_id, media=2)
    assert recording["status"] == "partial"
    assert "the audio has no speech" in recording["reason"]
    assert transcript(stack, recording_id) == lines
