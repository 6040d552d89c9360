"""What the commands share: the outputs of a deployed stage, secrets as JSON objects, and AWS's errors in words."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

Clients = Callable[..., Any]
"""Makes a boto3 client of the service that it names.

Give it `aws_access_key_id` and `aws_secret_access_key` if the client must not use the operator's credentials.
"""
Report = Callable[[str], None]
"""Shows one line of progress to the operator."""


class OperationFailed(Exception):
    """The command failed. The text gives the reason and what to do, and holds no secret."""


class NotDeployed(OperationFailed):
    """There is no stack of the stage in this region and account."""


def aws_client(service: str, **credentials: str) -> Any:
    """Make a boto3 client with the operator's credentials, unless others are given.

    boto3 itself does not look at `AWS_REGION`, as CDK does.
    """
    make: Any = boto3.client
    return make(service, region_name=os.environ.get("AWS_REGION") or None, **credentials)


def outputs_of(stage: str, client: Clients) -> Mapping[str, str]:
    """Return the outputs of a stage's stack by their names.

    Raises:
        NotDeployed: the stage is not deployed.
    """
    outputs = find_outputs(stage, client)
    if outputs is None:
        region = client("cloudformation").meta.region_name
        raise NotDeployed(
            f"There is no stack {stack_name(stage)} in {region}: `make deploy STAGE={stage}` creates it. "
            "If it is in another region or account, set AWS_REGION or AWS_PROFILE."
        )
    return outputs


def find_outputs(stage: str, client: Clients) -> Mapping[str, str] | None:
    """Return the outputs of a stage's stack by their names; None if the stage is not deployed."""
    try:
        [stack] = client("cloudformation").describe_stacks(StackName=stack_name(stage))["Stacks"]
    except ClientError as error:
        if "does not exist" not in _message(error):
            raise
        return None
    return {output["OutputKey"]: str(output["OutputValue"]) for output in stack.get("Outputs", [])}


def stack_name(stage: str) -> str:
    """Return the name of a stage's stack."""
    return f"RecordingInsights-{stage}"


def parsed(name: str, text: str) -> dict[str, Any]:
    """Return the JSON object that a secret holds.

    Raises:
        OperationFailed: the secret holds something else; the text does not say what.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise OperationFailed(f"The secret {name} holds no JSON object: put one there, then try again.")
    return value


@contextmanager
def explained(rights: Sequence[str]) -> Iterator[None]:
    """Turn errors of AWS into `OperationFailed` with what to do; `rights` are those that the command needs."""
    try:
        yield
    except ClientError as error:
        code, call = error.response["Error"]["Code"], error.operation_name
        if "AccessDenied" in code or "Unauthorized" in code:
            advice = f"This command needs {'; '.join(rights)}."
            raise OperationFailed(f"You may not call {call}: {_message(error)}\n{advice}") from None
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (401, 403) or "Token" in code:
            raise OperationFailed(f"AWS refuses your credentials ({code} to {call}): sign in again.") from None
        raise OperationFailed(f"AWS refused {call} ({code}): {_message(error)}") from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError) as error:
        raise OperationFailed(f"{error}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.") from None
    except NoRegionError:
        raise OperationFailed("The region of the stack is unknown. Set AWS_REGION.") from None
    except BotoCoreError as error:
        raise OperationFailed(f"The call to AWS failed: {error}") from None


def _message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))
