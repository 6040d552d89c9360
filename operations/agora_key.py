"""Make, store and rotate the key that signs Agora's upload credentials: `make agora-key STAGE=dev`.

The command makes a new key, tests it and stores it. Only then it deletes the other keys. If a run breaks off, the
secret still holds a key that works, and the next run deletes the keys that were left over. Running recordings are not
disturbed: their tokens stay valid after the key is deleted. Start only one run at a time, because a second run would
delete the new key of the first.

`REVOKE=1` also ends all tokens that were issued until then. AWS cannot take a token back, but its user's policies can
deny what it asks for, by the moment of its issue. The tokens end before the rotation, and once more after it: until
the former key is gone, somebody may make tokens with it. A run that breaks off can be repeated.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, OperationFailed, Report, aws_client, explained, outputs_of
from recording_insights.settings import secret_name

OUTPUT = "AgoraUploaderName"
VENDOR = "agora-uploader"
"""The last part of the secret's name."""
KEYS_PER_USER = 2
"""IAM's quota."""
SETTLE_SECONDS = 60.0
"""The longest wait until AWS accepts a new key everywhere. A few seconds are usual."""
INTERVAL_SECONDS = 2.0
SHORTEST_TOKEN_SECONDS = 900
REVOCATION = "RevokedTokens"
"""The name of the user's inline policy that denies what tokens of before ask for. No template has it."""
REVOCATION_COSTS = (
    "Recorders under way cannot upload any more: stop and start them again. "
    "The watch gives new tokens to those that go on, within 75 minutes."
)
RIGHTS = (
    "cloudformation:DescribeStacks",
    "iam:ListAccessKeys, CreateAccessKey and DeleteAccessKey on the user",
    "iam:PutUserPolicy (for REVOKE=1) and DeleteUserPolicy (for DELETE=1) on the user",
    "secretsmanager:GetSecretValue, PutSecretValue, CreateSecret and DeleteSecret on the secret",
)


@dataclass(frozen=True)
class Outcome:
    """The user, the secret that holds its key, and the ids of the deleted keys.

    Tokens that were issued before `revoked_before`, as AWS writes moments, have no rights any more.
    """

    stage: str
    user: str
    secret: str
    deleted_keys: list[str]
    revoked_before: str | None = None


def rotate_key(stage: str, client: Clients, report: Report, sleep: Callable[[float], None] = time.sleep) -> Outcome:
    """Give the stage's uploader a new key. After that, the secret holds the only key of the user.

    Raises:
        OperationFailed: the stage is not deployed, AWS refuses a call, or AWS does not accept the new key. The key in
            the secret then still works.
    """
    secret = secret_name(stage, VENDOR)
    with explained(RIGHTS):
        user = _uploader(stage, client)
        iam, secrets = client("iam"), client("secretsmanager")
        stored, old, deleted = _stored_key(secrets, secret).get("accessKeyId"), _keys_of(iam, user), []
        if len(old) >= KEYS_PER_USER:
            left_over = next(key for key in old if key != stored)
            report(f"Deleting the key {left_over}, which is not in the secret: a user has {KEYS_PER_USER} at most")
            _delete_key(iam, user, left_over)
            old.remove(left_over)
            deleted.append(left_over)
        report(f"Making a key for {user}")
        key = iam.create_access_key(UserName=user)["AccessKey"]
        try:
            _prove(client, key, report, sleep)
        except OperationFailed:
            _delete_key(iam, user, key["AccessKeyId"])
            raise
        report(f"Storing it in {secret}")
        _store(secrets, secret, {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]})
        for former in old:
            report(f"Deleting the former key {former}")
            _delete_key(iam, user, former)
            deleted.append(former)
    return Outcome(stage, user, secret, deleted)


def revoke_tokens(stage: str, client: Clients, report: Report, sleep: Callable[[float], None] = time.sleep) -> Outcome:
    """Give the stage's uploader a new key, and end all tokens that were issued until then.

    Raises:
        OperationFailed: as `rotate_key` does. The tokens of before may have ended already.
    """
    with explained(RIGHTS):
        user, iam = _uploader(stage, client), client("iam")
        former = _stored_key(client("secretsmanager"), secret_name(stage, VENDOR))
        _end_tokens(iam, user, report)
    rotated = rotate_key(stage, client, report, sleep)
    with explained(RIGHTS):
        if former.keys() >= {"accessKeyId", "secretAccessKey"}:
            _await_refusal(client, former, report, sleep)
        revoked_before = _end_tokens(iam, user, report)
    # Until that moment, a token of the new key would count as one of before.
    sleep(INTERVAL_SECONDS)
    return replace(rotated, revoked_before=revoked_before)


def remove_key(stage: str, client: Clients, report: Report) -> Outcome:
    """Delete all keys of the stage's uploader, its revocation, and the secret.

    CloudFormation deletes no user that has a key or a policy from elsewhere.

    A user that is gone already has no keys: a deletion of the stack may have broken off.

    Raises:
        OperationFailed: the stage is not deployed, or AWS refuses a call.
    """
    secret = secret_name(stage, VENDOR)
    with explained(RIGHTS):
        user = _uploader(stage, client)
        iam, secrets = client("iam"), client("secretsmanager")
        deleted: list[str] = []
        with suppress(iam.exceptions.NoSuchEntityException):
            deleted = _keys_of(iam, user)
        for key in deleted:
            report(f"Deleting the key {key}")
            _delete_key(iam, user, key)
        with suppress(iam.exceptions.NoSuchEntityException):  # no token was revoked
            iam.delete_user_policy(UserName=user, PolicyName=REVOCATION)
        report(f"Deleting {secret}")
        try:
            # While a secret can be recovered, nobody can create another one of its name.
            secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        except secrets.exceptions.ResourceNotFoundException:
            report("It does not exist")
    return Outcome(stage, user, secret, deleted)


def _uploader(stage: str, client: Clients) -> str:
    outputs = outputs_of(stage, client)
    if OUTPUT not in outputs:
        raise OperationFailed(f"The stack of {stage} has no output {OUTPUT}: `make deploy STAGE={stage}` updates it.")
    return outputs[OUTPUT]


def _stored_key(secrets: Any, name: str) -> dict[str, str]:
    try:
        value = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    except (secrets.exceptions.ResourceNotFoundException, KeyError, ValueError):
        return {}  # there is no secret yet, or it does not hold a key
    return value if isinstance(value, dict) else {}


def _keys_of(iam: Any, user: str) -> list[str]:
    """The ids of the user's keys, oldest first."""
    keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    return [key["AccessKeyId"] for key in sorted(keys, key=lambda key: key["CreateDate"])]


def _end_tokens(iam: Any, user: str, report: Report) -> str:
    """Deny everything to the tokens that were issued until now, and return the end of that time.

    The moment of a token's issue has whole seconds, and AWS's clock counts. A call with a key alone has no such moment.
    """
    answered = iam.list_access_keys(UserName=user)["ResponseMetadata"]["HTTPHeaders"]["date"]
    until = (parsedate_to_datetime(answered) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report(f"Ending all tokens that were issued before {until}")
    older = {"DateLessThan": {"aws:TokenIssueTime": until}}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_user_policy(UserName=user, PolicyName=REVOCATION, PolicyDocument=document)
    return until


def _await_refusal(client: Clients, key: dict[str, str], report: Report, sleep: Callable[[float], None]) -> None:
    """Wait until AWS makes no tokens with a deleted key any more, for a minute at most."""
    sts = client("sts", aws_access_key_id=key["accessKeyId"], aws_secret_access_key=key["secretAccessKey"])
    waited = 0.0
    while waited < SETTLE_SECONDS:
        try:
            sts.get_federation_token(Name="agora-key", DurationSeconds=SHORTEST_TOKEN_SECONDS)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidClientTokenId":
                return
        report(f"Waiting for AWS to refuse the former key everywhere, {waited:.0f} s so far")
        sleep(INTERVAL_SECONDS)
        waited += INTERVAL_SECONDS
    report(f"AWS still takes the former key after {waited:.0f} s: run the command once more")


def _prove(client: Clients, key: dict[str, Any], report: Report, sleep: Callable[[float], None]) -> None:
    """Test the key: make a token with it, as each start of a recording does. The token itself has no rights."""
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
            report("It works")
            return
        report(f"Waiting for AWS to accept it everywhere, {waited:.0f} s so far ({code})")
        sleep(INTERVAL_SECONDS)
        waited += INTERVAL_SECONDS


def _store(secrets: Any, name: str, value: dict[str, str]) -> None:
    text = json.dumps(value)
    try:
        secrets.put_secret_value(SecretId=name, SecretString=text)
    except secrets.exceptions.ResourceNotFoundException:
        secrets.create_secret(Name=name, Description="Signs the credentials that Agora uploads with", SecretString=text)


def _delete_key(iam: Any, user: str, key_id: str) -> None:
    with suppress(iam.exceptions.NoSuchEntityException):  # another run has deleted it
        iam.delete_access_key(UserName=user, AccessKeyId=key_id)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser("agora_key", "Make, store and rotate the key that signs Agora's upload credentials.")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--delete", action="store_true", help="delete all keys and the secret; `make destroy` does so")
    instead.add_argument("--revoke", action="store_true", help="also end all tokens that were issued until now")
    given = parser.parse_args(arguments)
    operation = remove_key if given.delete else revoke_tokens if given.revoke else rotate_key
    sentence = _removed if given.delete else _rotated
    return run_command(lambda report: operation(given.stage, aws_client, report), sentence, as_json=given.json)


def _removed(outcome: Outcome) -> str:
    return f"{outcome.user} has no key any more: no recording can be started."


def _rotated(outcome: Outcome) -> str:
    said = f"{outcome.secret} holds a new key of {outcome.user}; the functions read it within minutes."
    if outcome.revoked_before:
        said += f"\nEvery token that was issued before {outcome.revoked_before} has ended. {REVOCATION_COSTS}"
    return said


if __name__ == "__main__":
    sys.exit(main())
