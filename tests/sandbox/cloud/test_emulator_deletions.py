"""A stack deletes what its services would delete, and takes in again what a deleted stack has left."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from ministack.services import s3  # type: ignore[import-untyped]
from ministack.services.cloudformation import changesets, provisioners  # type: ignore[import-untyped]

from sandbox.cloud.emulator import deletions
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.machines import eventually

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
TABLE = {
    "Type": "AWS::DynamoDB::GlobalTable",
    "Properties": {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "Replicas": [{"Region": "us-east-1"}],
    },
}


@pytest.fixture
def name() -> str:
    return f"stack-{uuid4().hex[:8]}"


@pytest.fixture
def cloudformation(emulator: LocalStack) -> Any:
    return emulator.client("cloudformation")


@pytest.fixture
def until(cloudformation: Any, name: str) -> Callable[..., str]:
    """Wait until the stack has one of these states, and return its id."""

    def wait(*states: str, stack: str = name) -> str:
        found = eventually(
            lambda: [s for s in cloudformation.describe_stacks(StackName=stack)["Stacks"] if s["StackStatus"] in states]
        )
        return str(found[0]["StackId"])

    return wait


@pytest.fixture
def create(cloudformation: Any, name: str, until: Callable[..., str]) -> Callable[..., Mapping[str, str]]:
    """Create the stack; return the physical names of its resources."""

    def call(**resources: Any) -> Mapping[str, str]:
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps({"Resources": resources}),
            Capabilities=["CAPABILITY_IAM"],
        )
        until("CREATE_COMPLETE")
        return names_in(cloudformation, name)

    return call


def names_in(cloudformation: Any, name: str) -> Mapping[str, str]:
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
    }


def reason_of(cloudformation: Any, name: str, logical_id: str) -> str:
    """Why the deletion of a resource failed last."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e for e in events if (e["LogicalResourceId"], e["ResourceStatus"]) == (logical_id, "DELETE_FAILED")]
    return str(failed[0]["ResourceStatusReason"])


def test_a_bucket_goes_with_its_stack_only_without_any_version(
    emulator: LocalStack, cloudformation: Any, name: str, create: Any, until: Any
) -> None:
    bucket = create(Bucket=BUCKET, Topic={"Type": "AWS::SNS::Topic"})["Bucket"]
    objects = emulator.client("s3")
    version = objects.put_object(Bucket=bucket, Key="key", Body=b"")["VersionId"]
    marker = objects.delete_object(Bucket=bucket, Key="key")["VersionId"]

    cloudformation.delete_stack(StackName=name)
    stack_id = until("DELETE_FAILED")
    [left] = cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert (left["ResourceStatus"], left["LogicalResourceId"]) == ("DELETE_FAILED", "Bucket")
    assert "not empty" in reason_of(cloudformation, name, "Bucket")
    assert "[Bucket]" in cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatusReason"]

    objects.delete_object(Bucket=bucket, Key="key", VersionId=version)
    cloudformation.delete_stack(StackName=name)
    until("DELETE_FAILED")
    objects.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    cloudformation.delete_stack(StackName=name)
    until("DELETE_COMPLETE", stack=stack_id)
    assert bucket not in [each["Name"] for each in objects.list_buckets()["Buckets"]]


def test_a_user_goes_with_its_stack_only_without_a_key_and_without_policies_of_others(
    emulator: LocalStack, cloudformation: Any, name: str, create: Any, until: Any
) -> None:
    user, iam = create(User={"Type": "AWS::IAM::User"})["User"], emulator.client("iam")
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName=user, PolicyName="by-hand", PolicyDocument=json.dumps(deny))

    cloudformation.delete_stack(StackName=name)
    stack_id = until("DELETE_FAILED")
    iam.delete_access_key(UserName=user, AccessKeyId=key)
    cloudformation.delete_stack(StackName=name)
    until("DELETE_FAILED")
    assert "must delete policies first" in reason_of(cloudformation, name, "User")

    iam.delete_user_policy(UserName=user, PolicyName="by-hand")
    cloudformation.delete_stack(StackName=name)
    until("DELETE_COMPLETE", stack=stack_id)


def test_what_a_deleted_stack_has_left_can_be_imported(
    emulator: LocalStack, cloudformation: Any, name: str, create: Any, until: Any
) -> None:
    left = {"Bucket": {**BUCKET, "DeletionPolicy": "Retain"}, "Table": {**TABLE, "DeletionPolicy": "Retain"}}
    names, stack_id = create(**left), until("CREATE_COMPLETE")
    emulator.client("dynamodb").put_item(TableName=names["Table"], Item={"pk": {"S": "kept"}})
    cloudformation.delete_stack(StackName=name)
    until("DELETE_COMPLETE", stack=stack_id)

    template = json.dumps({"Resources": left})
    asked = cloudformation.get_template_summary(TemplateBody=template)["ResourceIdentifierSummaries"]
    keys = {each["ResourceType"]: each["ResourceIdentifiers"] for each in asked}
    assert keys == {"AWS::S3::Bucket": ["BucketName"], "AWS::DynamoDB::GlobalTable": ["TableName"]}
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=template,
        ResourcesToImport=[
            {
                "ResourceType": left[logical_id]["Type"],
                "LogicalResourceId": logical_id,
                "ResourceIdentifier": {keys[str(left[logical_id]["Type"])][0]: names[logical_id]},
            }
            for logical_id in left
        ],
    )
    cloudformation.execute_change_set(StackName=name, ChangeSetName="import")
    until("IMPORT_COMPLETE")

    assert names_in(cloudformation, name) == names
    assert emulator.client("dynamodb").scan(TableName=names["Table"])["Count"] == 1


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (deletions.refuse_to_delete_what_is_used, provisioners, "_s3_delete"),
        (deletions.refuse_to_delete_what_is_used, provisioners, "_iam_user_delete"),
        (deletions.refuse_to_delete_what_is_used, s3, "_delete_bucket"),
        (deletions.import_what_was_left, provisioners, "_import_resource"),
        (deletions.import_what_was_left, changesets, "_import_not_found"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
