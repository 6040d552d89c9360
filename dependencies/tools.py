"""Runs the tools of .local/dependencies, which `make audit` and `make sbom` install, and npm."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dependencies.locks import PROJECT

TOOLS = PROJECT / ".local" / "dependencies" / "bin"
NPM = Path(sys.executable).parent / "npm"


@dataclass(frozen=True)
class Ended:
    """What a command has written."""

    stdout: str
    stderr: str
    code: int


Run = Callable[[Sequence[str]], Ended]


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path = PROJECT) -> Ended:
    """Run a command in a folder, with the environment of this process unless another is given."""
    done = subprocess.run(  # noqa: S603 - the commands are this package's own
        list(command), cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return Ended(done.stdout, done.stderr, done.returncode)
