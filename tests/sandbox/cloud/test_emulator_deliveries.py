"""What EventBridge and asynchronous callers deliver: tries, dead letters, permissions, waits that see it handled."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from ministack.services import eventbridge, lambda_svc  # type: ignore[import-untyped]

from sandbox.cloud.emulator import deliveries
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function
from tests.sandbox.cloud.machines import PATIENCE_SECONDS, create_machine, ended, eventually, policy, start

HANDLER = """
import json
import time

def handler(event, context):
    detail = event.get("detail", event)
    print("tried", detail["number"])
    if detail.get("fails"):
        raise ValueError("broken")
    time.sleep(detail.get("seconds", 0))
    print("handled", detail["number"])
"""
WAITS = {"Wait": {"Type": "Wait", "Seconds": 300, "End": True}}


@pytest.fixture(autouse=True)
def scaled(emulator: LocalStack) -> Iterator[None]:
    emulator.set_wait_scale(0.0001)
    yield
    emulator.set_wait_scale(0)


def queue(emulator: LocalStack, *statements: dict[str, Any]) -> tuple[str, str]:
    """Create a queue with this policy. Return its URL and its ARN."""
    sqs = emulator.client("sqs")
    attributes = {"Policy": policy(*statements)} if statements else {}
    url = sqs.create_queue(QueueName=f"queue-{uuid4().hex[:8]}", Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def message(emulator: LocalStack, url: str) -> dict[str, Any]:
    """The next message of a queue, as soon as there is one."""
    sqs = emulator.client("sqs")

    def receive() -> Any:
        return sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=1).get("Messages")

    [found] = eventually(receive)
    return dict(found)


def arn_of(emulator: LocalStack, function: str) -> str:
    return str(emulator.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"])


def rule(emulator: LocalStack, target: str, **fields: Any) -> str:
    """Create a rule that sends the events of a source of its own to a target. Return its name, which is the source."""
    events, name = emulator.client("events"), f"rule-{uuid4().hex[:8]}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "target", "Arn": target, **fields}])
    return name


def permit(emulator: LocalStack, function: str, source_arn: str) -> None:
    emulator.client("lambda").add_permission(
        FunctionName=function,
        StatementId=uuid4().hex,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=source_arn,
    )


def rule_arn(emulator: LocalStack, name: str) -> str:
    return str(emulator.client("events").describe_rule(Name=name)["Arn"])


def put(emulator: LocalStack, source: str, **detail: Any) -> None:
    entry = {"Source": source, "DetailType": "numbered", "Detail": json.dumps(detail)}
    emulator.client("events").put_events(Entries=[entry])


def lines(emulator: LocalStack, function: str, text: str) -> int:
    """How often a function has logged a text."""
    try:
        logs = emulator.client("logs").get_paginator("filter_log_events")
        pages = logs.paginate(logGroupName=f"/aws/lambda/{function}")
        logged = [line for page in pages for line in page["events"]]
    except emulator.client("logs").exceptions.ResourceNotFoundException:
        return 0
    return sum(line["message"].count(text) for line in logged)


def test_a_wait_sees_the_events_before_it_handled(emulator: LocalStack) -> None:
    function = create_function(emulator, HANDLER)
    name = rule(emulator, arn_of(emulator, function))
    permit(emulator, function, rule_arn(emulator, name))
    machine = create_machine(emulator, WAITS)
    put(emulator, name, number=7, seconds=1)
    ended(emulator, start(emulator, machine))
    assert lines(emulator, function, "handled 7") == 1


def test_an_event_that_fails_is_tried_three_times_and_is_a_dead_letter_then(emulator: LocalStack) -> None:
    url, arn = queue(emulator)
    may_send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    function = create_function(emulator, HANDLER, may_send, DeadLetterConfig={"TargetArn": arn})
    name = rule(emulator, arn_of(emulator, function))
    permit(emulator, function, rule_arn(emulator, name))
    put(emulator, name, number=3, fails=True)
    letter = message(emulator, url)
    assert json.loads(letter["Body"])["detail"] == {"number": 3, "fails": True}
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "broken"
    assert lines(emulator, function, "tried 3") == 3


def test_a_throttle_is_not_a_try(emulator: LocalStack) -> None:
    # The six hours that a throttled event is tried for are longer than this test waits.
    emulator.set_wait_scale(2 * PATIENCE_SECONDS / (6 * 3600))
    function = create_function(emulator, HANDLER)
    client = emulator.client("lambda")
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    for number in range(8):
        client.invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps({"number": number, "seconds": 0.1})
        )
    eventually(lambda: lines(emulator, function, "handled") == 8)
    assert lines(emulator, function, "tried") == 8


def test_a_dead_letter_needs_the_right_of_the_role(emulator: LocalStack) -> None:
    url, arn = queue(emulator)
    function = create_function(emulator, HANDLER, DeadLetterConfig={"TargetArn": arn})
    emulator.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps({"number": 4, "fails": True})
    )
    eventually(lambda: lines(emulator, function, "tried 4") == 3)
    assert "Messages" not in emulator.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)


def log_group(emulator: LocalStack) -> str:
    """Create a log group that nobody may write to. Return its ARN, as a rule names it."""
    logs, name = emulator.client("logs"), f"/aws/events/{uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name)
    [found] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return str(found["arn"]).removesuffix(":*")


@pytest.mark.parametrize("target", ["function", "queue", "log group", "gone"])
def test_what_a_rule_may_not_deliver_is_its_dead_letter(emulator: LocalStack, target: str) -> None:
    from_events = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    letters, letters_arn = queue(emulator, {**from_events, "Resource": "*"})
    function = create_function(emulator, HANDLER)
    arns = {
        "function": arn_of(emulator, function),
        "queue": queue(emulator)[1],
        "log group": log_group(emulator),
        "gone": arn_of(emulator, function) + "-gone",
    }
    name = rule(emulator, arns[target], DeadLetterConfig={"Arn": letters_arn})
    put(emulator, name, number=5)
    letter = message(emulator, letters)
    assert json.loads(letter["Body"])["detail"] == {"number": 5}
    attributes = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    code = "RESOURCE_NOT_FOUND" if target == "gone" else "NO_PERMISSIONS"
    assert attributes == {"RULE_ARN": rule_arn(emulator, name), "TARGET_ARN": arns[target], "ERROR_CODE": code}
    assert lines(emulator, function, "tried") == 0


def test_a_policy_for_one_rule_lets_no_other_deliver(emulator: LocalStack) -> None:
    function = create_function(emulator, HANDLER)
    permitted, other = (rule(emulator, arn_of(emulator, function)) for _ in range(2))
    permit(emulator, function, rule_arn(emulator, permitted))
    put(emulator, other, number=1)
    put(emulator, permitted, number=2)
    eventually(lambda: lines(emulator, function, "handled 2"))
    assert lines(emulator, function, "tried 1") == 0


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (deliveries.try_events_as_documented, lambda_svc, "invoke_async_with_retry"),
        (deliveries.try_events_as_documented, lambda_svc, "_route_async_failure"),
        (deliveries.bury_what_rules_cannot_deliver, eventbridge, "_invoke_target"),
        (lambda: deliveries.deliver_events_before_waits_end(print), eventbridge, "_dispatch_to_lambda"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], object], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
