"""A file that a caller uploads: from the request for a link to the insights, and what the link refuses."""

import base64
import io
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from recording_insights.store.keys import recording_key
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import until, until_ended, until_row

HTML = b"<html><body>not found</body></html>"


def asked(stack: LocalStack, content: bytes, **fields: Any) -> dict[str, Any]:
    """The answer to a request for a link."""
    answer = stack.call_api("POST", "/uploads", json={"name": "talk.mp4", "size": len(content), **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def put(link: Mapping[str, Any], content: bytes, **headers: str | None) -> int:
    """Send a file as the answer says, with other headers if given; returns the status."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {name: value for name, value in {**link["headers"], **changed}.items() if value is not None}
    return requests.put(link["url"], data=content, headers=given, timeout=30).status_code


def test_a_file_is_the_media_of_its_recording(stack: LocalStack, clip: Path) -> None:
    content = clip.read_bytes()
    checksum = base64.b64encode(sha256(content).digest()).decode()
    wanted = {"reference": "ticket 7", "metadata": {"team": "north"}, "provider": "deepgram", "checksum": checksum}
    opened = asked(stack, content, **wanted)
    path = f"/recordings/{opened['recording_id']}"
    waiting = stack.call_api("GET", path).json()
    assert (waiting["status"], waiting["stage"], waiting["media"]) == ("starting", "upload", [])

    assert put(opened["upload"], content) == 200
    assert put(opened["upload"], content) == 412, "there is one already"

    until_ended(stack, opened["recording_id"])
    found = stack.call_api("GET", path).json()
    [media] = found["media"]
    assert (found["status"], media["provider"], media["key"]) == ("done", "deepgram", opened["file"]["key"])
    assert found.items() >= {name: wanted[name] for name in ("reference", "metadata")}.items()
    assert found.keys().isdisjoint({"stage", "reason_code"})
    assert stack.call_api("GET", f"{path}/insights").json()["transcript"]
    rows = stack.client("dynamodb").query(
        TableName=stack.outputs["InsightsTableName"],
        KeyConditionExpression="pk = :id",
        ExpressionAttributeValues={":id": {"S": opened["recording_id"]}},
    )
    assert "X-Amz-Signature" not in str(rows["Items"])


@pytest.mark.matrix
def test_a_link_takes_what_was_announced_only(stack: LocalStack, clip: Path) -> None:
    content = clip.read_bytes()
    link = asked(stack, content)["upload"]
    other = {**link, "url": link["url"].replace("/media.mp4?", "/other.mp4?")}
    with_checksum = asked(stack, content, checksum=base64.b64encode(sha256(content).digest()).decode())["upload"]
    statuses = {
        "longer": put(link, content + b"x"),
        "shorter": put(link, content[:-1]),
        "another type": put(link, content, content_type="video/quicktime"),
        "no type": put(link, content, content_type=None),
        "over another": put(link, content, if_none_match=None),
        "another key": put(other, content),
        "no checksum": put(with_checksum, content, x_amz_checksum_sha256=None),
    }
    assert statuses == dict.fromkeys(statuses, 403)
    assert put(with_checksum, content[:-1] + b"x") == 400, "another content of the same size"
    assert requests.get(link["url"], timeout=30).status_code == 403
    assert put(link, content) == 200


@pytest.mark.matrix
def test_a_file_without_media_ends_its_recording_with_the_reason(stack: LocalStack) -> None:
    opened = asked(stack, HTML)
    assert put(opened["upload"], HTML) == 200

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = stack.call_api("GET", f"/recordings/{opened['recording_id']}").json()
        return found if found["status"] == "failed" else None

    found = until(ended, "the end of the upload")
    assert (found["stage"], found["reason_code"], found["media"]) == ("upload", "not_media", [])


@pytest.mark.matrix
def test_an_upload_that_never_comes_ends_and_one_that_comes_late_goes_on(stack: LocalStack, clip: Path) -> None:
    content = clip.read_bytes()
    opened = asked(stack, content)
    key = {name: {"S": text} for name, text in recording_key(opened["recording_id"]).items()}
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["InsightsTableName"],
        Key=key,
        UpdateExpression="SET upload_expires_at = :at",
        ExpressionAttributeValues={":at": {"S": "2026-01-01T00:00:00.000000Z"}},
    )
    counts = stack.client("lambda").invoke(FunctionName=stack.outputs["SweepFunctionName"], Payload=b"{}")["Payload"]
    assert json.load(io.BytesIO(counts.read()))["uploads"]["missing"] >= 1
    found = stack.call_api("GET", f"/recordings/{opened['recording_id']}").json()
    assert (found["status"], found["stage"], found["reason_code"]) == ("empty", "upload", "upload_missing")

    assert put(opened["upload"], content) == 200
    until_row(stack, opened["recording_id"], lambda row: row["status"] == "done", "the insights of the late file")


@pytest.mark.matrix
@pytest.mark.parametrize("body", [{}, {"name": "a.mp4"}, {"name": "../a.mp4", "size": 1}, {"name": "a.mp4", "size": 0}])
def test_a_wrong_request_makes_no_recording(stack: LocalStack, body: dict[str, Any]) -> None:
    before = stack.call_api("GET", "/recordings").json()
    assert stack.call_api("POST", "/uploads", json=body).status_code == 400
    assert stack.call_api("GET", "/recordings").json() == before
