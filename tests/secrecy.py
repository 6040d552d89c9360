"""The search for secrets, tokens and presigned signatures in all that a stack has written."""

import gzip
import json
from collections.abc import Collection, Iterator
from datetime import datetime

from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.credentials import credentials
from tests.deployed import history
from tests.secrecy_in_text import SIGNED, secrets_in_text, signed_in_text

IN_LINKS = "s3cret"
"""What the tests put into links that let somebody in, or publish."""


def assert_nothing_secret_was_written(stack: LocalStack) -> None:
    """Fail if a log, an execution's history, a row or a raw reply holds a secret, a token or a signature."""
    secrets = _secrets(stack)
    for where, text in _everything(stack):
        assert not SIGNED.search(text), where
        assert not [secret for secret in secrets if secret in text], where


def assert_nothing_secret_is_in_any_form(
    stack: LocalStack, recording_ids: Collection[str], since: datetime, *more: tuple[str, str]
) -> None:
    """Fail if what these recordings left, or a log since a moment, holds a secret in any form; `more` are other texts.

    The search takes the forms back one by one, which is too slow for all that a stack has written.
    """
    secrets = _secrets(stack)
    others = ((where, text) for where, text in _others(stack) if any(each in where + text for each in recording_ids))
    for where, text in (*log_messages(stack, since), *others, *more):
        assert secrets_in_text(text, secrets) == [], (where, text)
        assert signed_in_text(text) is None, (where, text)


def _secrets(stack: LocalStack) -> set[str]:
    uploader = json.loads(_secret(stack, "agora-uploader"))
    return {IN_LINKS} | {
        value
        for secret in (*credentials().values(), uploader)
        for name, value in secret.items()
        if name not in ("appId", "userId", "customerId", "workspaceId", "clientId")
    }


def _secret(stack: LocalStack, vendor: str) -> str:
    secrets = stack.client("secretsmanager")
    return str(secrets.get_secret_value(SecretId=f"recording-insights/local/{vendor}")["SecretString"])


def _everything(stack: LocalStack) -> Iterator[tuple[str, str]]:
    """All that the stack has written down: where it is, and its text."""
    yield from log_messages(stack)
    yield from _others(stack)


def _others(stack: LocalStack) -> Iterator[tuple[str, str]]:
    yield from _execution_histories(stack)
    yield from _rows(stack)
    yield from _raw_replies(stack)


def log_messages(stack: LocalStack, since: datetime | None = None) -> Iterator[tuple[str, str]]:
    """The lines of all logs. Metrics have no place of their own: what would be one is a line of a log."""
    logs, start = stack.client("logs"), int(since.timestamp() * 1000) if since else 0
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"], startTime=start
            ):
                for event in events["events"]:
                    yield group["logGroupName"], event["message"]


def _execution_histories(stack: LocalStack) -> Iterator[tuple[str, str]]:
    executions = stack.client("stepfunctions").get_paginator("list_executions")
    for machine in ("WorkflowArn", "WatchArn", "RetriesArn", "ErasesArn"):
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
            content = s3.get_object(Bucket=bucket, Key=reply["Key"])["Body"].read()
            yield reply["Key"], (gzip.decompress(content) if reply["Key"].endswith(".gz") else content).decode()
