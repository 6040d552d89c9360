"""Which tests run in one worker, one after the other, when pytest runs several workers (`-n`)."""

from collections.abc import Mapping
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

STACKS: Mapping[str, str] = {"workflow": "stack 1", "e2e": "stack 2"}
"""The folders of deployed tests: each has a stack, which is deployed once and changed by its tests."""
TEMPLATES = ("infra", "docs")
"""The folders whose tests share synthesised templates."""
LONGEST_FIRST = (*STACKS, *TEMPLATES, "sandbox", "conformance", "clients", "unit")


def distribute(items: list[pytest.Item]) -> None:
    """Give every test its group, and put the groups in the order in which workers take them: the longest first.

    A test file is a group, so that its fixtures are made once. Deployed tests are one group for each stack.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: LONGEST_FIRST.index(folder_of(item.path)))


def folder_of(path: Path) -> str:
    """The folder of tests/ that a file is in."""
    return path.relative_to(TESTS).parts[0]


def _group(item: pytest.Item) -> str:
    folder = folder_of(item.path)
    if own := item.get_closest_marker("own_stack"):
        return str(own.args[0])
    if folder in TEMPLATES:
        return "templates"
    return STACKS.get(folder) or str(item.path.relative_to(TESTS))
