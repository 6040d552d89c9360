"""Every page is readable as text: short lines, and links that lead somewhere."""

import re

import pytest

from tests.docs.pages import PROJECT, Page, all_pages, page

LONGEST_README = 160
LONGEST_LINE = 100
LONGEST_TABLE_ROW = 160
A_LINK_ALONE = re.compile(r" *(?:[*-] |\d+\. )?\[[^\[\]]+\]\([^()]+\)\.?")
"""Whose length is that of its target."""
LANGUAGES = ("", "sh", "json", "toml", "python", "js", "mermaid", "text", "markdown", "yaml")

every_page = pytest.mark.parametrize("read", all_pages(), ids=lambda read: read.name)


def test_the_readme_is_one_page() -> None:
    assert len(page("README.md").lines) <= LONGEST_README


@every_page
def test_lines_are_short(read: Page) -> None:
    long = []
    for number, line in read.prose:
        limit = LONGEST_TABLE_ROW if line.startswith("|") else LONGEST_LINE
        if len(line) > limit and not A_LINK_ALONE.fullmatch(line):
            long.append(f"{read.name}:{number}: {len(line)} characters, at most {limit}")
    assert long == []


@every_page
def test_links_lead_to_a_file_and_a_heading(read: Page) -> None:
    broken = []
    for target in read.links:
        name, _, anchor = target.partition("#")
        file = (read.path.parent / name).resolve() if name else read.path
        is_inside = file.is_relative_to(PROJECT) and file.exists()
        if not is_inside or (anchor and anchor not in Page(file).anchors):
            broken.append(target)
    assert broken == []


@every_page
def test_fenced_blocks_are_of_a_kind_that_is_checked(read: Page) -> None:
    assert [fence for fence in read.fences if fence.language not in LANGUAGES] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, open_pages = set(), [page("README.md")]
    while open_pages:
        read = open_pages.pop()
        if read.path in reached:
            continue
        reached.add(read.path)
        targets = [(read.path.parent / target.partition("#")[0]).resolve() for target in read.links]
        open_pages += [Page(target) for target in targets if target.suffix == ".md" and target.exists()]
    assert [read.name for read in all_pages() if read.path not in reached] == []


def test_code_cites_pages_that_exist() -> None:
    """Docstrings and comments lead to pages, and may name a heading after `#`."""
    cited = {
        (path.relative_to(PROJECT), page)
        for folder in (
            "functions",
            "infra",
            "operations",
            "sandbox",
            "tests",
            "benchmarks",
            "dependencies",
            "lint_cloud",
            "mutants",
        )
        for path in (PROJECT / folder).rglob("*.py")
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text())
    }
    assert cited
    assert not [(str(path), page) for path, page in cited if not (PROJECT / page).is_file()]
