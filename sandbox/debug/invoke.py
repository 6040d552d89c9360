"""Runs one handler of functions/ in this process: breakpoints and prints work.

The handler gets the environment, the stage's settings and the role of its deployed function, so that IAM counts. The
code is that of the working tree, deployed or not.
"""

import io
import json
import os
import sys
import traceback
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from recording_insights.settings import STAGE_SETTINGS_FILE, StageSettings
from sandbox.cloud.local_cloud import plain_environment
from sandbox.cloud.local_stack import LocalStack
from sandbox.debug.functions import DeployedFunction, deployed_functions


class InvokeError(Exception):
    """The function cannot be run. The text says why, and what to do."""


@dataclass(frozen=True)
class Context:
    """Lambda's context. The remaining time stays the same, so that a breakpoint does not use it up."""

    function_name: str
    memory_limit_in_mb: int
    timeout_seconds: int
    invoked_function_arn: str = ""
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        return self.timeout_seconds * 1000


def read_event(file: Path) -> Any:
    """Read the event, of `-` from standard input. Raises InvokeError if it is missing or no JSON."""
    try:
        return json.loads(sys.stdin.read() if str(file) == "-" else file.read_text())
    except FileNotFoundError:
        raise InvokeError(f"{file}: there is no such file. Events that AWS delivered are in tests/events.") from None
    except ValueError as error:
        raise InvokeError(f"{file} is no JSON: {error}.") from error


def find_function(stack: LocalStack, name: str) -> DeployedFunction:
    """Return the function of this name. Raises InvokeError, with all names, if there is none."""
    functions = deployed_functions(stack)
    if name not in functions:
        raise InvokeError(f"{name!r} is no function of the stack. The functions are: {', '.join(functions)}.")
    return functions[name]


def invoke(stack: LocalStack, function: DeployedFunction, event: Any) -> Any:
    """Run the handler and return its result. The environment of this process becomes that of the function.

    Raises whatever the handler raises.
    """
    settings = _stage_settings(stack, function)
    environment = {**plain_environment(), **_function_environment(stack, function)}
    os.environ.clear()
    os.environ.update(environment)
    module = import_module(function.module)
    if settings and hasattr(module, "wiring"):
        vars(module.wiring)["stage_settings"] = settings
    context = Context(function.deployed_name, function.memory_mb, function.timeout_seconds)
    return module.handler(event, context)


def print_invocation(stack: LocalStack, function: DeployedFunction, event: Any) -> int:
    """Run the handler and print its result as JSON; an exception is printed with its traceback. Return the exit code.

    Standard output gets the result and nothing else: what the handler prints and logs goes to standard error.
    """
    with _result_output() as output:
        try:
            result = invoke(stack, function, event)
        except Exception:  # noqa: BLE001 - any exception is the result
            sys.stdout.flush()
            traceback.print_exc()
            return 1
        print(json.dumps(result, indent=2, ensure_ascii=False, default=str), file=output)
    return 0


@contextmanager
def _result_output() -> Iterator[TextIO]:
    """Give standard output to the result. The descriptor is exchanged, because a debugger reads lines through it."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        try:
            yield output
        finally:
            sys.stdout.flush()
            os.dup2(output.fileno(), 1)


def _function_environment(stack: LocalStack, function: DeployedFunction) -> dict[str, str]:
    """Return the variables that Lambda sets, those of the function, and the credentials of its role."""
    credentials = _assume_role(stack, function.role)
    return {
        **function.environment,
        "AWS_LAMBDA_FUNCTION_NAME": function.deployed_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_REGION": stack.region,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ENDPOINT_URL": stack.endpoint_url,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _assume_role(stack: LocalStack, role: str) -> Mapping[str, Any]:
    """Return credentials of the role, which trusts Lambda alone: for this call it also trusts the administrator."""
    iam, name = stack.client("iam"), role.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    administrator = stack.client("sts").get_caller_identity()["Arn"]
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": administrator}}
    extended = {**trust, "Statement": [*trust["Statement"], statement]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(extended))
    try:
        answer = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="invoke")
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    credentials: Mapping[str, Any] = answer["Credentials"]
    return credentials


def _stage_settings(stack: LocalStack, function: DeployedFunction) -> StageSettings | None:
    """Return the stage's settings in the deployed package, None if the package has none."""
    code = stack.client("lambda").get_function(FunctionName=function.deployed_name)["Code"]
    answer = stack.control("GET", code["Location"])
    answer.raise_for_status()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        if STAGE_SETTINGS_FILE not in package.namelist():
            return None
        return StageSettings(**json.loads(package.read(STAGE_SETTINGS_FILE)))
