"""Faults of AWS: each Retry and each Catch of the state machine, and executions that somebody stops."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.local_stack import LocalStack
from tests.deployed import drop, execution_ended, executions, history, recording_of, states, until_ended


def function_of(stack: LocalStack, state: str) -> str:
    """The name of the function behind a task."""
    machine = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs["WorkflowArn"])
    return str(json.loads(machine["definition"])["States"][state]["Arguments"]["FunctionName"])


@contextmanager
def throttled(stack: LocalStack, state: str) -> Iterator[None]:
    client, name = stack.client("lambda"), function_of(stack, state)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        client.delete_function_concurrency(FunctionName=name)


@contextmanager
def without_grants(stack: LocalStack, state: str) -> Iterator[None]:
    """A task's function loses what its role may do, so that every call to AWS fails."""
    iam = stack.client("iam")
    arn = stack.client("lambda").get_function_configuration(FunctionName=function_of(stack, state))["Role"]
    role = arn.rpartition("/")[2]
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    for name in policies:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in policies.items():
            text = document if isinstance(document, str) else json.dumps(document)
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)


def failures(stack: LocalStack, recording: dict[str, Any]) -> list[str]:
    """The errors of tasks that an execution has met so far."""
    [execution] = executions(stack, recording)
    events = history(stack, execution["executionArn"])
    return [event["taskFailedEventDetails"]["error"] for event in events if event["type"] == "TaskFailed"]


def await_failure(stack: LocalStack, recording_id: str) -> list[str]:
    for _ in range(100):
        recording = stack.call_api("GET", f"/recordings/{recording_id}").json()
        if executions(stack, recording) and (met := failures(stack, recording)):
            return met
        time.sleep(0.1)
    raise AssertionError("no task failed")


TASKS = ["Submit recording", "Poll job", "Save insights"]


@pytest.mark.parametrize("state", TASKS)
def test_a_throttled_function_is_tried_again(stack: LocalStack, clip: Path, state: str) -> None:
    with throttled(stack, state):
        recording_id = recording_of(stack, drop(stack, clip))
        assert set(await_failure(stack, recording_id)) == {"Lambda.TooManyRequestsException"}
    assert until_ended(stack, recording_id)["status"] == "done"


def test_a_throttled_report_is_tried_again(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"job_fails": "no speech"})
    with throttled(stack, "Report failure"):
        recording_id = recording_of(stack, drop(stack, clip))
        assert set(await_failure(stack, recording_id)) == {"Lambda.TooManyRequestsException"}
    recording = until_ended(stack, recording_id)
    assert recording["status"] == "failed"
    assert "no speech" in recording["media"][0]["reason"]


@pytest.mark.parametrize("state", TASKS)
def test_a_passing_fault_of_aws_is_tried_again(stack: LocalStack, clip: Path, state: str) -> None:
    with without_grants(stack, state):
        recording_id = recording_of(stack, drop(stack, clip))
        assert set(await_failure(stack, recording_id)) == {"ClientError"}
    assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.parametrize("state", TASKS)
def test_a_lasting_fault_is_caught_and_reported(stack: LocalStack, clip: Path, state: str) -> None:
    with without_grants(stack, state):
        recording = until_ended(stack, recording_of(stack, drop(stack, clip)))
    assert recording["status"] == "failed"
    assert recording["media"][0]["reason"].startswith(f"{state}: ClientError")
    assert states(stack, recording)[-2:] == ["Report failure", "Recording failed"]


def test_a_failure_that_cannot_be_reported_still_reaches_the_row(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"job_fails": "no speech"})
    with without_grants(stack, "Report failure"):
        recording = until_ended(stack, recording_of(stack, drop(stack, clip)))
    assert recording["status"] == "failed"
    assert "could not be reported" in recording["media"][0]["reason"]
    assert execution_ended(stack, recording)["status"] == "FAILED"


def test_an_execution_aborted_at_the_console_leaves_its_reason(stack: LocalStack, clip: Path) -> None:
    stack.set_wait_scale(1)
    stack.dials(marsview={"job_never_ends": True})
    recording_id = recording_of(stack, drop(stack, clip))
    recording = stack.call_api("GET", f"/recordings/{recording_id}").json()
    for _ in range(100):
        if found := executions(stack, recording):
            break
        time.sleep(0.1)
    stack.client("stepfunctions").stop_execution(executionArn=found[0]["executionArn"])
    recording = until_ended(stack, recording_id)
    assert recording["status"] == "failed"
    assert "aborted" in recording["media"][0]["reason"]
