"""The page of the command line: its tables are those of the program."""

import re
from typing import Any

from typer.main import get_command

from cli.app import app
from cli.errors import EXIT_CODES
from cli.stage import API_VARIABLE, LOCAL_VARIABLE, STAGE_VARIABLE, TOKEN_COMMAND_VARIABLE, TOKEN_VARIABLE
from tests.docs.pages import page

TEXT = "\n".join(page("docs/cli.md").lines)


def rows(header: str) -> list[list[str]]:
    """The cells of the table whose first title this is."""
    table = TEXT.partition(f"| {header} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table]


def test_the_exit_codes_are_those_of_the_program() -> None:
    assert {int(code): meaning for code, meaning in rows("exit code")} == EXIT_CODES


def test_the_variables_are_those_of_the_program() -> None:
    named = {STAGE_VARIABLE, API_VARIABLE, LOCAL_VARIABLE, TOKEN_VARIABLE, TOKEN_COMMAND_VARIABLE}
    assert {cells[0].strip("`") for cells in rows("variable")} == named | {"AWS_PROFILE", "AWS_REGION"}


def test_the_commands_are_those_of_the_program() -> None:
    named = {re.match(r"`recordings ([a-z ]+?)( [A-Z…]+)?`", cells[0])[1] for cells in rows("command")}  # type: ignore[index]
    program: Any = get_command(app)
    groups = {name for name in program.commands if hasattr(program.commands[name], "commands")}
    assert {name.split()[0] for name in named} == program.commands.keys()
    for group in groups:
        text = next(cells for cells in rows("command") if cells[0].startswith(f"`recordings {group}"))
        rest = {name for name in program.commands[group].commands if name != "list"}
        assert all(name in TEXT for name in rest), text
