"""Dead letters are counted, shown without secrets, and moved back."""

import json
from collections.abc import Mapping

import pytest

from operations.dead_letters import QUEUES, DeadLetterQueues, Queue
from operations.deployed_stack import OperationFailed
from tests.unit.operations.fake_queues import FakeSqs

OUTPUTS = {
    queue.output: f"http://sqs.test/{queue.name}" if queue.output.endswith("Url") else f"arn:aws:sqs:r:1:{queue.name}"
    for queue in QUEUES
} | {
    "ArrivalsArn": "arn:aws:sqs:r:1:in",
    "NoticesArn": "arn:aws:sqs:r:1:events",
    "TranscriptsArn": "arn:aws:sqs:r:1:ready",
}
LINK = "https://b.s3.amazonaws.com/a.mp4?X-Amz-Signature=0123456789abcdef"


def named(name: str) -> Queue:
    return next(queue for queue in QUEUES if queue.name == name)


def queues(sqs: FakeSqs, outputs: Mapping[str, str] = OUTPUTS) -> DeadLetterQueues:
    return DeadLetterQueues(sqs, outputs)


def test_only_the_queues_of_the_stage_are_there() -> None:
    without_model = {name: value for name, value in OUTPUTS.items() if name != "UnderivedArn"}
    assert "transcripts" not in [queue.name for queue in queues(FakeSqs(), without_model).queues]


def test_a_queue_is_as_old_as_the_oldest_message_that_was_looked_at_and_hides_none() -> None:
    sqs = FakeSqs({"functions": [("a", 1_795_780_800, {}), ("b", 1_795_777_200, {})]})
    standing = queues(sqs).standing(named("functions"))
    assert (standing.messages, standing.oldest_at) == (2, "2026-11-27T11:00:00+00:00")
    assert sqs.hidden == set()
    empty = queues(sqs).standing(named("changes"))
    assert (empty.messages, empty.oldest_at) == (0, None)


def test_messages_are_shown_without_secrets_and_with_what_their_service_said_of_them() -> None:
    fault = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": f"denied {LINK}", "RULE_ARN": "arn"}
    body = json.dumps({"detail": {"url": LINK, "rtmp": "rtmp://a.test/live/key"}})
    sqs = FakeSqs({"notices": [*[(body, 2, fault)], ("no json " + LINK, 1, {})]})
    plain, structured = queues(sqs).show(named("notices"), 10)
    assert "0123456789abcdef" not in f"{plain}{structured}"
    assert "live/key" not in f"{structured}"
    assert plain.body.startswith("no json https://b.s3.amazonaws.com/a.mp4")
    assert structured.why["error code"] == "NO_PERMISSIONS"
    assert sqs.hidden == set(), "they are visible again"


def test_more_messages_than_one_call_returns_are_shown_each_once_up_to_the_limit() -> None:
    sqs = FakeSqs({"arrivals": [(f"{number}", number, {}) for number in range(25)]})
    assert [letter.body for letter in queues(sqs).show(named("arrivals"), 30)] == [*range(25)]
    assert len(queues(sqs).show(named("arrivals"), 12)) == 12


@pytest.mark.parametrize(
    ("name", "to"),
    [("arrivals", "arn:aws:sqs:r:1:in"), ("notices", "arn:aws:sqs:r:1:events"), ("changes", None)],
)
def test_messages_go_back_to_where_the_page_says(name: str, to: str | None) -> None:
    sqs = FakeSqs({name: [("a", 1, {})] * 3}, statuses=["RUNNING", "RUNNING", "COMPLETED"])
    said: list[str] = []
    assert queues(sqs).move_back(named(name), said.append) == 3
    assert sqs.moves == [(f"arn:aws:sqs:r:1:{name}", to)]
    assert said == ["SQS has moved 3 messages."] * 2


def test_a_move_under_way_is_not_begun_again_and_one_that_failed_is_said() -> None:
    under_way = FakeSqs({"arrivals": [("a", 1, {})]}, statuses=["RUNNING"], is_moving=True)
    with pytest.raises(OperationFailed, match="moving the messages of arrivals already"):
        queues(under_way).move_back(named("arrivals"), print)
    assert under_way.moves == []
    failing = FakeSqs({"arrivals": [("a", 1, {})]}, statuses=["FAILED"])
    with pytest.raises(OperationFailed, match="AccessDenied"):
        queues(failing).move_back(named("arrivals"), print)
