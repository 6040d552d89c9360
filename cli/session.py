"""What a command gets: the stage, a place for words, and the means to ask."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.errors import Conflict, UsageWrong
from cli.visible import visible_json, visible_line

if TYPE_CHECKING:
    from rich.console import Console

    from cli.api import Api
    from cli.stage import Stage


@dataclass
class Session:
    """One run of a command. Data goes to standard output, words go to standard error.

    `as_json` is true if a program reads the output. `query` is an expression of JMESPath.
    """

    stage: "Stage"
    as_json: bool = False
    query: str | None = None
    ask: Callable[[str], str] = field(default=input)
    has_terminal: bool = field(default_factory=lambda: sys.stdin.isatty() and sys.stderr.isatty())

    @property
    def api(self) -> "Api":
        return self.stage.api

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.stage.outputs

    def client(self, service: str, **options: Any) -> Any:
        return self.stage.client(service, **options)

    @cached_property
    def out(self) -> "Console":
        """Standard output."""
        from rich.console import Console

        return Console(soft_wrap=False)

    @cached_property
    def words(self) -> "Console":
        """Standard error."""
        from rich.console import Console

        return Console(stderr=True)

    def say(self, text: str) -> None:
        """Write one line of words."""
        self.words.print(visible_line(text), markup=False, highlight=False, soft_wrap=True)

    def line(self, data: Any) -> None:
        """Write one JSON object as one line of standard output: for what goes on and on."""
        print(visible_json(self.found(data), indent=None), flush=True)

    def found(self, data: Any) -> Any:
        """Return what `--query` finds in the data, or the data."""
        if self.query is None:
            return data
        import jmespath

        try:
            return jmespath.search(self.query, data)
        except jmespath.exceptions.JMESPathError as error:
            raise UsageWrong(f"--query {self.query!r}: {error}") from None

    def command(self, *words: str) -> str:
        """Return a command of this program that works on the same stage, to be copied."""
        import shlex
        from pathlib import Path

        from cli.program import program

        given, environment = self.stage.given, self.stage.environment
        options = [
            word
            for option, value, variables in (
                ("--stage", given.stage, ("RECORDINGS_STAGE",)),
                ("--region", given.region, ("AWS_REGION", "AWS_DEFAULT_REGION")),
                ("--profile", given.profile, ("AWS_PROFILE",)),
            )
            if value and value not in map(environment.get, variables)
            for word in (option, value)
        ]
        return f"{program(environment, Path.cwd())} {shlex.join([*words, *options])}"

    def confirm(self, what: str, *, yes: bool) -> None:
        """Ask before something is deleted or paid for. `what` says what will happen, with its count.

        Raises:
            UsageWrong: there is no terminal to ask, and `--yes` is missing.
            Conflict: the answer is no.
        """
        self.say(f"On {self.stage.described}: {what}")
        if yes:
            return
        if not self.has_terminal:
            raise UsageWrong("Nobody can be asked here, since there is no terminal: repeat the command with --yes.")
        self.words.print("Go on? [y/N] ", end="", markup=False, highlight=False)
        if self.ask("").strip().lower() not in ("y", "yes"):
            raise Conflict("Nothing was done.")


def next_steps(session: Session, steps: Sequence[str]) -> None:
    """Name commands to try next, if a person reads."""
    if session.has_terminal and not session.as_json:
        for step in steps:
            session.words.print(f"  {step}", style="dim", markup=False, highlight=False)
