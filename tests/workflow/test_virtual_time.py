"""What the tests and benchmarks in virtual time run is what the deployed state machine does with a short job."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from boto3.dynamodb.types import TypeDeserializer

from recording_insights.processing.expected_end import seconds_until_poll
from recording_insights.processing.progress import Progress
from recording_insights.providers.pacing import Estimate
from recording_insights.store.keys import PARTITION, SORT, media_key
from recording_insights.store.numbers import decode
from recording_insights.store.rows import MediaRow
from sandbox.cloud.local_stack import LocalStack
from tests.conformance.journey import Journey
from tests.deployed import entered, execution_ended, history, process

pytestmark = pytest.mark.matrix

PROVIDER, POLLS = "marsview", 4
TAKES = {"unknown_state": "pondering", "unknown_state_polls": POLLS - 1}
"""A job that is done at the last of so many polls."""


class Run(NamedTuple):
    """The states that an execution entered, its waits in seconds, and the row of its media object at the end."""

    states: Sequence[str]
    waits: Sequence[int]
    row: MediaRow


def deployed(stack: LocalStack, clip: Path, key: str) -> Run:
    stack.dials(**{PROVIDER: TAKES})
    recording = process(stack, clip, key)
    execution = execution_ended(stack, recording)
    inputs = [
        json.loads(event["stateEnteredEventDetails"]["input"])
        for event in history(stack, execution["executionArn"])
        if event["type"] == "WaitStateEntered"
    ]
    [media] = recording["media"]
    item = stack.client("dynamodb").get_item(
        TableName=stack.outputs["InsightsTableName"],
        Key={name: {"S": value} for name, value in media_key(recording["recording_id"], media["media_id"]).items()},
    )["Item"]
    row: Any = decode({name: TypeDeserializer().deserialize(value) for name, value in item.items()})
    return Run(entered(stack, execution), [each["wait_seconds"] for each in inputs], row)


def in_virtual_time(stack: LocalStack, clip: Path, key: str, patch: pytest.MonkeyPatch) -> Run:
    definition = definition_of(stack, "WorkflowArn")
    watch = definition_of(stack, "WatchArn")
    journey = Journey(PROVIDER, patch=patch, definition=definition, watch_definition=watch)
    waits: list[int] = []
    wait = journey._wait

    def note(execution: Any, seconds: int) -> None:
        waits.append(seconds)
        wait(execution, seconds)

    patch.setattr(journey, "_wait", note)
    try:
        journey.dials(**TAKES)
        journey.arrive(key, clip.read_bytes())
        journey.go()
    finally:
        journey.close()
    [row] = journey.media_rows()
    return Run(journey.states["media"], waits, row)


def definition_of(stack: LocalStack, output: str) -> Mapping[str, Any]:
    found = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs[output])
    definition: dict[str, Any] = json.loads(found["definition"])
    return definition


def schedule(row: MediaRow) -> list[int]:
    """The waits that the policy has for a job with as many polls."""
    estimate, waits = Estimate(row["expected_seconds"], row["expected_spread"]), list[int]()
    for attempt in range(POLLS):
        progress = Progress(row["recording_id"], row["media_id"], row["key"], attempt=attempt)
        waits.append(seconds_until_poll(progress, estimate, sum(waits)))
    return waits


def forget_paces(stack: LocalStack) -> None:
    """Delete what other tests have taught this stack of how long a job takes."""
    table = stack.client("dynamodb")
    name = stack.outputs["InsightsTableName"]
    for page in table.get_paginator("scan").paginate(TableName=name, ProjectionExpression=f"{PARTITION}, {SORT}"):
        for key in page["Items"]:
            if key[PARTITION]["S"].startswith(f"PACE#{PROVIDER}#"):
                table.delete_item(TableName=name, Key=key)


def test_both_take_the_same_way(stack: LocalStack, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "uploads/agreed.mp4"
    forget_paces(stack)
    real, virtual = deployed(stack, clip, key), in_virtual_time(stack, clip, key, monkeypatch)

    assert (real.row["status"], virtual.row["status"]) == ("done", "done")
    assert real.states == virtual.states
    assert real.states.count("Poll job") == POLLS
    for count in ("transitions", "calls", "polls", "expected_seconds", "expected_spread"):
        assert real.row[count] == virtual.row[count], count
    assert real.row["transitions"] == len(real.states)
    for run in (real, virtual):
        assert run.waits == schedule(run.row)
