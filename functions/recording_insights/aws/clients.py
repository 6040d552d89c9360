"""AWS clients for the handlers, each made once per worker and only when first asked for."""

from contextlib import suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient


@cache
def table(name: str) -> "Table":
    """The insights table."""
    import boto3

    return boto3.resource("dynamodb").Table(name)


def region(table_name: str) -> str:
    """The AWS region of the stack: the one that its table is called in."""
    return table(table_name).meta.client.meta.region_name


@lru_cache(maxsize=1)
def s3() -> "S3Client":
    """Signs with SigV4 (the older signature, boto3's default in us-east-1, is refused by newer regions)."""
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "auto"}))


@lru_cache(maxsize=1)
def sts(access_key_id: str, secret_access_key: str) -> "STSClient":
    """Signs with this key instead of the function's own; gives up within 5 s and repeats nothing by itself."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "sts",
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1}),
    )


@lru_cache(maxsize=1)
def step_functions() -> "SFNClient":
    """For the intake, which starts executions, and for callbacks, which end waits."""
    import boto3

    return boto3.client("stepfunctions")


def start_execution(state_machine_arn: str, *, name: str, state: str) -> None:
    """A name that is taken is no error: it is the same thing's, announced or tried again."""
    client = step_functions()
    with suppress(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=state_machine_arn, name=name, input=state)


def end_wait(task_token: str) -> None:
    """Let the state that waits with this token go on; the back-up poll may have ended its wait a moment before."""
    client = step_functions()
    with suppress(client.exceptions.TaskDoesNotExist, client.exceptions.TaskTimedOut):
        client.send_task_success(taskToken=task_token, output="{}")
