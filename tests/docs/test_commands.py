"""Every command and every snippet of the pages can be run as it is written."""

import ast
import importlib.util
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import botocore.session
import jmespath
import pytest
import typer

from cli.app import app
from cli.stage import LOCAL_VARIABLE
from infra.settings import VENDORS, StackSettings
from operations.move_secrets import KEYS as OWN_KEYS
from operations.waits import BY_CODE, BY_STATUS
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET
from recording_insights.providers.registry import PROVIDERS
from sandbox.__main__ import _parser
from sandbox.debug.invoke import read_event
from tests.docs.commands import Call, Command, commands_in, commands_of, curl_call
from tests.docs.examples import check_request, matching_route
from tests.docs.pages import PROJECT, Page, all_pages, page

MAKEFILE = (PROJECT / "Makefile").read_text()
READ_BY_MAKE_UP = "".join(
    (PROJECT / "sandbox" / name).read_text() for name in ("cloud/location.py", "stand_ins/bedrock/open_model.py")
)
VARIABLES = {
    "API_URL": "https://api.test",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "RECORDING_ID": "4736218b480a44149a6bac9cd17457c6",
}
SET_UP = {"AWS_PROFILE", "PATH", "RECORDINGS_STAGE"}
"""What the command line and the shell read."""
LACKING = ("MissingParameter", "NoArgsIsHelpError")
STAGE = {"stage": "dev", "provider": "assemblyai"}
DEMO_OPTIONS = {"RECORDING": "--recording", "PARTS": "--parts", "MODE": "--mode", "STREAM_MODE": "--stream-mode"}
GLOBAL_OPTIONS = {"--query", "--output", "--region", "--profile", "--cli-binary-format"}

every_page = pytest.mark.parametrize("read", all_pages(), ids=lambda read: read.name)


def check_make(command: Command) -> None:
    """The targets exist, each variable is one that the Makefile uses, and its value is allowed.

    A value such as `<name>` is a placeholder.
    """
    values = dict(word.split("=", 1) for word in command.words[1:] if "=" in word)
    targets = [word for word in command.words[1:] if "=" not in word]
    assert [name for name in targets if not re.search(rf"^{re.escape(name)}:", MAKEFILE, flags=re.MULTILINE)] == []
    assert [name for name in values if f"$({name})" not in MAKEFILE] == []
    assert [name for name in command.environment if f'"{name}"' not in READ_BY_MAKE_UP] == []
    given = {name: value for name, value in values.items() if not re.search(r"<.*>|…|key=value", value)}
    assert given.get("PROVIDER", "assemblyai") in PROVIDERS
    options = [word for name, option in DEMO_OPTIONS.items() if name in given for word in (option, given[name])]
    _parser().parse_args(["demo", *options])
    pairs = [word.split("=", 1) for word in shlex.split(given.get("CONTEXT", ""))]
    StackSettings.from_context({**STAGE, **dict(pairs)})


def check_aws(command: Command) -> None:
    """Service, operation and parameters are in AWS's own model."""
    service, operation, *arguments = command.words[1:]
    model = botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
    [shape] = [
        model.operation_model(name).input_shape
        for name in model.operation_names
        if botocore.xform_name(name, "-") == operation
    ]
    assert shape is not None
    options = {f"--{botocore.xform_name(name, '-')}": name for name in shape.members}
    if (service, operation) == ("lambda", "invoke"):
        # The CLI alone: the file for the answer. Without the option, the payload would have to be Base64.
        *arguments, file = arguments
        assert file.endswith(".json")
        assert arguments[arguments.index("--cli-binary-format") + 1] == "raw-in-base64-out"
    flags = [word for word in arguments if word.startswith("--no-")]
    for flag in flags:
        assert shape.members[options[flag.replace("--no-", "--")]].type_name == "boolean"
        arguments.remove(flag)
    given = {**dict(zip(arguments[::2], arguments[1::2], strict=True)), **{f"--{flag[5:]}": "" for flag in flags}}
    assert given.keys() <= options.keys() | GLOBAL_OPTIONS
    assert {options[name] for name in given if name in options} >= set(shape.required_members)
    jmespath.compile(given.get("--query", "*"))
    if service == "secretsmanager":
        name = given.get("--name") or given["--secret-id"]
        stage, vendor = re.fullmatch(r"recording-insights/(\w+)/([\w-]+)", name).groups()  # type: ignore[union-attr]
        assert (stage, vendor in (*VENDORS, UPLOADER_SECRET, *OWN_KEYS)) == ("dev", True)
    if service == "cloudformation":
        # A stage of this name is not protected, so the page ends the protection of another one.
        assert given["--stack-name"] == ("RecordingInsights-prod" if flags else "RecordingInsights-dev")


def check_pytest(command: Command) -> None:
    """The paths exist."""
    paths = [word for before, word in zip(command.words, command.words[1:], strict=False) if before != "-k"]
    assert [path for path in paths if not path.startswith("-") and not (PROJECT / path).exists()] == []


def check_python(command: Command) -> None:
    """The command of the sandbox exists, as do the function and the event that it names."""
    check_installed(command)
    if command.words[1:3] == ["-m", "sandbox"]:
        arguments = _parser().parse_args(command.words[3:])
        if arguments.command == "invoke":
            assert list((PROJECT / "functions").glob(f"*/{arguments.function}.py"))
            assert isinstance(read_event(PROJECT / arguments.event), dict)


def check_recordings(command: Command) -> None:
    """The command, its arguments and its options are those of the program. In prose it may lack its arguments.

    Words such as `<command>`, `ID`, `NAME` and `N` are placeholders.
    """
    words = ["5" if word == "N" else word for word in command.words[1:] if word != "--install-completion"]
    if not words or any("<" in word for word in words):
        return
    assert {*command.environment} <= {LOCAL_VARIABLE}
    try:
        parse(typer.main.get_command(app), "recordings", words)
    except Exception as error:
        if command.line or type(error).__name__ not in LACKING:
            raise


def parse(command: Any, name: str, words: Sequence[str], parent: Any = None) -> None:
    """Have a command of Typer read its words, and the command that they name, without running it.

    Raises an error of Click if there is no such command, argument or option, or if a value is wrong.
    """
    try:
        context = command.make_context(name, list(words), parent=parent)
    except typer.Exit:
        return  # --help and --version
    if not hasattr(command, "commands"):
        return
    name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    parse(command, name, rest, context)


def check_git(command: Command) -> None:
    """The project is cloned into the folder that the next command enters."""
    assert command.words[1] == "clone"


def check_cd(command: Command) -> None:
    """The folder is that of a clone."""
    assert command.words[1:] == ["recording-insights"]


def check_installed(command: Command) -> None:
    """`make install` brings the program."""
    assert command.program.startswith(".venv/bin/")
    if command.program == ".venv/bin/recordings":
        check_recordings(command)


def check_export(command: Command) -> None:
    """The variable is one that a later command reads."""
    assert command.words[1].partition("=")[0] in VARIABLES.keys() | SET_UP


def check_eval(command: Command) -> None:
    """What it evaluates is the output of a command that works."""
    [inner] = commands_in(command.words[1].removeprefix("$(").removesuffix(")"))
    CHECKS[inner.program](inner)


def check_pipx(command: Command) -> None:
    """The project is what is installed."""
    assert command.words[1:] == ["install", "."]


CHECKS: dict[str, Callable[[Command], None]] = {
    "make": check_make,
    "pipx": check_pipx,
    "aws": check_aws,
    "export": check_export,
    "eval": check_eval,
    ".venv/bin/pytest": check_pytest,
    ".venv/bin/mypy": check_installed,
    ".venv/bin/ruff": check_installed,
    ".venv/bin/python": check_python,
    ".venv/bin/recordings": check_installed,
    "recordings": check_recordings,
    "git": check_git,
    "cd": check_cd,
}


@every_page
def test_every_command_is_one_that_works(read: Page, routes: list[str]) -> None:
    for command in commands_of(read):
        if command.program == "curl":
            check_curl(curl_call(command, VARIABLES), routes)
        else:
            CHECKS[command.program](command)


@pytest.mark.parametrize(
    "wrong",
    [
        "recordings swep",
        "recordings sweep --soon",
        "recordings redrive send",
        "recordings logs a b",
        "recordings intake",
    ],
)
def test_a_command_that_the_program_does_not_have_is_found(wrong: str) -> None:
    [command] = commands_in(wrong, 1)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - its type says it
        check_recordings(command)
    assert type(raised.value).__module__ == "typer._click.exceptions"


@pytest.mark.parametrize("command", sorted({wait.command for wait in (*BY_CODE.values(), *BY_STATUS.values())} - {""}))
def test_every_command_that_why_names_is_one_that_works(command: str) -> None:
    filled = command.format(id=VARIABLES["RECORDING_ID"], provider="deepgram", stage="dev")
    for each in commands_in(filled):
        CHECKS[each.program](each)


def check_curl(call: Call, routes: Sequence[str]) -> None:
    """It is signed for the API, and method, path and body are those of a route."""
    assert call.signature == "aws:amz:eu-central-1:execute-api"
    route = matching_route(f"{call.method} {call.path.partition('?')[0]}", routes)
    if call.body is not None:
        check_request(route, json.loads(call.body))
    assert set(call.headers) <= {"x-amz-security-token", "Idempotency-Key"}


def test_the_readme_starts_stops_and_reads(routes: list[str]) -> None:
    calls = [curl_call(command, VARIABLES) for command in commands_of(page("README.md")) if command.program == "curl"]
    assert [matching_route(f"{call.method} {call.path}", routes) for call in calls] == [
        "POST /recordings",
        "POST /recordings/{recording_id}/stop",
        "GET /recordings/{recording_id}/insights",
    ]


def test_the_readme_reads_an_output_of_the_stack(outputs: list[str]) -> None:
    text = page("README.md").path.read_text()
    assert set(re.findall(r"OutputKey=='(\w+)'", text)) <= set(outputs)


def test_the_header_for_temporary_credentials_is_read_as_curl_does() -> None:
    [span] = [span for span in page("README.md").code_spans if span.startswith("-H ")]
    call = curl_call(Command(0, ["curl", "--aws-sigv4", "s", "-H", span[4:-1], "$API_URL/recordings"]), VARIABLES)
    assert call.headers == {"x-amz-security-token": "token"}


def commands_of_pytest() -> list[Command]:
    """The commands of CONTRIBUTING that run tests."""
    return [command for command in commands_of(page("CONTRIBUTING.md")) if command.program == ".venv/bin/pytest"]


@pytest.mark.matrix
@pytest.mark.parametrize("command", commands_of_pytest(), ids=lambda command: command.words[1])
def test_the_tests_of_contributing_run_as_they_are_written(command: Command) -> None:
    """Those of the deployed stack are only collected."""
    needs_stack = command.words[1].startswith(("tests/workflow", "tests/e2e"))
    run = subprocess.run(  # noqa: S603
        [*command.words, *(["--collect-only"] if needs_stack else [])],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]


@every_page
def test_python_snippets_compile_and_their_imports_exist(read: Page) -> None:
    """A snippet that imports nothing is a fragment of a file. test_provider_guide.py runs those that name a file."""
    for fence in read.fences:
        if fence.language != "python" or len(fence.info) > 1 or "import " not in fence.text:
            continue
        for node in ast.walk(ast.parse(fence.text)):
            if isinstance(node, ast.Import):
                assert all(importlib.util.find_spec(alias.name) for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                module = import_module(str(node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
