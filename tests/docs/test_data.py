"""docs/data.md has one table for each kind of row, with exactly the attributes of its type."""

from inspect import getmembers
from typing import Any, is_typeddict

import pytest

from recording_insights.store import rows
from tests.docs.pages import codes_in, page

ROWS: dict[str, Any] = {name: row for name, row in getmembers(rows, is_typeddict) if row.__module__ == rows.__name__}
KINDS = sorted(name for name in ROWS if name.endswith("Row") and not name.startswith("_"))
"""The types of maps within a row do not end in "Row"."""


def test_there_are_rows() -> None:
    assert KINDS


@pytest.mark.parametrize("name", KINDS)
def test_the_table_of_a_row_has_its_attributes(name: str) -> None:
    written = [attribute for row in page("docs/data.md").table(f"### {name}") for attribute in codes_in(row[0])]
    assert len(set(written)) == len(written)
    assert sorted(written) == sorted(ROWS[name].__required_keys__ | ROWS[name].__optional_keys__)


def test_every_kind_of_row_is_listed() -> None:
    listed = {row[2].partition("]")[0].lstrip("[") for row in page("docs/data.md").table("# Data in the table")}
    assert sorted(listed) == KINDS
