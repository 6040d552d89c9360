"""What a model derives, on the deployed stack: the stand-in of Bedrock answers from the words that were said."""

from collections.abc import Mapping
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from recording_insights.store.keys import DERIVED, PARTITION, SORT, STATEMENT_PREFIX
from sandbox.cloud import context
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import SAMPLE, drop, entered, recording_of, until, until_ended, until_row

pytestmark = pytest.mark.usefixtures("reading_model")

TRANSCRIBE = "via/transcribe/derived-{name}.mp4"


def derived_rows(stack: LocalStack, recording_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was derived, and its statements by the end of their keys."""
    pages = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.outputs["InsightsTableName"],
            KeyConditionExpression=f"{PARTITION} = :id",
            ExpressionAttributeValues={":id": {"S": recording_id}},
        )
    )
    plain = TypeDeserializer().deserialize
    items = ({name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"])
    rows = {row[SORT]: row for row in items}
    return rows.get(DERIVED, {}), {sort: row for sort, row in rows.items() if sort.startswith(STATEMENT_PREFIX)}


def transcribed(stack: LocalStack, name: str) -> str:
    """A recording whose words Amazon Transcribe has found, when it has ended."""
    recording_id = recording_of(stack, drop(stack, SAMPLE, TRANSCRIBE.format(name=name)))
    assert until_ended(stack, recording_id)["status"] == "done"
    return recording_id


def until_derived(stack: LocalStack, recording_id: str) -> Mapping[str, Any]:
    """The recording's row when its insights are not pending any more."""
    return until_row(stack, recording_id, lambda row: row.get("insights", "pending") != "pending", "the insights")


def execution_of(stack: LocalStack, recording_id: str) -> Mapping[str, Any]:
    """The execution that derives insights from a recording."""
    row = until(lambda: derived_rows(stack, recording_id)[0], f"a derivation of {recording_id}")
    machine = stack.outputs["DerivationArn"].replace(":stateMachine:", ":execution:")
    return {"executionArn": f"{machine}:{row['execution']}"}


def test_a_model_finds_what_the_provider_did_not(stack: LocalStack) -> None:
    recording_id = transcribed(stack, "done")
    assert until_derived(stack, recording_id)["insights"] == "done"
    row, statements = derived_rows(stack, recording_id)
    assert (row["state"], row["provider"]) == ("done", "bedrock")
    insights = stack.call_api("GET", f"/recordings/{recording_id}/insights").json()
    lines = {line["id"] for line in insights["transcript"]}
    assert statements
    for sort, statement in statements.items():
        assert row["digest"] in sort
        assert statement["evidence"], sort
        assert lines >= {*statement["evidence"]}, "each is proved by lines that exist"
    assert {sort.split("#")[2] for sort in statements} >= {"title", "summary"}


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("dial", "calls"), [("throttle_next", 1), ("timeout_next", 1), ("cut_next", 4), ("malformed_json_next", 2)]
)
def test_what_a_model_does_wrong_once_costs_little(stack: LocalStack, dial: str, calls: int) -> None:
    stack.dials(bedrock={dial: 1})
    recording_id = transcribed(stack, dial)
    assert until_derived(stack, recording_id)["insights"] == "done"
    row, _ = derived_rows(stack, recording_id)
    assert row["calls"] == calls


@pytest.mark.matrix
def test_a_model_that_is_not_enabled_is_waited_for(stack: LocalStack) -> None:
    stack.dials(bedrock={"not_enabled": [context.DEFAULTS["insightsModel"]]})
    recording_id = transcribed(stack, "not-enabled")
    execution = execution_of(stack, recording_id)
    until(lambda: "Await turn" in entered(stack, execution), "the wait")
    row, _ = derived_rows(stack, recording_id)
    assert "AccessDenied" in row["reason"]
    health = {one["provider"]: one for one in stack.call_api("GET", "/providers").json()["providers"]}
    assert health["bedrock"]["health"] in ("open", "half_open")
    stack.dials(bedrock={"not_enabled": []})
    assert until_derived(stack, recording_id)["insights"] == "done"


@pytest.mark.matrix
def test_answers_that_cannot_be_read_leave_the_transcript_and_a_reason(stack: LocalStack) -> None:
    stack.dials(bedrock={"malformed_json_next": 2})
    recording_id = transcribed(stack, "unreadable")
    row = until_derived(stack, recording_id)
    assert (row["insights"], row["insights_code"], row["status"]) == ("partial", "insights_unreadable", "done")


@pytest.mark.matrix
def test_an_erased_recording_leaves_nothing_of_it(stack: LocalStack) -> None:
    recording_id = transcribed(stack, "erased")
    until_derived(stack, recording_id)
    assert stack.call_api("DELETE", f"/recordings/{recording_id}").status_code == 202
    until(lambda: not derived_rows(stack, recording_id)[0], "the end of the rows")
    found = stack.client("s3").list_objects_v2(
        Bucket=stack.outputs["RepliesBucketName"], Prefix=f"derived/{recording_id}/"
    )
    assert found["KeyCount"] == 0
