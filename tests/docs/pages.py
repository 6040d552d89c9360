"""README, changelog, CONTRIBUTING and docs/ as data: fenced blocks, tables, links and anchors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent

_FENCE = re.compile(r" *```(?P<info>.*)")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Fence:
    """A fenced block: its info string, the line of its first line, and its text without the list's indentation."""

    info: tuple[str, ...]
    line: int
    text: str

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""


@dataclass(frozen=True)
class Page:
    """One Markdown file of the project."""

    path: Path

    @property
    def name(self) -> str:
        """The path within the project."""
        return str(self.path.relative_to(PROJECT))

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    @cached_property
    def fences(self) -> list[Fence]:
        return [fence for fence, _ in self._parts() if fence]

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """Every line outside of fenced blocks, with its number."""
        return [line for fence, line in self._parts() if not fence]

    @property
    def anchors(self) -> set[str]:
        """The anchors that GitHub gives to the headings."""
        headings = [line.lstrip("#").strip() for _, line in self.prose if re.match(r"#{1,6} ", line)]
        return {anchor_of(heading) for heading in headings}

    @property
    def links(self) -> list[str]:
        """The targets of all links to this project."""
        text = "\n".join(line for _, line in self.prose)
        targets = [match["target"] for match in _LINK.finditer(text)]
        return [target for target in targets if not re.match(r"[a-z]+:", target)]

    @property
    def code_spans(self) -> list[str]:
        """What is written as `code` in prose and tables; a span may be broken over two lines."""
        return [re.sub(r"\s+", " ", span) for span in _CODE.findall("\n".join(line for _, line in self.prose))]

    def table(self, heading: str, *, number: int = 0) -> list[list[str]]:
        """The cells of a table below a heading, without its head; `number` counts the section's tables from 0."""
        tables: list[list[list[str]]] = []
        before = ""
        for line in self.section(heading):
            if line.startswith("|"):
                if not before.startswith("|"):
                    tables.append([])
                tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
            before = line
        return tables[number][2:]

    def section(self, heading: str) -> list[str]:
        """The prose below a heading such as "## Settings", up to the next heading of its level or above."""
        level = len(heading) - len(heading.lstrip("#"))
        lines = iter(line for _, line in self.prose)
        assert any(line == heading for line in lines), f"{self.name} has no {heading!r}"
        found = []
        for line in lines:
            if re.match(rf"#{{1,{level}}} ", line):
                break
            found.append(line)
        return found

    def _parts(self) -> Iterator[tuple[Fence | None, tuple[int, str]]]:
        opened: tuple[tuple[str, ...], int, int] | None = None
        body: list[str] = []
        for number, line in enumerate(self.lines, start=1):
            match = _FENCE.fullmatch(line)
            if opened and match:
                info, first, indent = opened
                yield Fence(info, first, "\n".join(text[indent:] for text in body)), (0, "")
                opened, body = None, []
            elif match:
                opened = (tuple(match["info"].split()), number + 1, len(line) - len(line.lstrip()))
            elif opened:
                body.append(line)
            else:
                yield None, (number, line)
        assert opened is None, f"{self.name} has a fenced block without an end"


def page(name: str) -> Page:
    """The page with this path within the project."""
    return Page(PROJECT / name)


def all_pages() -> list[Page]:
    """README, changelog, CONTRIBUTING and everything in docs/."""
    top = [page(name) for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [*top, *(Page(path) for path in sorted((PROJECT / "docs").rglob("*.md")))]


def anchor_of(heading: str) -> str:
    """The anchor that GitHub gives to a heading: links by their text, no punctuation, hyphens for blanks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return _NOT_IN_ANCHORS.sub("", text).replace(" ", "-")


def codes_in(text: str) -> list[str]:
    """The `code` spans of one cell or line."""
    return _CODE.findall(text)
