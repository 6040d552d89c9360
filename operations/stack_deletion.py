"""A stage's stack as CloudFormation has it, and its deletion, which can be followed and repeated.

What a deletion leaves is in the deployed template: the settings of today may say something else. CloudFormation needs
no template and no settings for a deletion, so neither a synthesis nor Node is needed. It deletes with the role that
deployed the stack.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from operations.deployed_stack import Clients, OperationFailed, Report, stack_name

BUCKET, TABLE, USER = "AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable", "AWS::IAM::User"
INTERVAL_SECONDS = 5.0
_STACK = "AWS::CloudFormation::Stack"
_KEEPS = ("Retain", "RetainExceptOnCreate")
_IDENTIFIERS = {BUCKET: "BucketName", TABLE: "TableName"}
"""The property that CloudFormation imports a resource by."""


@dataclass(frozen=True)
class Resource:
    """A resource of the stack by its names in the template and in the account; `kind` is its type."""

    logical_id: str
    kind: str
    name: str


@dataclass(frozen=True)
class Failure:
    """A resource that CloudFormation could not delete, and its reason."""

    resource: Resource
    reason: str


@dataclass(frozen=True)
class StageStack:
    """A stack that exists. `goes` and `stays` are its resources by what a deletion does to them."""

    stack_id: str
    status: str
    protected: bool
    outputs: Mapping[str, str]
    goes: Sequence[Resource] = ()
    stays: Sequence[Resource] = ()

    @property
    def partition(self) -> str:
        return self.stack_id.split(":")[1]

    @property
    def region(self) -> str:
        return self.stack_id.split(":")[3]

    @property
    def account(self) -> str:
        return self.stack_id.split(":")[4]

    @property
    def mapping(self) -> Mapping[str, Mapping[str, str]]:
        """What stays, as `cdk import --resource-mapping` reads it."""
        return {
            each.logical_id: {_IDENTIFIERS[each.kind]: each.name} for each in self.stays if each.kind in _IDENTIFIERS
        }

    def going(self, kind: str) -> list[Resource]:
        """The resources of a kind that a deletion deletes."""
        return [each for each in self.goes if each.kind == kind]


def find_stack(stage: str, client: Clients) -> StageStack | None:
    """Return the stack of a stage; None if it does not exist. Raises botocore's `ClientError`."""
    cloudformation = client("cloudformation")
    try:
        [stack] = cloudformation.describe_stacks(StackName=stack_name(stage))["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error.response["Error"].get("Message", "")):
            raise
        return None
    stack_id = stack["StackId"]
    # A change set that was never executed has made a stack without a template.
    is_empty = stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    keeps = set() if is_empty else _kept_by_template(cloudformation, stack_id)
    found = [] if is_empty else [*_resources(cloudformation, stack_id)]
    return StageStack(
        stack_id,
        stack["StackStatus"],
        bool(stack.get("EnableTerminationProtection")),
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        goes=[each for each in found if each.logical_id not in keeps],
        stays=[each for each in found if each.logical_id in keeps],
    )


def _kept_by_template(cloudformation: Any, stack_id: str) -> set[str]:
    template = cloudformation.get_template(StackName=stack_id, TemplateStage="Processed").get("TemplateBody") or {}
    if isinstance(template, str):
        template = json.loads(template)  # boto3 reads JSON itself, where AWS says that it is JSON
    resources = template.get("Resources", {})
    return {logical_id for logical_id, each in resources.items() if each.get("DeletionPolicy") in _KEEPS}


def _resources(cloudformation: Any, stack_id: str) -> Iterator[Resource]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id):
        for each in page["StackResourceSummaries"]:
            if each["ResourceStatus"] != "DELETE_COMPLETE" and each.get("PhysicalResourceId"):
                yield Resource(each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])


@dataclass
class _Events:
    """The events of one deletion: those that follow the stack's last `DELETE_IN_PROGRESS`, unless that is `before`."""

    cloudformation: Any
    stack_id: str
    before: str | None = None

    def begun(self) -> str | None:
        """The id of the event with which the last deletion began."""
        return next((each["EventId"] for each in self._newest_first() if self._begins(each)), None)

    def read(self) -> list[Mapping[str, Any]]:
        """The events so far, newest first; none if the deletion has not begun."""
        found: list[Mapping[str, Any]] = []
        for each in self._newest_first():
            if self._begins(each):
                return [] if each["EventId"] == self.before else found
            found.append(each)
        return []

    def of_stack(self, event: Mapping[str, Any]) -> bool:
        return event["ResourceType"] == _STACK and event.get("PhysicalResourceId") == self.stack_id

    def _begins(self, event: Mapping[str, Any]) -> bool:
        return self.of_stack(event) and event["ResourceStatus"] == "DELETE_IN_PROGRESS"

    def _newest_first(self) -> Iterator[Mapping[str, Any]]:
        for page in self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.stack_id):
            yield from page["StackEvents"]


@dataclass
class Deletion:
    """Deletes one stack and follows that to its end. Other programs may have begun it."""

    stack: StageStack
    client: Clients
    report: Report
    sleep: Callable[[float], None]
    _said: int = field(default=0, init=False)

    def run(self) -> list[Failure]:
        """Delete the stack, or follow a deletion that goes on; return what could not be deleted.

        Raises:
            OperationFailed: the stack is there, but CloudFormation does not say which resources failed.
        """
        cloudformation = self.client("cloudformation")
        events = _Events(cloudformation, self.stack.stack_id)
        if self.stack.status != "DELETE_IN_PROGRESS":
            events.before = events.begun()
            cloudformation.delete_stack(StackName=self.stack.stack_id)
        while True:
            seen = events.read()
            # A stack that never had a resource may go without an event.
            if not seen and self._status(cloudformation) == "DELETE_COMPLETE":
                return []
            deleted = [each for each in seen if each["ResourceStatus"] == "DELETE_COMPLETE"]
            self._say(sum(not events.of_stack(each) for each in deleted))
            ends = [each["ResourceStatus"] for each in seen if events.of_stack(each)]
            if "DELETE_COMPLETE" in ends:
                return []
            if "DELETE_FAILED" in ends:
                return self._failures(seen, events)
            self.sleep(INTERVAL_SECONDS)

    def _status(self, cloudformation: Any) -> str:
        return str(cloudformation.describe_stacks(StackName=self.stack.stack_id)["Stacks"][0]["StackStatus"])

    def _failures(self, seen: Sequence[Mapping[str, Any]], events: _Events) -> list[Failure]:
        # CloudFormation may try a resource more than once. Its last word counts.
        last = {each["LogicalResourceId"]: each for each in reversed(seen) if not events.of_stack(each)}
        failed = [
            Failure(
                Resource(name, each["ResourceType"], each.get("PhysicalResourceId", "")),
                each.get("ResourceStatusReason") or "CloudFormation gives no reason",
            )
            for name, each in last.items()
            if each["ResourceStatus"] == "DELETE_FAILED"
        ]
        if not failed:
            [reason] = [each.get("ResourceStatusReason", "") for each in seen if events.of_stack(each)][:1]
            raise OperationFailed(f"CloudFormation has not deleted {self.stack.stack_id}: {reason}")
        return failed

    def _say(self, deleted: int) -> None:
        if deleted > self._said:
            self.report(f"Deleted {deleted} of {len(self.stack.goes)} resources")
            self._said = deleted
