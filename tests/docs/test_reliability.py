"""The page on reliability is what the fault table's last full run says, and names deployed tests that exist."""

import re
from pathlib import Path

from tests.docs.pages import PROJECT, page
from tests.faults.page import IN_PROCESS, PAGE, last_run, made_of, name_of
from tests.faults.rooms import ROWS

_TEST = re.compile(r"(?P<file>test_\w+\.py)::(?P<name>test_\w+)")


def test_the_page_is_what_the_last_full_run_makes() -> None:
    assert PAGE.read_text() == made_of(last_run()), "run `make faults`: it writes the page"


def test_the_last_full_run_had_every_row() -> None:
    assert list(last_run()["rows"]) == [name_of(row) for row in ROWS], "run `make faults`"


IN_PROCESS_ALONE = [
    "The vendor: credit out for a night",
    "Rows and replies: a row edited",
    "Executions and clocks: an hour off: our clocks",
    "Executions and clocks: an hour off: the vendor's clock",
]
"""The clocks of the local cloud are those of the machine; the waits for credit and for credentials are one."""


def test_every_other_row_is_made_on_the_deployed_stack() -> None:
    assert [name_of(row) for row in IN_PROCESS] == IN_PROCESS_ALONE


def test_each_named_test_exists() -> None:
    named = [found for code in page("docs/reliability.md").code_spans if (found := _TEST.fullmatch(code))]
    deployed = {file.name: file.read_text() for folder in ("workflow", "e2e") for file in folder_of(folder)}
    missing = [each[0] for each in named if f"def {each['name']}(" not in deployed.get(each["file"], "")]
    assert missing == []
    assert len(named) > 10


def folder_of(name: str) -> list[Path]:
    return sorted((PROJECT / "tests" / name).glob("test_*.py"))
