"""The AWS of a local stack: one function, IAM and STS."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/submit"
ADMINISTRATOR = "arn:aws:iam::000000000000:user/local-administrator"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}


class FakeAws:
    """Every client of the stack. `trust` are the trust policies that the role has had, in their order."""

    def __init__(self) -> None:
        self.handler = "states.submit_recording.handler"
        self.stage_settings = ""
        self.trust: list[dict[str, Any]] = [TRUST]

    def package(self) -> bytes:
        """The code package of the function."""
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as package:
            package.writestr("wiring.py", "")
            if self.stage_settings:
                package.writestr("stage_settings.json", self.stage_settings)
        return written.getvalue()

    # Methods of boto3's clients.

    def get_paginator(self, name: str) -> "_Pages":
        return _Pages(self, name)

    def get_function(self, FunctionName: str) -> dict[str, Any]:
        return {"Code": {"Location": f"http://localhost:1/{FunctionName}"}}

    def get_caller_identity(self) -> dict[str, Any]:
        return {"Arn": ADMINISTRATOR}

    def get_role(self, RoleName: str) -> dict[str, Any]:
        return {"Role": {"AssumeRolePolicyDocument": self.trust[-1]}}

    def update_assume_role_policy(self, RoleName: str, PolicyDocument: str) -> None:
        self.trust.append(json.loads(PolicyDocument))

    def assume_role(self, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:
        trusted = [statement["Principal"].get("AWS") for statement in self.trust[-1]["Statement"]]
        assert ADMINISTRATOR in trusted
        return {"Credentials": {"AccessKeyId": "ASIA1", "SecretAccessKey": "s1", "SessionToken": RoleArn}}


class _Pages:
    def __init__(self, aws: FakeAws, name: str) -> None:
        self._aws = aws
        self._name = name

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        match self._name:
            case "list_functions":
                yield {"Functions": [self._function(), {"Handler": "index.handler"}]}

    def _function(self) -> dict[str, Any]:
        return {
            "FunctionName": "Stack-Submit1",
            "Handler": self._aws.handler,
            "Role": ROLE,
            "LoggingConfig": {"LogGroup": "/group/Submit"},
            "Environment": {"Variables": {"TABLE_NAME": "insights"}},
            "Timeout": 29,
            "MemorySize": 512,
        }
