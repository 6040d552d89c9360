"""The page on reliability names tests of the deployed stack that exist."""

import re
from pathlib import Path

from tests.docs.pages import PROJECT, page

_TEST = re.compile(r"(?P<file>test_\w+\.py)::(?P<name>test_\w+)")


def test_each_named_test_exists() -> None:
    named = [found for code in page("docs/reliability.md").code_spans if (found := _TEST.fullmatch(code))]
    deployed = {file.name: file.read_text() for folder in ("workflow", "e2e") for file in folder_of(folder)}
    missing = [each[0] for each in named if f"def {each['name']}(" not in deployed.get(each["file"], "")]
    assert missing == []
    assert len(named) > 10


def folder_of(name: str) -> list[Path]:
    return sorted((PROJECT / "tests" / name).glob("test_*.py"))
