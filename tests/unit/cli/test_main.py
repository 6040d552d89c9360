"""How the program ends: by an error of each kind, by Ctrl-C, and when nobody reads any more."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import NoCredentialsError

from cli.app import main
from cli.errors import Conflict
from cli.program import program
from operations.deployed_stack import NotDeployed, OperationFailed
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_stage import fake_session

PROJECT = Path(__file__).parents[3]
ID = "4736218b480a44149a6bac9cd17457c6"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Conflict("there is one"), 4, "there is one\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (NotDeployed("no stack"), 3, "no stack\n"),
        (OperationFailed("refused"), 1, "refused\n"),
        (NoCredentialsError(), 5, "Unable to locate credentials. Sign in"),
        (requests.ConnectionError("https://b/?X-Amz-Signature=5ec0de"), 6, "The network failed (ConnectionError).\n"),
        (OSError(28, "No space left on device", "a.srt"), 1, "No space left on device: a.srt\n"),
    ],
)
def test_an_error_is_one_line_and_a_code(run: Run, error: BaseException, code: int, said: str) -> None:
    def fails(call: Any) -> Any:
        raise error

    session = fake_session({})
    session.stage.__dict__["api"] = type("Failing", (), {"call": lambda *_, **__: fails(None)})()
    ran = run(session, "show", ID)
    assert (ran.code, ran.out) == (code, "")
    assert ran.words.startswith(said)
    assert "5ec0de" not in ran.words
    assert ran.words.count("\n") == 1


def test_a_fault_of_its_own_is_raised(run: Run) -> None:
    session = fake_session({})
    session.stage.__dict__["api"] = None
    with pytest.raises(AttributeError):
        run(session, "show", ID)


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show"]) == 2
    assert main(["sing"]) == 2
    assert main(["list", "--limit", "0"]) == 2
    assert "Missing argument" in capsys.readouterr().err
    assert main(["--version"]) == 0


def test_shared_options_and_groups_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["retries", "--help"], ["providers", "-h"], ["insights", "--help"]):
        assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("start", "cancel", "pause", "slots", "export"))
    assert main(["providers", "pause", "--help"]) == 0
    assert "--stage" in capsys.readouterr().out


def process(*arguments: str, code: str = "", **options: Any) -> "subprocess.Popen[str]":
    """The program in a process of its own, after some code, in a session that can be interrupted alone."""
    run = f"import sys; from cli import app\n{code}\nsys.exit(app.main(sys.argv[1:]))"
    variables = {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'functions'}", "PATH": os.environ["PATH"]}
    return subprocess.Popen(  # noqa: S603 - this project's own program
        [sys.executable, "-c", run, *arguments],
        env={**variables, **options.pop("env", {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


WAITS = """
import cli.command
def opened(**_):
    print("began", flush=True)
    __import__("time").sleep(60)
cli.command.open_session = opened
"""
PRINTS = """
import cli.command
from tests.unit.cli.fake_stage import fake_session
row = {"recording_id": "a" * 32, "status": "done", "created_at": "x"}
cli.command.open_session = lambda **_: fake_session({"GET /recordings": {"recordings": [row] * ROWS}}, as_json=True)
"""


def test_ctrl_c_ends_it_with_130_and_no_traceback() -> None:
    with process("list", code=WAITS) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "began\n"
        running.send_signal(signal.SIGINT)
        _, words = running.communicate(timeout=60)
    assert (running.returncode, words) == (130, "Interrupted.\n")


@pytest.mark.parametrize("rows", [1, 3000], ids=["a line", "more than a pipe holds"])
def test_a_reader_that_has_seen_enough_is_no_error(rows: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = PRINTS.replace("ROWS", str(rows))
    run = f"import sys; from cli import app\n{code}\nsys.exit(app.main(['list', '--limit', '9999', '--json']))"
    variables = {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'functions'}", "PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S603 - this project's own program
        [sys.executable, "-c", run], env=variables, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_shell_can_complete_commands_and_options() -> None:
    with process(env={"_RECORDINGS_COMPLETE": "source_bash"}, code="sys.argv[0] = 'recordings'") as running:
        script, _ = running.communicate(timeout=60)
    assert "complete -o default -F _recordings_completion recordings" in script
    typed = {"COMP_WORDS": "recordings providers ", "COMP_CWORD": "2", "_RECORDINGS_COMPLETE": "complete_bash"}
    with process(env=typed, code="sys.argv[0] = 'recordings'") as running:
        offered, words = running.communicate(timeout=60)
    assert {"list", "pause", "resume", "slots"} <= set(offered.split()), words


def test_the_name_that_is_printed_is_the_one_that_the_shell_finds(tmp_path: Path) -> None:
    script = tmp_path / ".venv" / "bin" / "recordings"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    found = {"PATH": f"/usr/bin:{script.parent}"}
    assert program(found, tmp_path, script) == "recordings"
    assert program({"PATH": "/usr/bin"}, tmp_path, script) == ".venv/bin/recordings"
    assert program({"PATH": "/usr/bin"}, tmp_path / ".venv", script) == "bin/recordings"
    by_make = {"PATH": f"{script.parent}:/usr/bin", "MAKELEVEL": "1"}
    assert program(by_make, tmp_path, script) == ".venv/bin/recordings", "make has put it there"
    active = {"PATH": f"{script.parent}:{script.parent}:/usr/bin", "MAKELEVEL": "1"}
    assert program(active, tmp_path, script) == "recordings"


def test_the_program_starts_without_what_only_some_commands_need() -> None:
    slow = ("aws_lambda_powertools", "boto3", "botocore", "recording_insights", "requests", "rich", "sandbox", "infra")
    with process("--version", code=f"print(sorted(set(sys.modules) & set({slow})))") as running:
        out, _ = running.communicate(timeout=60)
    assert out.splitlines()[0] == "[]"


def test_an_output_that_is_not_in_utf_8_shows_escapes() -> None:
    code = PRINTS.replace("ROWS", "1").replace("as_json=True", "as_json=False")
    with process("list", code=code, env={"PYTHONIOENCODING": "ascii"}) as running:
        out, words = running.communicate(timeout=60)
    assert (running.returncode, words) == (0, "")
    assert "\\u2013" in out
