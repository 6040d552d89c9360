"""docs/reliability.md, from the last full run of the fault table and the texts of its rows.

The prose is in `reliability.md` beside this module.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from string import Template
from textwrap import fill
from typing import Any

from tests.faults.rooms import ROWS
from tests.faults.row import NONE, Exempt, Row

HERE = Path(__file__).parent
LAST_RUN, PROSE = HERE / "last_run.json", HERE / "reliability.md"
PAGE = HERE.parent.parent / "docs" / "reliability.md"
WIDTH = 100
IN_PROCESS = [row for row in ROWS if not row.deployed]
"""The rows that no test of the deployed stack makes."""
_WORDS = ("lost", "stuck", "paid twice", "leaked", "wrong")


def last_run() -> Mapping[str, Any]:
    """Return the result of the last full run."""
    result: dict[str, Any] = json.loads(LAST_RUN.read_text())
    return result


def made_of(run: Mapping[str, Any]) -> str:
    """Return the page that follows from a full run."""
    return Template(PROSE.read_text()).substitute(
        SUMMARY=_summary(run),
        TABLE="\n".join(_table(run["rows"])),
        ROWS="\n\n".join(_rooms()),
        DEPLOYED="\n".join(_deployed()),
        IN_PROCESS="\n".join(f"* {name_of(row)}" for row in IN_PROCESS),
        EXCEPTIONS="\n".join(_exceptions()),
    )


def keep(run: Mapping[str, Any]) -> None:
    """Keep a full run, and write the page anew."""
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in run["rows"].items())
    others = "\n".join(f" {json.dumps(name)}: {json.dumps(run[name])}," for name in ("seconds", "runs"))
    LAST_RUN.write_text(f'{{\n{others}\n "rows": {{\n{rows}\n }}\n}}\n')
    PAGE.write_text(made_of(run))


def name_of(row: Row) -> str:
    """The name of a row in the result of a run."""
    return f"{row.room}: {row.name}"


def _summary(run: Mapping[str, Any]) -> str:
    minutes = max(round(run["seconds"] / 60), 1)
    return f"The last full run made {run['runs']:,} runs of {len(run['rows'])} faults in {minutes} minutes."


def _table(rows: Mapping[str, Any]) -> Iterator[str]:
    yield "| fault | providers | runs | lost | stuck | paid twice | leaked | wrong |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in ROWS:
        result = rows[name_of(row)]
        counts = " | ".join(map(str, result["counts"]))
        yield f"| {name_of(row)} | {result['providers']} | {result['runs']} | {counts} |"


def _rooms() -> Iterator[str]:
    """The rows of each room in words."""
    for room, rows in groupby(ROWS, lambda row: row.room):
        lines = [_wrapped(f"* **{row.name}**: {row.breaks}.") for row in rows]
        yield "\n".join((f"### {room}", "", *lines))


def _deployed() -> Iterator[str]:
    for row in (row for row in ROWS if row.deployed):
        yield f"* {name_of(row)}"
        yield from (f"  `{test}`" for test in row.deployed)


def _exceptions() -> Iterator[str]:
    """A table of what is excepted, each reason once, with the faults that it is about."""
    yield "| fault | with | at most |"
    yield "|---|---|---|"
    reasons: dict[Exempt, list[Row]] = {}
    for row in ROWS:
        for exempt in row.exempt:
            reasons.setdefault(exempt, []).append(row)
    for exempt, rows in reasons.items():
        yield from (f"| {name_of(row)} | {_with(exempt.providers)} | {_bound(exempt)} |" for row in rows)
    yield ""
    yield "\n".join(_wrapped(f"* {' and '.join(_short(rows))}: {exempt.why}.") for exempt, rows in reasons.items())


def _short(rows: Sequence[Row]) -> Iterator[str]:
    """Name rows; more than two are "the others"."""
    names = [name_of(row) for row in rows]
    yield from names if len(names) < 3 else [f"The {len(names)} faults with {_with(rows[0].exempt[0].providers)}"]


def _with(providers: Sequence[str]) -> str:
    return ", ".join(providers) or "all"


def _bound(exempt: Exempt) -> str:
    bounds = [f"{most} {word}" for most, word in zip(exempt.bound, _WORDS, strict=True) if most]
    assert exempt.bound != NONE
    return ", ".join(bounds)


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
