"""State machines of the local cloud: how the tests create them, start them, and await their executions."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from sandbox.cloud.local_stack import LocalStack

PATIENCE_SECONDS = 60
T = TypeVar("T")


def create_role(emulator: LocalStack, service: str, *statements: Mapping[str, Any]) -> str:
    """Create a role that a service may assume, with these rights. Return its ARN."""
    iam, name = emulator.client("iam"), f"role-{uuid4().hex[:8]}"
    trusted = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trusted))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy(*statements))
    return str(role["Role"]["Arn"])


def policy(*statements: Mapping[str, Any]) -> str:
    """Return a policy document with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def create_machine(emulator: LocalStack, states: Mapping[str, Any], *rights: Mapping[str, Any], **fields: Any) -> str:
    """Create a JSONata state machine that begins with the first of `states`. Return its ARN.

    Its role has these rights; without any, it may do everything. `fields` go into the definition.
    """
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
    machine = emulator.client("stepfunctions").create_state_machine(
        name=f"machine-{uuid4().hex[:8]}",
        definition=json.dumps(definition),
        roleArn=create_role(emulator, "states", *(rights or (EVERYTHING,))),
    )
    return str(machine["stateMachineArn"])


def waiting_for_token(queue_url: str, **fields: Any) -> Mapping[str, Any]:
    """A last state that sends its task token to a queue and waits for the answer."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": queue_url, "MessageBody": "{% $states.context.Task.Token %}"},
        "End": True,
        **fields,
    }


def next_token(emulator: LocalStack, queue_url: str) -> str:
    """Take the next task token from a queue, and wait for it if the queue is empty."""
    client = emulator.client("sqs")
    [message] = eventually(lambda: client.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1).get("Messages"))
    client.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return str(message["Body"])


def start(emulator: LocalStack, machine: str, **given: Any) -> str:
    """Start an execution. Return its ARN."""
    started = emulator.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(given))
    return str(started["executionArn"])


def ended(emulator: LocalStack, execution: str) -> dict[str, Any]:
    """Return the description of an execution when it has ended."""
    client = emulator.client("stepfunctions")

    def description() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    return eventually(description)


def events(emulator: LocalStack, execution: str) -> list[dict[str, Any]]:
    """Return the history of an execution so far."""
    pages = emulator.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def entered(emulator: LocalStack, execution: str, state: str) -> None:
    """Wait until an execution has entered a state."""
    eventually(
        lambda: any(
            event.get("stateEnteredEventDetails", {}).get("name") == state for event in events(emulator, execution)
        )
    )


def eventually(fact: Callable[[], T | None]) -> T:
    """Return what `fact` returns as soon as it is true. Raises AssertionError after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := fact()):
        assert time.monotonic() < deadline, f"not so within {PATIENCE_SECONDS} s"
        time.sleep(0.02)
    return found
