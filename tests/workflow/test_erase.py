"""A recording is erased on the deployed stack, with the rights of the function that deletes: nothing is left of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import STAYS, executions, history, process, until, until_ended, until_row
from tests.secrecy import log_messages


def erase(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    """Erase a recording, and return the receipt."""
    answer = stack.call_api("DELETE", f"/recordings/{recording_id}")
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "erasing"

    def receipt() -> dict[str, Any] | None:
        read = stack.call_api("GET", f"/recordings/{recording_id}")
        found: dict[str, Any] | None = read.json()["receipt"] if read.status_code == 410 else None
        return found

    found = until(receipt, "the receipt")
    assert found["receipt_id"] == answer.json()["receipt_id"]
    return found


def everything(stack: LocalStack) -> Iterator[tuple[str, str]]:
    """Rows, and versions of objects, each with what it holds."""
    table = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["InsightsTableName"])
    for item in (item for page in table for item in page["Items"]):
        if item["sk"]["S"] != "RECEIPT":
            yield f"{item['pk']['S']}/{item['sk']['S']}", json.dumps(item, default=str)
    s3 = stack.client("s3")
    for bucket in (stack.outputs["RecordingsBucketName"], stack.outputs["RepliesBucketName"]):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield f"{bucket}/{version['Key']}", version["Key"]


def mentions(stack: LocalStack, *texts: str) -> list[str]:
    return [where for where, content in everything(stack) if any(text in content for text in texts)]


@pytest.mark.usefixtures("reading_model")
def test_a_file_that_was_put_by_hand_is_erased_everywhere(stack: LocalStack, clip: Path) -> None:
    recording = process(stack, clip)
    recording_id, [media] = recording["recording_id"], recording["media"]
    until_row(stack, recording_id, lambda row: row["insights"] == "done", "the insights")
    transcript = stack.call_api("GET", f"/recordings/{recording_id}/insights").json()["transcript"]
    said = transcript[0]["text"]
    # What is said is in other recordings too: the rows that hold it name their recording.
    traces = (recording_id, media["key"], media["job_id"])
    [execution] = executions(stack, recording)
    assert len(mentions(stack, *traces)) > 4

    receipt = erase(stack, recording_id)

    assert mentions(stack, *traces) == []
    assert (receipt["deleted"]["media_objects"], receipt["deleted"]["reply_objects"]) == (1, 4)
    assert receipt["provider_copies"] == {media["provider"]: 1}
    assert receipt["not_deleted"] == []
    assert [where for where, line in log_messages(stack) if said in line] == []
    # AWS keeps the history of an execution for 90 days, as the receipt says. It has no words.
    assert said not in json.dumps(history(stack, execution["executionArn"]), default=str)
    assert stack.call_api("DELETE", f"/recordings/{recording_id}").status_code == 410
    insights = stack.call_api("GET", f"/recordings/{recording_id}/insights")
    assert insights.json()["receipt"]["receipt_id"] == receipt["receipt_id"]
    # An event that comes late finds the receipt: the object is deleted.
    stack.client("s3").put_object(
        Bucket=stack.outputs["RecordingsBucketName"], Key=media["key"], Body=clip.read_bytes()
    )
    until(lambda: mentions(stack, media["key"]) == [], "the deletion of a late file")


@pytest.mark.matrix
def test_a_recording_is_erased_while_its_recorder_is_in_the_channel(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": None, **STAYS})
    wanted = {"channel": "to be erased", "reference": "ticket of the erased", "metadata": {"who": "somebody"}}
    key = {"Idempotency-Key": "key-of-the-erased"}
    started = stack.call_api("POST", "/recordings", json=wanted, headers=key).json()
    recording_id = started["recording_id"]
    until(lambda: stack.call_api("GET", f"/recordings/{recording_id}").json()["status"] == "recording", "the recorder")

    erase(stack, recording_id)

    assert mentions(stack, recording_id, started["sid"], "ticket of the erased", "somebody", "to be erased") == []
    again = stack.call_api("POST", "/recordings", json=wanted, headers=key)
    assert again.status_code == 201, "its channel is free, and its key leads to a new recording"
    assert again.json()["recording_id"] != recording_id
    stack.call_api("POST", f"/recordings/{again.json()['recording_id']}/stop")
    until_ended(stack, again.json()["recording_id"])


@pytest.mark.matrix
def test_media_go_and_the_insights_stay(stack: LocalStack, clip: Path) -> None:
    recording = process(stack, clip)
    recording_id, [media] = recording["recording_id"], recording["media"]
    # As the sweep of a stack with `mediaDays` would mark it, years later.
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["InsightsTableName"],
        Key={"pk": {"S": recording_id}, "sk": {"S": "RECORDING"}},
        UpdateExpression="SET media_deleted_at = :at, media_runs = :one",
        ExpressionAttributeValues={":at": {"S": "2099-01-01T00:00:00.000000Z"}, ":one": {"N": "1"}},
    )
    machines = stack.client("stepfunctions")
    [erases] = [
        each["stateMachineArn"] for each in machines.list_state_machines()["stateMachines"] if "Erases" in each["name"]
    ]
    state = json.dumps({"recording_id": recording_id, "phase": "media"})
    machines.start_execution(stateMachineArn=erases, name=f"{recording_id}-media-1", input=state)

    until(lambda: not any(media["key"] in where for where, _ in everything(stack) if "/MEDIA#" not in where), "the end")
    until(lambda: not mentions(stack, "media_runs"), "the note of the end")
    links = stack.call_api("GET", f"/recordings/{recording_id}/media").json()
    assert (links["media"], links["media_deleted_at"]) == ([], "2099-01-01T00:00:00.000000Z")
    assert stack.call_api("GET", f"/recordings/{recording_id}/insights").json()["transcript"]
    refused = stack.call_api("POST", f"/recordings/{recording_id}/retry", json={"from": "media", "force": True})
    assert (refused.status_code, "media_gone" in refused.text) == (409, True)
