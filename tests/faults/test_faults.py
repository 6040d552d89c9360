"""The short form of the fault table: each row once, with one provider after the other. In full: `make faults`."""

import logging
from itertools import cycle

import pytest

from recording_insights.providers.registry import PROVIDERS
from tests.faults.bench import Bench
from tests.faults.rooms import ROWS
from tests.faults.row import Row
from tests.faults.table import run_cell
from tests.ways_of_waiting import representatives

LONG = "away for four days"
_NAMES = [name for name in PROVIDERS if name in representatives() and name != "transcribe"]
"""One provider for each way of waiting. Amazon Transcribe takes five times the time of the others."""


def cases() -> list[tuple[Row, str]]:
    """Each row with the next provider that it has runs with."""
    turn = cycle(_NAMES)
    return [(row, next(name for name in turn if row.fits(name))) for row in ROWS if row.name != LONG]


@pytest.mark.parametrize(("row", "provider"), cases(), ids=lambda value: getattr(value, "name", value))
def test_nothing_is_lost_stuck_paid_twice_leaked_or_wrong(
    bench: Bench, caplog: pytest.LogCaptureFixture, row: Row, provider: str
) -> None:
    caplog.set_level(logging.CRITICAL)
    cell = run_cell(bench, row, provider, most_runs=1)

    assert cell.runs == 1
    assert not cell.findings, cell.findings
