"""An account with a stack and with Secrets Manager, which moto imitates; a run can break off before any call."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import boto3
from moto.secretsmanager.models import secretsmanager_backends

from tests.unit.operations.fake_account import Crash, aws_error

REGION = "eu-central-1"
STACK = "RecordingInsights-dev"


class Account:
    """Makes clients, as boto3 does. `outputs` are those of the stack; None if it is not deployed.

    `calls` are the calls so far. Before the call of the number `breaks_at`, the program is gone. `refuses` names a
    call that AWS denies.
    """

    def __init__(self, outputs: Mapping[str, str] | None = None) -> None:
        self.outputs = outputs
        self.calls: list[str] = []
        self.breaks_at = -1
        self.refuses = ""
        self._secrets = boto3.client("secretsmanager", region_name=REGION)

    def __call__(self, service: str, *, region_name: str | None = None) -> Any:
        return _Client(self, _Stacks(self) if service == "cloudformation" else self._secrets)

    def put(self, name: str, value: Any) -> None:
        """Store a secret as an operator does."""
        text = value if isinstance(value, str) else json.dumps(value)
        self._secrets.create_secret(Name=name, SecretString=text)

    def stored(self, name: str, stage: str = "AWSCURRENT") -> Any:
        """The content of a secret's version; None if there is no secret."""
        try:
            return json.loads(self._secrets.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"])
        except self._secrets.exceptions.ResourceNotFoundException:
            return None

    @contextmanager
    def copy(self) -> Iterator["Account"]:
        """The same account to try something with; what was changed meanwhile is as before at the end."""
        secrets = secretsmanager_backends["123456789012"][REGION].secrets
        before = deepcopy(dict(secrets))
        try:
            yield Account(self.outputs)
        finally:
            secrets.clear()
            secrets.update(before)

    @staticmethod
    def clear() -> None:
        """Delete all secrets."""
        secretsmanager_backends["123456789012"][REGION].secrets.clear()


class _Stacks:
    def __init__(self, account: Account) -> None:
        self.account = account
        self.meta = SimpleNamespace(region_name=REGION)

    def describe_stacks(self, *, StackName: str) -> Any:
        if self.account.outputs is None or StackName != STACK:
            raise aws_error("ValidationError", "DescribeStacks", 400, f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in self.account.outputs.items()]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Outputs": outputs}]}


class _Client:
    def __init__(self, account: Account, client: Any) -> None:
        self.account, self.client = account, client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        return self._counted(name, found) if callable(found) else found

    def _counted(self, name: str, call: Any) -> Any:
        def counted(**arguments: Any) -> Any:
            if len(self.account.calls) == self.account.breaks_at:
                raise Crash
            if name == self.account.refuses:
                raise aws_error("AccessDeniedException", name, 400, "not authorized")
            self.account.calls.append(name)
            return call(**arguments)

        return counted
