"""The command `recordings`, run as a user runs it: the installed script, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT

SCRIPT = Path(sys.executable).parent / "recordings"
SECONDS = 240


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    code: int
    out: str
    words: str

    @property
    def data(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


def command_of(
    stack: LocalStack | None, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[list[str], dict[str, str]]:
    """Return the command line of a run against a local stack, if one is given, and its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RECORDINGS_"))}
    # The script is installed for the project's own folder; a copy of the project has another.
    variables = {**kept, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'functions'}", "NO_COLOR": "1", "COLUMNS": "120"}
    if stack is not None:
        file = folder / "stack.json"
        stack.save(file)
        variables["RECORDINGS_LOCAL_STACK"] = str(file)
    return [str(SCRIPT), *arguments], {**variables, **(environment or {})}


def run_recordings(
    stack: LocalStack | None,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Ran:
    """Run the command in an empty folder, against a local stack if one is given, and wait for its end."""
    command, variables = command_of(stack, folder, *arguments, environment=environment)
    done = subprocess.run(  # noqa: S603 - the project's own command
        command,
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
