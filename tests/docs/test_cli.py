"""The page of the command line: its tables are those of the program."""

import re

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
