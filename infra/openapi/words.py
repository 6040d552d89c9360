"""What the tables of the documentation say, by the names in their first column."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parent.parent.parent / "docs"

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"`([^`]+)`")


@cache
def words(page: str, heading: str, *, column: int = -1) -> Mapping[str, str]:
    """Return the last cell of each row below a heading, such as `### RecordingRow`, by each name of its first cell.

    `page` is the name of a file in docs/, `column` another cell than the last. Links are reduced to their texts. The
    remark that an attribute is internal is left out.

    Raises:
        LookupError: the page has no such heading.
    """
    found: dict[str, str] = {}
    for cells in _rows(page, heading):
        text = _LINK.sub(r"\1", cells[column]).removesuffix("; internal")
        found |= {name: text[:1].upper() + text[1:] for name in _CODE.findall(cells[0])}
    return found


def _rows(page: str, heading: str) -> list[list[str]]:
    lines = (DOCS / page).read_text().splitlines()
    if heading not in lines:
        raise LookupError(f"docs/{page} has no heading {heading}")
    level = heading.partition(" ")[0]
    rows = []
    for line in lines[lines.index(heading) + 1 :]:
        if re.match(rf"#{{1,{len(level)}}} ", line):
            break
        if line.startswith("| "):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))])
    return rows
