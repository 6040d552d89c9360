"""`make destroy` on the local cloud, with a small stack for a stage: it ends clean, and needs each of its rights."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from operations.deployed_stack import OperationFailed
from operations.destroy import Outcome, destroy, plan_destroy
from operations.emptied_bucket import Content
from recording_insights.store import keys
from sandbox.cloud.local_cloud import LocalCloud
from sandbox.cloud.local_stack import LocalStack
from tests.docs.pages import page
from tests.sandbox.cloud.machines import eventually


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


STAGE, STACK = "dev", "RecordingInsights-dev"
[POLICY] = [json.loads(each.text) for each in page("docs/deploy.md").fences if each.info[1:] == ("policy", "destroyer")]
ACTIONS = [action for each in POLICY["Statement"] for action in _listed(each["Action"])]
BUCKETS = ("Recordings", "Replies")
TEMPLATE = {
    "Resources": {
        **{
            name: {
                "Type": "AWS::S3::Bucket",
                "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
                "DeletionPolicy": "Delete",
            }
            for name in BUCKETS
        },
        "Uploader": {"Type": "AWS::IAM::User"},
        "Table": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Properties": {
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"}
                    for name in (keys.PARTITION, keys.SORT, keys.STATUS_INDEX_HASH, keys.STATUS_INDEX_RANGE)
                ],
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [
                    {"AttributeName": keys.PARTITION, "KeyType": "HASH"},
                    {"AttributeName": keys.SORT, "KeyType": "RANGE"},
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": keys.STATUS_INDEX,
                        "KeySchema": [
                            {"AttributeName": keys.STATUS_INDEX_HASH, "KeyType": "HASH"},
                            {"AttributeName": keys.STATUS_INDEX_RANGE, "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                "Replicas": [{"Region": "us-east-1"}],
            },
        },
    },
    "Outputs": {
        "InsightsTableName": {"Value": {"Ref": "Table"}},
        "AgoraUploaderName": {"Value": {"Ref": "Uploader"}},
    },
}


@pytest.fixture
def cloud(emulator: LocalStack) -> LocalCloud:
    return LocalCloud(emulator.endpoint_url, emulator.access_key_id, emulator.secret_access_key)


@pytest.fixture
def buckets(cloud: LocalCloud) -> list[str]:
    """The buckets of a stage that is deployed, with a version, a marker and an unfinished upload in each."""
    cloudformation, s3 = cloud.client("cloudformation"), cloud.client("s3")
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"])
    eventually(lambda: _status(cloudformation) == "CREATE_COMPLETE")
    found = cloudformation.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
    cloud.client("iam").create_access_key(UserName=names["Uploader"])
    cloud.client("secretsmanager").create_secret(Name=f"recording-insights/{STAGE}/agora-uploader", SecretString="{}")
    for name in BUCKETS:
        s3.put_object(Bucket=names[name], Key="key", Body=b"")
        s3.delete_object(Bucket=names[name], Key="key")
        s3.create_multipart_upload(Bucket=names[name], Key="key")
    return [names[name] for name in BUCKETS]


def _status(cloudformation: Any) -> str:
    return str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])


@pytest.fixture
def user(cloud: LocalCloud) -> Iterator[Callable[..., LocalCloud]]:
    """Gives a user the policy of the page without one action."""
    iam, name = cloud.client("iam"), f"destroyer-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def call(*, without: str = "") -> LocalCloud:
        statements = [{**each, "Action": [*({*_listed(each["Action"])} - {without})]} for each in POLICY["Statement"]]
        policy = {**POLICY, "Statement": [each for each in statements if each["Action"]]}
        text = json.dumps(policy).replace("eu-central-1", "us-east-1").replace("111122223333", "000000000000")
        iam.put_user_policy(UserName=name, PolicyName="of-the-page", PolicyDocument=text)
        return LocalCloud(cloud.endpoint_url, key["AccessKeyId"], key["SecretAccessKey"])

    yield call
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="of-the-page")
    iam.delete_user(UserName=name)


def remove(cloud: LocalCloud, folder: Path) -> Outcome:
    """Delete the stage as the command does, but without long waits."""
    make: Any = boto3.resource
    given = {"aws_access_key_id": cloud.access_key_id, "aws_secret_access_key": cloud.secret_access_key}
    tables = make("dynamodb", endpoint_url=cloud.endpoint_url, region_name="us-east-1", **given).Table
    plan = plan_destroy(STAGE, cloud.client, tables, lambda line: None)
    return destroy(plan, cloud.client, lambda line: None, lambda seconds: time.sleep(0.05), folder)


def test_a_stage_with_full_buckets_ends_clean(
    cloud: LocalCloud, user: Callable[..., LocalCloud], buckets: list[str], tmp_path: Path
) -> None:
    outcome = remove(user(), tmp_path)
    assert outcome.buckets == dict.fromkeys(buckets, Content(versions=2, uploads=1))
    assert not {*buckets} & {each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]}
    with pytest.raises(OperationFailed, match="nothing is left"):
        remove(cloud, tmp_path)


@pytest.mark.matrix
@pytest.mark.parametrize("action", ACTIONS)
def test_each_right_of_the_page_is_needed(
    cloud: LocalCloud, user: Callable[..., LocalCloud], buckets: list[str], tmp_path: Path, action: str
) -> None:
    try:
        with pytest.raises(OperationFailed, match=r"You may not call|AccessDenied"):
            remove(user(without=action), tmp_path)
    finally:
        remove(cloud, tmp_path)
