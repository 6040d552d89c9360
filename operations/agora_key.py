"""Makes, stores and rotates the key that signs Agora's upload credentials: `make agora-key STAGE=dev`.

A new key is made, proven, stored, and only then the others are deleted: wherever that breaks off, the secret holds a
key that works, and the next run deletes what was left over. Recordings under way are not disturbed: the tokens that
they were started with outlive the key that signed them. One run at a time: a second one would take the first one's
new key for a left-over.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
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

OUTPUT = "AgoraUploaderName"
KEYS_PER_USER = 2
"""IAM's quota."""
SETTLE_SECONDS = 60.0
"""How long a new key may take to be known everywhere; a few seconds are usual."""
INTERVAL_SECONDS = 2.0
SHORTEST_TOKEN_SECONDS = 900
RIGHTS = (
    "cloudformation:DescribeStacks",
    "iam:ListAccessKeys, CreateAccessKey and DeleteAccessKey on the user",
    "secretsmanager:GetSecretValue, PutSecretValue, CreateSecret and DeleteSecret on the secret",
)

Clients = Callable[..., Any]
"""A service's name, and `aws_access_key_id`, `aws_secret_access_key` if not the operator's → a boto3 client."""
Say = Callable[[str], None]


class OperationFailed(Exception):
    """It could not be done; the text says why and what to do, and holds no secret."""


@dataclass(frozen=True)
class Outcome:
    """The user, the secret that holds its key, and the ids of the keys that are no more."""

    stage: str
    user: str
    secret: str
    deleted_keys: list[str]


def rotate_key(stage: str, client: Clients, say: Say, sleep: Callable[[float], None] = time.sleep) -> Outcome:
    """Give the stage's uploader a new key; it is in the secret when this returns, and the only one that works.

    Raises:
        OperationFailed: the stage is not deployed, AWS refuses something, or the new key does not come to work; the
            key in the secret is then as good as before.
    """
    with _explained():
        user = _uploader(stage, client)
        secret, iam, secrets = _secret_name(stage), client("iam"), client("secretsmanager")
        stored, old, deleted = _stored_key_id(secrets, secret), _keys_of(iam, user), []
        if len(old) >= KEYS_PER_USER:
            left_over = next(key for key in old if key != stored)
            say(f"Deleting the key {left_over}, which is not in the secret: a user has {KEYS_PER_USER} at most")
            _delete_key(iam, user, left_over)
            old.remove(left_over)
            deleted.append(left_over)
        say(f"Making a key for {user}")
        key = iam.create_access_key(UserName=user)["AccessKey"]
        try:
            _prove(client, key, say, sleep)
        except OperationFailed:
            _delete_key(iam, user, key["AccessKeyId"])
            raise
        say(f"Storing it in {secret}")
        _store(secrets, secret, {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]})
        for former in old:
            say(f"Deleting the former key {former}")
            _delete_key(iam, user, former)
            deleted.append(former)
    return Outcome(stage, user, secret, deleted)


def remove_key(stage: str, client: Clients, say: Say) -> Outcome:
    """Delete all keys of the stage's uploader and the secret; CloudFormation deletes no user that has a key.

    Raises:
        OperationFailed: the stage is not deployed, or AWS refuses something.
    """
    with _explained():
        user = _uploader(stage, client)
        secret, iam, secrets = _secret_name(stage), client("iam"), client("secretsmanager")
        deleted = _keys_of(iam, user)
        for key in deleted:
            say(f"Deleting the key {key}")
            _delete_key(iam, user, key)
        say(f"Deleting {secret}")
        try:
            # Of no use to anybody; and while it could be recovered, none of its name could be made.
            secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        except secrets.exceptions.ResourceNotFoundException:
            say("It does not exist")
    return Outcome(stage, user, secret, deleted)


def _uploader(stage: str, client: Clients) -> str:
    cloudformation, name = client("cloudformation"), f"RecordingInsights-{stage}"
    try:
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in _message(error):
            raise
        region = cloudformation.meta.region_name
        raise OperationFailed(
            f"There is no stack {name} in {region}: `make deploy STAGE={stage}` makes it. "
            "If it is in another region or account, set AWS_REGION or AWS_PROFILE."
        ) from None
    for output in stack.get("Outputs", []):
        if output["OutputKey"] == OUTPUT:
            return str(output["OutputValue"])
    raise OperationFailed(
        f"The stack {name} ({stack['StackStatus']}) has no output {OUTPUT}: `make deploy STAGE={stage}` brings it up "
        "to date."
    )


def _stored_key_id(secrets: Any, name: str) -> str | None:
    try:
        value = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    except (secrets.exceptions.ResourceNotFoundException, KeyError, ValueError):
        return None  # there is none yet, or nothing that could be a key
    return value.get("accessKeyId") if isinstance(value, dict) else None


def _keys_of(iam: Any, user: str) -> list[str]:
    """Oldest first."""
    keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    return [key["AccessKeyId"] for key in sorted(keys, key=lambda key: key["CreateDate"])]


def _prove(client: Clients, key: dict[str, Any], say: Say, sleep: Callable[[float], None]) -> None:
    """Make a token with it as a start does; without a session policy, that one may do nothing."""
    sts = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    waited = 0.0
    while True:
        try:
            sts.get_federation_token(Name="agora-key", DurationSeconds=SHORTEST_TOKEN_SECONDS)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if waited >= SETTLE_SECONDS:
                raise OperationFailed(
                    f"The new key does not work after {waited:.0f} s ({code}); it was deleted again. "
                    "If the stack was deployed by an earlier version, deploy it first; otherwise try again."
                ) from None
        else:
            say("It works")
            return
        say(f"Waiting for AWS to know it everywhere, {waited:.0f} s so far ({code})")
        sleep(INTERVAL_SECONDS)
        waited += INTERVAL_SECONDS


def _store(secrets: Any, name: str, value: dict[str, str]) -> None:
    text = json.dumps(value)
    try:
        secrets.put_secret_value(SecretId=name, SecretString=text)
    except secrets.exceptions.ResourceNotFoundException:
        secrets.create_secret(Name=name, Description="Signs the credentials that Agora uploads with", SecretString=text)


def _delete_key(iam: Any, user: str, key_id: str) -> None:
    with suppress(iam.exceptions.NoSuchEntityException):  # somebody was faster
        iam.delete_access_key(UserName=user, AccessKeyId=key_id)


def _secret_name(stage: str) -> str:
    return f"recording-insights/{stage}/agora-uploader"


@contextmanager
def _explained() -> Iterator[None]:
    """AWS's errors in words that say what to do."""
    try:
        yield
    except ClientError as error:
        code, call = error.response["Error"]["Code"], error.operation_name
        if "AccessDenied" in code or "Unauthorized" in code:
            advice = f"This command needs {'; '.join(RIGHTS)}."
            raise OperationFailed(f"You may not call {call}: {_message(error)}\n{advice}") from None
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (401, 403) or "Token" in code:
            raise OperationFailed(f"AWS refuses your credentials ({code} to {call}): sign in again.") from None
        raise OperationFailed(f"AWS refused {call} ({code}): {_message(error)}") from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError) as error:
        raise OperationFailed(f"{error}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.") from None
    except NoRegionError:
        raise OperationFailed("Which region is the stack in? Set AWS_REGION.") from None
    except BotoCoreError as error:
        raise OperationFailed(f"AWS could not be asked: {error}") from None


def _message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))


def main(arguments: list[str] | None = None) -> int:
    """0 when it is done; 1 with the reason on standard error, where the progress goes, too."""
    about = "Make, store and rotate the key that signs Agora's upload credentials."
    parser = argparse.ArgumentParser(prog="python -m operations.agora_key", description=about)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--delete", action="store_true", help="delete all keys and the secret, before `make destroy`")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON on standard output")
    given = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        outcome = (remove_key if given.delete else rotate_key)(given.stage, boto3.client, say)
    except OperationFailed as failure:
        say(str(failure))
        return 1
    if given.json:
        print(json.dumps(asdict(outcome)))
    elif given.delete:
        print(f"{outcome.user} has no key any more: no recording can be started.")
    else:
        print(f"{outcome.secret} holds a new key of {outcome.user}; the functions find it by themselves.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
