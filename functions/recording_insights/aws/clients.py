"""AWS clients and the few calls that need no class of their own. Importing this module opens no client.

Except for `sts`, each function makes a new client. The wiring of a Lambda function keeps the clients.
"""

import os
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from recording_insights.aws.role_sessions import SessionCredentials

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""The variables in which boto3 looks for an endpoint of S3."""


CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 3, 2
"""Of a call that somebody waits for: with the wait before the second attempt, it takes 9 s at most.

API Gateway waits 29 s for an answer. boto3's own limits are 60 s to connect and 60 s to read, five times.
"""


def limits(*, short_calls: bool) -> "Config":
    """The time-outs and attempts of a client. Where somebody waits for a call, they are not boto3's own."""
    from botocore.config import Config

    if not short_calls:
        return Config()
    return Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": ATTEMPTS})


def table(name: str, *, short_calls: bool = False, credentials: SessionCredentials | None = None) -> "Table":
    """The insights table; with credentials, it is used with them instead of the function's own."""
    import boto3

    return boto3.resource("dynamodb", config=limits(short_calls=short_calls), **_named(credentials)).Table(name)


def region(table: "Table") -> str:
    """The AWS region of a table, which is that of its stack."""
    return table.meta.client.meta.region_name


def s3(*, short_calls: bool = False, credentials: SessionCredentials | None = None) -> "S3Client":
    """Signs as `s3_config` says."""
    import boto3

    config = s3_config(has_endpoint=any(os.environ.get(name) for name in _S3_ENDPOINTS))
    return boto3.client("s3", config=config.merge(limits(short_calls=short_calls)), **_named(credentials))


def s3_config(*, has_endpoint: bool) -> "Config":
    """Return how links are signed: with SigV4, for the bucket's host in its region.

    The host is `<bucket>.s3.<region>.amazonaws.com`. A link to boto3's default, the global host, breaks: S3 redirects
    from there while a bucket is new, and the signature holds for one host only. For regions opened after March 2019,
    the global host never works.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    from botocore.config import Config

    return Config(
        signature_version="s3v4",
        s3={
            # An endpoint's host has no names below it for buckets.
            "addressing_style": "path" if has_endpoint else "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    )


def _named(credentials: SessionCredentials | None) -> dict[str, Any]:
    return asdict(credentials) if credentials else {}


@lru_cache(maxsize=1)
def sts(access_key_id: str, secret_access_key: str) -> "STSClient":
    """Signs with this key instead of the function's own. Gives up within 5 s and does not retry."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "sts",
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1}),
    )


def role_sts() -> "STSClient":
    """Opens sessions of roles with the function's own rights."""
    import boto3

    return boto3.client("sts")


def step_functions(*, short_calls: bool = False) -> "SFNClient":
    """Starts executions and sends task tokens."""
    import boto3

    return boto3.client("stepfunctions", config=limits(short_calls=short_calls))


def sqs(*, short_calls: bool = False) -> Any:
    """Sends messages, and receives and moves dead letters."""
    import boto3

    return boto3.client("sqs", config=limits(short_calls=short_calls))


def event_bridge() -> Any:
    """Puts events onto a bus. Who waits for them has a time-out of half a minute."""
    import boto3

    return boto3.client("events", config=limits(short_calls=True))


def table_streams() -> Any:
    """Reads the streams of tables."""
    import boto3

    return boto3.client("dynamodbstreams")


def bedrock() -> Any:
    """Calls models in the region of the function. Each call is one attempt: the state machine waits and tries again."""
    import boto3
    from botocore.config import Config

    from recording_insights.aws.model_client import CONNECT_SECONDS as connect_seconds
    from recording_insights.aws.model_client import READ_SECONDS as read_seconds

    config = Config(connect_timeout=connect_seconds, read_timeout=read_seconds, retries={"total_max_attempts": 1})
    return boto3.client("bedrock-runtime", config=config)


def start_execution(client: "SFNClient", state_machine_arn: str, *, name: str, state: str) -> bool:
    """Start an execution, unless one of this name exists. Return whether one was started."""
    try:
        client.start_execution(stateMachineArn=state_machine_arn, name=name, input=state)
    except client.exceptions.ExecutionAlreadyExists:
        return False
    return True


def run_execution(client: "SFNClient", state_machine_arn: str, *, name: str, state: str) -> bool:
    """Start an execution, unless one of this name exists. Return whether one of this name runs now.

    For a name whose execution has ended, Step Functions refuses a second one for 90 days.
    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    if start_execution(client, state_machine_arn, name=name, state=state):
        return True
    return is_running(client, f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}")


def is_running(client: "SFNClient", execution_arn: str) -> bool:
    """Return whether an execution runs; False if there is none, or none any more."""
    try:
        return client.describe_execution(executionArn=execution_arn)["status"] in ("RUNNING", "PENDING_REDRIVE")
    except client.exceptions.ExecutionDoesNotExist:
        return False


def stop_execution(client: "SFNClient", execution_arn: str) -> None:
    """Stop an execution. One that has ended, or that there never was, stays as it is.

    AWS does not document what it answers for one that has ended. The local cloud refuses the call as invalid.
    """
    from botocore.exceptions import ClientError

    try:
        client.stop_execution(executionArn=execution_arn, cause="the recording is being erased")
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "ValidationException"):
            raise


def end_wait(client: "SFNClient", task_token: str) -> None:
    """End the wait of the state that waits with this token, unless the wait has ended already by a time-out."""
    with suppress(client.exceptions.TaskDoesNotExist, client.exceptions.TaskTimedOut):
        client.send_task_success(taskToken=task_token, output="{}")
