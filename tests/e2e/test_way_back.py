"""A stage is deployed, removed, brought back and removed for good, with the rights of docs/deploy.md and no others."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from operations.cdk.command_line import CdkCommand
from operations.restore_rows import restore_rows
from sandbox.cloud.local_cloud import LocalCloud
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT
from tests.deployed import process
from tests.docs.pages import page

ACCOUNT = "000000000000"
STACK = "RecordingInsights-dev"
SETTINGS = ("-c", "stage=dev", "-c", "provider=assemblyai")
Run = Callable[..., str]


@pytest.fixture
def as_user(stack: LocalStack, tmp_path: Path) -> Iterator[Callable[[str], Run]]:
    """Makes a user with one policy of the page, and returns what runs a command with the user's key."""
    policies = {fence.info[2]: fence.text for fence in page("docs/deploy.md").fences if fence.info[1:2] == ("policy",)}
    iam, made = stack.client("iam"), list[tuple[str, str]]()

    def user(policy: str) -> Run:
        name = f"{policy}-{uuid4().hex[:8]}"
        text = policies[policy].replace("eu-central-1", stack.region).replace("111122223333", ACCOUNT)
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="of-the-page", PolicyDocument=text)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, key["AccessKeyId"]))
        cloud = LocalCloud(stack.endpoint_url, key["AccessKeyId"], key["SecretAccessKey"])
        return lambda *words: run(words, cloud.environment(), tmp_path)

    yield user
    for name, key_id in made:
        iam.delete_access_key(UserName=name, AccessKeyId=key_id)
        iam.delete_user_policy(UserName=name, PolicyName="of-the-page")
        iam.delete_user(UserName=name)


def run(words: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> str:
    """Run a module in the folder, or the CDK in the project; return its standard output."""
    cdk, is_cdk = CdkCommand.find(), words[0] == "cdk"
    command = cdk.run_with(*words[1:], "--ci", "--no-notices") if is_cdk else [sys.executable, "-m", *words]
    where = {**cdk.environment(environment), "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(  # noqa: S603 - our own commands
        command, env=where, cwd=PROJECT if is_cdk else folder, capture_output=True, text=True
    )
    assert ended.returncode == 0, f"{words}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
    # Whoever may not assume a role of the CDK's bootstrap would go on with other rights.
    assert "could not be used to assume" not in ended.stderr + ended.stdout
    return ended.stdout


def deploy(deployer: Run, folder: Path, *settings: str) -> None:
    """Deploy the stage as `make deploy` does, without the policies that ask for TLS, which loopback does not have."""
    deployer("cdk", "synth", "--quiet", *SETTINGS, *settings, "--output", str(folder))
    file = folder / f"{STACK}.template.json"
    template = json.loads(file.read_text())
    policies = [
        each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::S3::BucketPolicy"
    ]
    for policy in policies:
        document = policy["PolicyDocument"]
        document["Statement"] = [each for each in document["Statement"] if "SecureTransport" not in json.dumps(each)]
    file.write_text(json.dumps(template))
    deployer("cdk", "deploy", "--app", str(folder), "--require-approval", "never")


def dev_stage(stack: LocalStack) -> LocalStack:
    """The stage `dev` in the same cloud."""
    [found] = stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    return replace(stack, outputs=outputs, api_url=f"{stack.endpoint_url}/_aws/execute-api/{outputs['ApiId']}/$default")


def buckets_of(outputs: Mapping[str, str]) -> list[str]:
    return [outputs["RecordingsBucketName"], outputs["RepliesBucketName"]]


def left_of_stage(stack: LocalStack) -> list[str]:
    """The names of what the account still has of the stage."""
    logs = stack.client("logs").get_paginator("describe_log_groups")
    return [
        *(each["Name"] for each in stack.client("s3").list_buckets()["Buckets"] if "insights-dev" in each["Name"]),
        *(name for name in stack.client("dynamodb").list_tables()["TableNames"] if "Insights-dev" in name),
        *(user["UserName"] for user in stack.client("iam").list_users()["Users"] if "Insights-dev" in user["UserName"]),
        *(
            group["logGroupName"]
            for found in logs.paginate()
            for group in found["logGroups"]
            if "nsights-dev" in group["logGroupName"]
        ),
    ]


def fill(stack: LocalStack, bucket: str) -> None:
    """Put versions, a delete marker and an unfinished upload into a bucket."""
    s3 = stack.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3.put_object(Bucket=bucket, Key="notes/many.txt", Body=f"{number}".encode())
    s3.delete_object(Bucket=bucket, Key="notes/many.txt")
    s3.create_multipart_upload(Bucket=bucket, Key="notes/unfinished.txt")


@pytest.mark.matrix
def test_a_removed_stage_comes_back_with_its_data_and_goes_for_good(
    stack: LocalStack, as_user: Callable[[str], Run], clip: Path, tmp_path: Path
) -> None:
    deployer, keeper, destroyer = as_user("deployer"), as_user("keymaker"), as_user("destroyer")
    recording_id = process(stack, clip)["recording_id"]
    deploy(deployer, tmp_path / "first")
    keeper("operations.agora_key", "--stage", "dev")
    stage = dev_stage(stack)
    restore_rows("dev", stack.outputs["InsightsTableName"], stack.client, table_in(stack), lambda line: None)
    stack.client("s3").put_object(Bucket=stage.outputs["RecordingsBucketName"], Key="notes/kept.txt", Body=b"kept")
    transcript = stage.call_api("GET", f"/recordings/{recording_id}/insights").json()["transcript"]
    assert transcript

    removed = json.loads(destroyer("operations.destroy", "--stage", "dev", "--yes", "--json"))
    kept = [*buckets_of(stage.outputs), stage.outputs["InsightsTableName"]]
    assert sorted(each["name"] for each in removed["stays"]) == sorted(kept)
    assert sorted(left_of_stage(stack)) == sorted(kept)

    mapping = str(tmp_path / removed["mapping"])
    deployer("cdk", "import", "--app", str(tmp_path / "first"), "--resource-mapping", mapping)
    deploy(deployer, tmp_path / "second", "-c", "retainData=false")
    back = dev_stage(stack)
    assert [*buckets_of(back.outputs), back.outputs["InsightsTableName"]] == kept
    assert back.call_api("GET", f"/recordings/{recording_id}/insights").json()["transcript"] == transcript
    body = stack.client("s3").get_object(Bucket=kept[0], Key="notes/kept.txt")["Body"].read()
    assert body == b"kept"

    keeper("operations.agora_key", "--stage", "dev")
    for bucket in kept[:2]:
        fill(stack, bucket)
    gone: Any = json.loads(destroyer("operations.destroy", "--stage", "dev", "--yes", "--json"))
    assert gone["buckets"] == {kept[0]: {"versions": 5, "uploads": 1}, kept[1]: {"versions": 4, "uploads": 1}}
    assert left_of_stage(stack) == []


def table_in(stack: LocalStack) -> Any:
    """Returns a table of the local cloud by its name."""
    make: Any = boto3.resource
    keys = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    return make("dynamodb", endpoint_url=stack.endpoint_url, region_name=stack.region, **keys).Table
