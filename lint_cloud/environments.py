"""Runs the tools of .local/lint_cloud, which `make lint-cloud` installs."""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / ".local" / "lint_cloud"
NODE = Path(sys.executable).parent / "node"


class ToolFailed(Exception):
    """A tool did not do its work. The text says which, and what it wrote."""


def run(command: list[str | Path], *, accepted: Collection[int] = (0,), given: str = "") -> str:
    """Return the standard output of a command; `given` is its standard input.

    Raises:
        ToolFailed: it is not installed, or its exit code is not one of the accepted.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, "NODE_PATH": str(FOLDER / "node_modules")}
    try:
        done = subprocess.run(words, input=given, env=environment, cwd=FOLDER, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError as error:
        raise ToolFailed(f"{error.filename} is not installed: run `make lint-cloud`.") from error
    if done.returncode not in accepted:
        raise ToolFailed(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr or done.stdout}")
    return done.stdout


def run_script(name: str, given: Any) -> Any:
    """Return the JSON that a script of this folder makes of a JSON value.

    Raises:
        ToolFailed: the script failed.
    """
    return json.loads(run([NODE, Path(__file__).parent / name], given=json.dumps(given)))
