"""`python -m sandbox env`: the variables of the stack that is up."""

import json
import shlex
import sys

import pytest

from sandbox import __main__ as command
from sandbox.cloud.local_stack import LocalStack

STACK = LocalStack(
    endpoint_url="http://localhost:4566",
    region="eu-central-1",
    access_key_id="AKIAEXAMPLE",
    secret_access_key="it's a $ecret",
    api_url="http://localhost:4566/api",
    sandbox_url="",
    outputs={},
    context={},
    processes=(),
)


@pytest.fixture(autouse=True)
def stack_that_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "require_stack", lambda location: STACK)


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    monkeypatch.setattr(sys, "argv", ["sandbox", "env", *options])
    assert command.main() == 0
    return capsys.readouterr().out


def test_a_shell_sets_the_variables_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(printed(monkeypatch, capsys))
    assert words[::2] == ["export"] * 5
    assert dict(word.split("=", 1) for word in words[1::2]) == STACK.environment()


def test_they_are_json_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(monkeypatch, capsys, "--json")) == STACK.environment()
