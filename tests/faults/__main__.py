"""The fault table in full: `make faults`.

Runs every row with every provider, prints the table, and what was found. Ends with 1 if anything was lost, stuck, paid
for twice, leaked or wrong that is not among the exceptions. A full run writes docs/reliability.md anew.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest_socket

from tests.faults.audit import Counts
from tests.faults.bench import Bench
from tests.faults.page import keep
from tests.faults.row import NONE
from tests.faults.table import Cell, cells, run_all

SHORT_RUNS = 1
"""Of each cell, in the short form."""


def main(arguments: list[str]) -> int:
    """Run, print the table, and return the exit code."""
    given = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    pytest_socket.disable_socket(allow_unix_socket=True)
    begun, bench = time.monotonic(), Bench()

    def say(line: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        chosen = cells(only=given.only, short=given.short)
        done = list(run_all(bench, chosen, most_runs=SHORT_RUNS if given.short else None, say=say))
    finally:
        bench.close()
    result = result_of(done, time.monotonic() - begun)
    if not given.short and not given.only and not result["findings"]:
        keep({name: value for name, value in result.items() if name != "findings"})
    print(json.dumps(result) if given.json else as_text(result))
    return 1 if result["findings"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="some runs, with one provider per way of waiting")
    parser.add_argument("--only", default="", help="part of the name of the rows to run")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def result_of(done: Sequence[Cell], seconds: float) -> dict[str, Any]:
    """The result as JSON has it: the sums of each row over its providers, and every finding."""
    rows: dict[str, dict[str, Any]] = {}
    for cell in done:
        row = rows.setdefault(f"{cell.row.room}: {cell.row.name}", {"providers": 0, "runs": 0, "counts": [*NONE]})
        row["providers"] += 1
        row["runs"] += cell.runs
        row["counts"] = [*Counts(*row["counts"]).plus(cell.counts)]
    findings = [{"run": finding.run, "what": finding.what} for cell in done for finding in cell.findings]
    runs = sum(row["runs"] for row in rows.values())
    return {"seconds": round(seconds), "runs": runs, "rows": rows, "findings": findings}


def as_text(result: dict[str, Any]) -> str:
    """The table as text."""
    head = f"{'row':<58}{'runs':>6}{'lost':>6}{'stuck':>7}{'paid twice':>12}{'leaked':>8}{'wrong':>7}"
    lines = [
        f"{name:<58}{row['runs']:>6}"
        + "".join(f"{n:>{w}}" for n, w in zip(row["counts"], (6, 7, 12, 8, 7), strict=True))
        for name, row in result["rows"].items()
    ]
    runs, count = result["runs"], len(result["findings"])
    return "\n".join((head, *lines, f"{runs} runs in {result['seconds']} s, {count} beyond the exceptions"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
