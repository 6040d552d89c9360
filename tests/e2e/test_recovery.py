"""A recorder of a mix that dies: what no MP4 holds is heard from its slices."""

from typing import Any
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import all_ended, entered, executions

FIRST_WORDS_MS, ANSWER_MS, SORRY_MS = 990, 7_380, 17_010
"""When the sample's agent begins, when the caller does, and when the agent says that this is a terrible mistake."""
TOLERANCE_MS = 300


def record(stack: LocalStack) -> str:
    answer = stack.call_api("POST", "/recordings", json={"channel": f"mixed {uuid4().hex[:8]}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["recording_id"])


def lines_of(stack: LocalStack, recording_id: str) -> list[dict[str, Any]]:
    return list(stack.call_api("GET", f"/recordings/{recording_id}/insights").json()["transcript"])


def assert_said(lines: list[dict[str, Any]], words: str, at_ms: int) -> None:
    [start] = [line["start_ms"] for line in lines if words in line["text"].lower()]
    assert abs(start - at_ms) < TOLERANCE_MS, lines


def test_what_a_recorder_had_before_another_took_over_is_the_first_half_of_the_conversation(stack: LocalStack) -> None:
    fail_over = {"fail_over_at_seconds": 13.0, "fail_over_gap_seconds": 2.4}
    stack.dials(agora={"recording_seconds": 30.0, "slice_seconds": 3.0, **fail_over})
    recording_id = record(stack)

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "partial", recording
    recovered, taken_over = recording["media"]
    assert recovered["recovered"]
    assert recovered["incomplete"] == "its playlist was never closed"
    assert abs(recovered["duration_ms"] - 12_000) < TOLERANCE_MS, "its last slice died with it"
    assert taken_over["offset_ms"] > 15_000
    visited = [state for execution in executions(stack, recording) for state in entered(stack, execution)]
    assert (visited.count("Submit recording"), visited.count("Save insights")) == (2, 2), "one job each"
    lines = lines_of(stack, recording_id)
    assert [line["start_ms"] for line in lines] == sorted(line["start_ms"] for line in lines)
    assert_said(lines, "good morning", FIRST_WORDS_MS)
    assert_said(lines, "big problem", ANSWER_MS)
    assert_said(lines, "terrible mistake", SORRY_MS)


@pytest.mark.matrix
def test_a_recorder_that_exits_abnormally_leaves_insights_and_no_failure(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": 20.0, "slice_seconds": 3.0, "exit_at_seconds": 10.0})
    recording_id = record(stack)

    recording = all_ended(stack, recording_id, media=1)

    assert recording["status"] == "partial", recording
    assert recording["reason"].endswith(".m3u8: its playlist was never closed")
    lines = lines_of(stack, recording_id)
    assert_said(lines, "good morning", FIRST_WORDS_MS)
