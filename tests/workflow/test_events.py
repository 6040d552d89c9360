"""Events on the bus of the deployed stack, in a queue that a rule sends them to."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from infra.event_schemas import event_schemas
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import STAYS, drop, recording_of, until, until_ended, until_recording
from tests.workflow.aws_faults import without_events

ENDED = ["recording.completed", "transcript.ready", "insights.ready"]


class Listener:
    """A queue, and a rule on the bus that sends the events of one recording there."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack, self._name = stack, f"listener-{uuid4().hex[:8]}"
        self._sqs, self._events = stack.client("sqs"), stack.client("events")
        self._bus = stack.outputs["EventBusName"]
        self._url = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": ["recording-insights"]})
        rule = self._events.put_rule(Name=self._name, EventBusName=self._bus, EventPattern=pattern)["RuleArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self._events.put_targets(Rule=self._name, EventBusName=self._bus, Targets=[{"Id": "queue", "Arn": arn}])
        self.heard: list[Mapping[str, Any]] = []

    def close(self) -> None:
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["queue"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._url)

    def envelopes(self, recording_id: str) -> list[Mapping[str, Any]]:
        """All events of the recording so far, in the order in which they came."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                event = json.loads(message["Body"])
                assert event["detail-type"] == event["detail"]["type"]
                assert event["resources"] == [event["detail"]["data"]["recording_id"]]
                Draft202012Validator(event_schemas()).validate(event["detail"])
                self.heard.append(event["detail"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [envelope for envelope in self.heard if envelope["data"]["recording_id"] == recording_id]

    def until(self, recording_id: str, last: str) -> list[str]:
        """The types of the events of a recording, once the last one has come."""

        def types() -> list[str] | None:
            found = [envelope["type"] for envelope in self.envelopes(recording_id)]
            return found if last in found else None

        return until(types, f"{last} of {recording_id}")


@pytest.fixture
def listener(stack: LocalStack) -> Iterator[Listener]:
    listener = Listener(stack)
    yield listener
    listener.close()


def test_a_file_gives_exactly_these_events(stack: LocalStack, clip: Path, listener: Listener) -> None:
    recording_id = recording_of(stack, drop(stack, clip))
    assert listener.until(recording_id, ENDED[-1]) == ["media.done", *ENDED]


@pytest.mark.matrix
def test_a_recording_gives_exactly_these_events_with_the_words_of_its_caller(
    stack: LocalStack, listener: Listener
) -> None:
    stack.dials(agora=STAYS)
    words = {"reference": f"ticket {uuid4().hex[:8]}", "metadata": {"team": "blue"}}
    answer = stack.call_api("POST", "/recordings", json={"channel": f"events {uuid4().hex[:8]}", **words})
    recording_id = answer.json()["recording_id"]
    until_recording(stack, recording_id)
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    until_ended(stack, recording_id)
    types = listener.until(recording_id, ENDED[-1])
    assert types == ["recording.started", "recording.ended", "media.done", *ENDED]
    assert all({name: envelope[name] for name in words} == words for envelope in listener.envelopes(recording_id))


@pytest.mark.matrix
def test_events_that_the_bus_did_not_take_come_later_with_the_rest(
    stack: LocalStack, clip: Path, listener: Listener
) -> None:
    with without_events(stack):
        recording_id = recording_of(stack, drop(stack, clip))
        until_ended(stack, recording_id)
        assert listener.envelopes(recording_id) == []
    assert sorted(listener.until(recording_id, ENDED[-1])) == sorted(["media.done", *ENDED])
