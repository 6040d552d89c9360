"""A handler in this process: the environment, the rights and the settings of its function, and what is printed."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from sandbox.cloud.local_stack import LocalStack
from sandbox.debug.invoke import InvokeError, find_function, print_invocation, read_event
from tests.sandbox.debug.fake_aws import ROLE, TRUST, FakeAws

HANDLER = """
import os
from types import SimpleNamespace

wiring = SimpleNamespace()


def handler(event, context):
    print("printed")
    if event.get("fails"):
        raise LookupError("no such row")
    left = context.get_remaining_time_in_millis()
    assert left == context.get_remaining_time_in_millis()
    return {"settings": wiring.stage_settings.provider_options, "left": left, "environment": dict(os.environ)}
"""


@pytest.fixture(autouse=True)
def say(aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The function `made_up.say`, whose module is in a folder of its own."""
    (tmp_path / "made_up").mkdir()
    (tmp_path / "made_up" / "say.py").write_text(HANDLER)
    monkeypatch.syspath_prepend(tmp_path)
    aws.handler = "made_up.say.handler"
    aws.stage_settings = '{"provider_options": {"symbl": {"a": 1}}, "prefix_providers": {}}'
    package = SimpleNamespace(content=aws.package(), raise_for_status=lambda: None)
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: package)
    monkeypatch.setenv("AWS_PROFILE", "the user's own")
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    for name in ("made_up.say", "made_up"):
        sys.modules.pop(name, None)


def invoked(stack: LocalStack, event: Any) -> int:
    """Run the function. Standard output has its descriptor, as in a process of its own."""
    with open(1, "w", closefd=False) as stdout, redirect_stdout(stdout):
        return print_invocation(stack, find_function(stack, "say"), event)


def test_the_result_alone_is_on_standard_output(
    stack: LocalStack, aws: FakeAws, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoked(stack, {}) == 0
    printed = capfd.readouterr()
    result = json.loads(printed.out)
    assert printed.err == "printed\n"
    assert result["settings"] == {"symbl": {"a": 1}}
    assert result["left"] == 29_000


def test_the_handler_has_the_environment_and_the_role_of_its_function(
    stack: LocalStack, aws: FakeAws, capfd: pytest.CaptureFixture[str]
) -> None:
    invoked(stack, {})
    environment = json.loads(capfd.readouterr().out)["environment"]
    assert environment["TABLE_NAME"] == "insights"
    assert environment["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert environment["AWS_SESSION_TOKEN"] == ROLE
    assert "AWS_PROFILE" not in environment
    assert aws.trust[-1] == TRUST, "the role trusts Lambda alone again"


def test_an_exception_is_shown_with_its_traceback(stack: LocalStack, capfd: pytest.CaptureFixture[str]) -> None:
    assert invoked(stack, {"fails": True}) == 1
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.endswith("LookupError: no such row\n")
    assert "say.py" in printed.err


def test_an_unknown_function_lists_the_known_ones(stack: LocalStack) -> None:
    with pytest.raises(InvokeError, match=r"'submit' is no function .* The functions are: say\."):
        find_function(stack, "submit")


def test_an_event_is_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "event.json"
    file.write_text('{"a": 1}')
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"b": 2}'))
    assert (read_event(file), read_event(Path("-"))) == ({"a": 1}, {"b": 2})
    file.write_text("{")
    with pytest.raises(InvokeError, match=r"event\.json is no JSON"):
        read_event(file)
    with pytest.raises(InvokeError, match=r"tests/events"):
        read_event(tmp_path / "missing.json")
