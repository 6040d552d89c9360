"""An AWS account in memory, as far as the key of Agora's user needs one; can break off at any call."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

USER = "RecordingInsights-dev-Uploader"
SECRET = "recording-insights/dev/agora-uploader"


class Crash(BaseException):
    """The program is gone at this point: nothing of it runs any more."""


def aws_error(code: str, call: str, status: int = 400, message: str = "") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, call)


class ResourceNotFound(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetSecretValue")


class NoSuchEntity(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "NoSuchEntity", "Message": ""}}, "DeleteAccessKey")


@dataclass
class Account:
    """`keys` by id, oldest first; `settles_after` refusals a new key works; `before` may raise at any call's begin.

    A deleted key makes `lingers` more tokens. `tokens` are the tokens with the id of their key and the moment of their
    issue. Each call takes a second of `now`. `policies` are the inline policies of the user by name.
    """

    keys: dict[str, str] = field(default_factory=dict)
    secret: str | None = None
    outputs: dict[str, str] = field(default_factory=lambda: {"AgoraUploaderName": USER})
    stacks: tuple[str, ...] = ("RecordingInsights-dev",)
    template: Any = field(default_factory=dict)
    settles_after: int = 0
    lingers: int = 0
    now: datetime = datetime(2026, 11, 28, tzinfo=UTC)
    tokens: list[tuple[str, datetime]] = field(default_factory=list)
    policies: dict[str, Any] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    before: Callable[[str], None] = lambda call: None
    calls: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def __call__(self, service: str, **credentials: str) -> Any:
        return _Client(self, credentials)

    @property
    def stored(self) -> Any:
        return json.loads(self.secret) if self.secret else None

    @property
    def works(self) -> bool:
        """Whether what the secret holds is a key of the user."""
        return bool(self.secret) and self.keys.get(self.stored["accessKeyId"]) == self.stored["secretAccessKey"]

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def living(self) -> list[str]:
        """The keys of the tokens that no policy denies."""
        ends = [
            datetime.fromisoformat(statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
            for policy in self.policies.values()
            for statement in policy["Statement"]
        ]
        return [key for key, issued_at in self.tokens if all(issued_at >= end for end in ends)]

    def add_key(self) -> tuple[str, str]:
        number = next(self._numbers)
        pair = f"AKIA{number}", f"s3cr3t-{number}"
        self.keys[pair[0]] = pair[1]
        return pair


@dataclass
class _Client:
    account: Account
    credentials: dict[str, str]
    meta: Any = field(default_factory=lambda: SimpleNamespace(region_name="eu-central-1"))
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(
            ResourceNotFoundException=ResourceNotFound, NoSuchEntityException=NoSuchEntity
        )
    )

    def _enter(self, call: str) -> Account:
        self.account.before(call)
        self.account.pass_time(1)
        self.account.calls.append(call)
        return self.account

    def get_caller_identity(self) -> Any:
        self._enter("get_caller_identity")
        return {"Arn": "arn:aws:iam::111122223333:user/operator", "Account": "111122223333"}

    def describe_stacks(self, *, StackName: str) -> Any:
        account = self._enter("describe_stacks")
        if StackName not in account.stacks:
            raise aws_error("ValidationError", "DescribeStacks", 400, f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in account.outputs.items()]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Outputs": outputs}]}

    def get_template(self, *, StackName: str, TemplateStage: str) -> Any:
        account = self._enter("get_template")
        assert TemplateStage == "Original"
        if StackName not in account.stacks:
            raise aws_error("ValidationError", "GetTemplate", 400, f"Stack with id {StackName} does not exist")
        return {"TemplateBody": account.template}

    def list_access_keys(self, *, UserName: str) -> Any:
        assert UserName == USER
        made = datetime(2026, 11, 21, tzinfo=UTC)
        account = self._enter("list_access_keys")
        keys = [{"AccessKeyId": key, "CreateDate": made + timedelta(days=age)} for age, key in enumerate(account.keys)]
        answered = {"HTTPHeaders": {"date": format_datetime(account.now, usegmt=True)}}
        return {"AccessKeyMetadata": keys[::-1], "ResponseMetadata": answered}

    def create_access_key(self, *, UserName: str) -> Any:
        account = self._enter("create_access_key")
        if len(account.keys) >= 2:
            raise aws_error("LimitExceeded", "CreateAccessKey", 409, "Cannot exceed quota for AccessKeysPerUser: 2")
        key_id, secret = account.add_key()
        return {"AccessKey": {"AccessKeyId": key_id, "SecretAccessKey": secret}}

    def delete_access_key(self, *, UserName: str, AccessKeyId: str) -> None:
        account = self._enter("delete_access_key")
        if AccessKeyId not in account.keys:
            raise NoSuchEntity
        account.deleted[AccessKeyId] = account.keys.pop(AccessKeyId)

    def put_user_policy(self, *, UserName: str, PolicyName: str, PolicyDocument: str) -> None:
        assert UserName == USER
        self._enter("put_user_policy").policies[PolicyName] = json.loads(PolicyDocument)

    def delete_user_policy(self, *, UserName: str, PolicyName: str) -> None:
        assert UserName == USER
        account = self._enter("delete_user_policy")
        if PolicyName not in account.policies:
            raise NoSuchEntity
        del account.policies[PolicyName]

    def get_federation_token(self, *, Name: str, DurationSeconds: int) -> None:
        account = self._enter("get_federation_token")
        key_id, secret = self.credentials["aws_access_key_id"], self.credentials["aws_secret_access_key"]
        if account.deleted.get(key_id) == secret and account.lingers:
            account.lingers -= 1
        else:
            account.settles_after -= 1
            if account.settles_after >= 0 or account.keys.get(key_id) != secret:
                raise aws_error("InvalidClientTokenId", "GetFederationToken", 403)
        account.tokens.append((key_id, account.now))

    def get_secret_value(self, *, SecretId: str) -> Any:
        account = self._enter("get_secret_value")
        assert SecretId == SECRET
        if account.secret is None:
            raise ResourceNotFound
        return {"SecretString": account.secret}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:
        account = self._enter("put_secret_value")
        if account.secret is None:
            raise ResourceNotFound
        account.secret = SecretString

    def create_secret(self, *, Name: str, Description: str, SecretString: str) -> None:
        account = self._enter("create_secret")
        assert account.secret is None
        account.secret = SecretString

    def delete_secret(self, *, SecretId: str, ForceDeleteWithoutRecovery: bool) -> None:
        account = self._enter("delete_secret")
        if account.secret is None:
            raise ResourceNotFound
        account.secret = None
