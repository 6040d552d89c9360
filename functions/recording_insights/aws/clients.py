"""AWS clients and the few calls that need no class of their own. Importing this module opens no client.

Except for `sts`, each function makes a new client. The wiring of a Lambda function keeps the clients.
"""

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient


CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 3, 2
"""Of a call in a function that answers a request: with the wait before the second attempt, it takes 9 s at most.

API Gateway waits 29 s. boto3's own limits are 60 s to connect and 60 s to read, five times.
"""


def limits(*, is_route: bool) -> "Config":
    """The time-outs and attempts of a client. Only a function that answers a request needs others than boto3's own."""
    from botocore.config import Config

    if not is_route:
        return Config()
    return Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": ATTEMPTS})


def table(name: str, *, is_route: bool = False) -> "Table":
    """The insights table."""
    import boto3

    return boto3.resource("dynamodb", config=limits(is_route=is_route)).Table(name)


def region(table: "Table") -> str:
    """The AWS region of a table, which is that of its stack."""
    return table.meta.client.meta.region_name


def s3(*, is_route: bool = False) -> "S3Client":
    """Signs with SigV4: boto3's default in us-east-1 is the older signature, which newer regions refuse."""
    import boto3
    from botocore.config import Config

    signing = Config(signature_version="s3v4", s3={"addressing_style": "auto"})
    return boto3.client("s3", config=signing.merge(limits(is_route=is_route)))


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


def step_functions(*, is_route: bool = False) -> "SFNClient":
    """Starts executions and sends task tokens."""
    import boto3

    return boto3.client("stepfunctions", config=limits(is_route=is_route))


def start_execution(client: "SFNClient", state_machine_arn: str, *, name: str, state: str) -> None:
    """Start an execution, unless one of this name exists: the same event then started it before."""
    with suppress(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=state_machine_arn, name=name, input=state)


def end_wait(client: "SFNClient", task_token: str) -> None:
    """End the wait of the state that waits with this token, unless the wait has ended already by a time-out."""
    with suppress(client.exceptions.TaskDoesNotExist, client.exceptions.TaskTimedOut):
        client.send_task_success(taskToken=task_token, output="{}")
