"""The search for secrets, tokens and presigned signatures in all that a stack has written."""

import json
import re
from collections.abc import Iterator

from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.credentials import credentials
from tests.deployed import history

SIGNED = re.compile(
    r"X-Amz-(Signature|Credential|Security-Token)|AWSAccessKeyId=|Bearer [A-Za-z0-9]"
    r"|/webhooks(\\?/[^\s\"'/\\]+){2}\\?/[0-9a-f]{64}"
)

IN_LINKS = "s3cret"
"""What the tests put into links that let somebody in, or publish."""


def assert_nothing_secret_was_written(stack: LocalStack) -> None:
    """Fail if a log, an execution's history, a row or a raw reply holds a secret, a token or a signature."""
    uploader = json.loads(_secret(stack, "agora-uploader"))
    secrets = {IN_LINKS} | {
        value
        for secret in (*credentials().values(), uploader)
        for name, value in secret.items()
        if name not in ("appId", "userId", "customerId", "workspaceId", "clientId")
    }
    for where, text in _everything(stack):
        assert not SIGNED.search(text), where
        assert not [secret for secret in secrets if secret in text], where


def _secret(stack: LocalStack, vendor: str) -> str:
    secrets = stack.client("secretsmanager")
    return str(secrets.get_secret_value(SecretId=f"recording-insights/local/{vendor}")["SecretString"])


def _everything(stack: LocalStack) -> Iterator[tuple[str, str]]:
    """All that the stack has written down: where it is, and its text."""
    yield from _log_messages(stack)
    yield from _execution_histories(stack)
    yield from _rows(stack)
    yield from _raw_replies(stack)


def _log_messages(stack: LocalStack) -> Iterator[tuple[str, str]]:
    logs = stack.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                for event in events["events"]:
                    yield group["logGroupName"], event["message"]


def _execution_histories(stack: LocalStack) -> Iterator[tuple[str, str]]:
    executions = stack.client("stepfunctions").get_paginator("list_executions")
    for machine in ("WorkflowArn", "WatchArn", "RetriesArn"):
        for page in executions.paginate(stateMachineArn=stack.outputs[machine]):
            for execution in page["executions"]:
                yield execution["name"], json.dumps(history(stack, execution["executionArn"]), default=str)


def _rows(stack: LocalStack) -> Iterator[tuple[str, str]]:
    scan = stack.client("dynamodb").get_paginator("scan")
    for page in scan.paginate(TableName=stack.outputs["InsightsTableName"]):
        for item in page["Items"]:
            yield str(item["pk"]), json.dumps(item, default=str)


def _raw_replies(stack: LocalStack) -> Iterator[tuple[str, str]]:
    s3, bucket = stack.client("s3"), stack.outputs["RepliesBucketName"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for reply in page.get("Contents", []):
            yield reply["Key"], s3.get_object(Bucket=bucket, Key=reply["Key"])["Body"].read().decode()
