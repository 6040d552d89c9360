"""Runs the program in this process, on a stage without a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.app import main
from cli.session import Session


@dataclass(frozen=True)
class Ran:
    """What a run left behind: its exit code, its output, and its words on standard error."""

    code: int
    out: str
    words: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs arguments on a session, from the taking apart of the arguments to the exit code."""

    def run_on(session: Session, *arguments: str) -> Ran:
        def opened(*, as_json: bool, query: str | None, **_: Any) -> Session:
            session.as_json, session.query = as_json or query is not None, query
            return session

        monkeypatch.setattr("cli.command.open_session", opened)
        for pause in ("cli.waiting.LOCAL_PAUSE_SECONDS", "cli.commands.erasures.PAUSE_SECONDS"):
            monkeypatch.setattr(pause, 0)
        monkeypatch.setattr("cli.program.program", lambda *_: "recordings")
        code = main(list(arguments))
        return Ran(code, *capsys.readouterr())

    return run_on
