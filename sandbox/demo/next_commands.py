"""The commands that the demo prints at its end, in the form that works in the user's shell."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from cli.program import program
from cli.stage import API_VARIABLE, LOCAL, LOCAL_VARIABLE, STAGE_VARIABLE
from sandbox.cloud.location import PROJECT, Location

COMMANDS = ("show {recording_id}", "insights export {recording_id} --format srt", "list")
ENDS = (
    "",
    "The local stack ends now. `make up` keeps one running:",
    "`make demo` then ends with commands that look further.",
)


def next_commands(environment: Mapping[str, str], folder: Path, location: Location, *, stays_up: bool) -> list[str]:
    """Return the lines, with `{recording_id}` in place of the id. A stack that ends has nothing to look into."""
    if not stays_up:
        return [*ENDS]
    words = [program(environment, folder)]
    if location.stack_file != PROJECT / ".local" / "stack.json" or not folder.is_relative_to(PROJECT):
        words.insert(0, f"{LOCAL_VARIABLE}={shlex.quote(os.path.relpath(location.stack_file, folder))}")
    # What else the shell has set would win over the stack that runs.
    is_named = any(environment.get(name) for name in (STAGE_VARIABLE, API_VARIABLE, "AWS_PROFILE"))
    stage = f" --stage {LOCAL}" if is_named else ""
    return ["", "Look further:", *(f"  {' '.join(words)} {command}{stage}" for command in COMMANDS)]
