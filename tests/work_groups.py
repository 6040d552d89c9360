"""Which tests run in one worker, one after the other, when pytest runs several workers (`-n`)."""

from collections.abc import Mapping

import pytest
from xdist.scheduler import LoadScopeScheduling

STACKS: Mapping[str, str] = {"workflow": "stack 1", "e2e": "stack 2"}
"""The folders of deployed tests: each has a stack, which is deployed once and changed by its tests."""
OWN_STACKS = ("test_local_cloud.py", "test_jwt.py", "test_upgrade.py")
"""Files of e2e/ whose tests bring up stacks of their own."""
TEMPLATES = ("infra", "docs")
"""The folders whose tests share synthesised templates."""
LONGEST_FIRST = (*STACKS, *TEMPLATES, "sandbox", "fuzz", "conformance", "faults", "clients", "unit")


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker a whole group. A test file is a group, so that its fixtures are made once.

    Deployed tests are one group for each stack, tests of templates are one group.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The group of a test."""
    file = nodeid.partition("::")[0]
    folder, name = folder_of(nodeid), file.rpartition("/")[2]
    if name in OWN_STACKS:
        return "stack 3"
    return "templates" if folder in TEMPLATES else STACKS.get(folder, file)


def folder_of(nodeid: str) -> str:
    """The folder of tests/ that a test is in."""
    return nodeid.split("/")[1]


def order(items: list[pytest.Item]) -> None:
    """Put the groups in the order in which workers take them: the longest first."""
    items.sort(key=lambda item: LONGEST_FIRST.index(folder_of(item.nodeid)))
