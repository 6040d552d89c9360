"""Faults of AWS that tests bring about in the functions behind a state machine's tasks."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sandbox.cloud.local_stack import LocalStack


def function_of(stack: LocalStack, state: str, machine: str) -> str:
    """The name of the function behind a task of a machine, which is named as in the stack's outputs."""
    found = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs[machine])
    return str(json.loads(found["definition"])["States"][state]["Arguments"]["FunctionName"])


def function_with(stack: LocalStack, handler: str) -> str:
    """The name of the function that has a handler."""
    pages = stack.client("lambda").get_paginator("list_functions").paginate()
    [name] = [f["FunctionName"] for page in pages for f in page["Functions"] if f["Handler"] == handler]
    return str(name)


def begin_anew(stack: LocalStack, function: str) -> None:
    """Give the function new workers. A worker reads a secret once in five minutes."""
    client = stack.client("lambda")
    timeout = client.get_function_configuration(FunctionName=function)["Timeout"]
    client.update_function_configuration(FunctionName=function, Timeout=timeout)


@contextmanager
def throttled(stack: LocalStack, state: str, machine: str = "WorkflowArn") -> Iterator[None]:
    """A task's function takes no calls."""
    with _without_workers(stack, function_of(stack, state, machine)):
        yield


@contextmanager
def throttled_route(stack: LocalStack, module: str) -> Iterator[None]:
    """The function of a file in functions/routes takes no calls."""
    with _without_workers(stack, function_with(stack, f"routes.{module}.handler")):
        yield


@contextmanager
def failing_event(stack: LocalStack, module: str) -> Iterator[None]:
    """The function of a file in functions/events may do nothing but leave dead letters."""
    with _without_policies(stack, function_with(stack, f"events.{module}.handler"), keeping=["sqs:SendMessage"]):
        yield


@contextmanager
def without_rule(stack: LocalStack, description: str) -> Iterator[None]:
    """The rule of this description sees no event."""
    events = stack.client("events")
    [name] = [rule["Name"] for rule in events.list_rules()["Rules"] if rule.get("Description") == description]
    events.disable_rule(Name=name)
    try:
        yield
    finally:
        events.enable_rule(Name=name)


@contextmanager
def _without_workers(stack: LocalStack, name: str) -> Iterator[None]:
    client = stack.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        client.delete_function_concurrency(FunctionName=name)


@contextmanager
def callback_wait(stack: LocalStack, seconds: int) -> Iterator[None]:
    """Executions that start now wait for a callback no longer than this: real seconds, which no scale shortens."""
    client, arn = stack.client("stepfunctions"), stack.outputs["WorkflowArn"]
    deployed = client.describe_state_machine(stateMachineArn=arn)["definition"]
    definition = json.loads(deployed)
    definition["States"]["Await callback"]["TimeoutSeconds"] = seconds
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    try:
        yield
    finally:
        client.update_state_machine(stateMachineArn=arn, definition=deployed)


@contextmanager
def without_grants(stack: LocalStack, state: str, machine: str = "WorkflowArn") -> Iterator[None]:
    """A task's function loses what its role may do, so that every call to AWS fails."""
    with _without_policies(stack, function_of(stack, state, machine)):
        yield


@contextmanager
def unadmitted_arrivals(stack: LocalStack, *, deliveries: int) -> Iterator[None]:
    """The intake may do nothing but take messages; they come again after a second, and so often."""
    sqs, url = stack.client("sqs"), stack.outputs["ArrivalsUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"])["Attributes"]
    redrive = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": deliveries}
    [mapping] = mappings(stack, stack.outputs["ArrivalsArn"])
    function = mapping["FunctionArn"].rpartition(":")[2]
    takes = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)})
    try:
        with _without_policies(stack, function, keeping=takes):
            yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def without_events(stack: LocalStack) -> Iterator[None]:
    """The bus takes nothing; changes that could not be published come again after a second."""
    [changes] = mappings(stack, ":dynamodb:")
    function = changes["FunctionArn"].rpartition(":")[2]
    [messages] = [each for each in mappings(stack, ":sqs:") if each["FunctionArn"] == changes["FunctionArn"]]
    sqs, name = stack.client("sqs"), messages["EventSourceArn"].rpartition(":")[2]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    redrive = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": 1000}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)})
    try:
        with _without_policies(stack, function, keeping=["sqs:*", "dynamodb:*", "logs:*"]):
            yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def mappings(stack: LocalStack, source: str) -> list[dict[str, Any]]:
    """The event source mappings whose source has this in its ARN."""
    found = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return [dict(mapping) for mapping in found if source in mapping["EventSourceArn"]]


@contextmanager
def _without_policies(stack: LocalStack, function: str, *, keeping: Sequence[str] = ()) -> Iterator[None]:
    """The role of a function has no right but these, on everything."""
    iam = stack.client("iam")
    arn = stack.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    role = arn.rpartition("/")[2]
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    if keeping:
        kept = {"Effect": "Allow", "Action": list(keeping), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [kept]})
        iam.put_role_policy(RoleName=role, PolicyName="Kept", PolicyDocument=document)
    for name in policies:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in policies.items():
            text = document if isinstance(document, str) else json.dumps(document)
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)
        if keeping:
            iam.delete_role_policy(RoleName=role, PolicyName="Kept")
