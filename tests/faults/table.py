"""The fault table: its cells, each a row with one provider, and how they are run."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import NamedTuple

from recording_insights.providers.registry import PROVIDERS
from tests.faults.audit import Counts, Found, audit, counted
from tests.faults.bench import Bench
from tests.faults.rooms import ROWS
from tests.faults.row import NONE, Row, Run
from tests.ways_of_waiting import representatives


class Finding(NamedTuple):
    """What one run left behind that it must not: the command that repeats the run is `make faults ONLY=<row>`."""

    run: str
    what: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A row with a provider: `runs` that were made, the sum of what they left behind, and what was beyond bounds."""

    row: Row
    provider: str
    runs: int
    counts: Counts
    findings: Sequence[Finding] = ()


def cells(*, only: str = "", short: bool = False) -> list[tuple[Row, str]]:
    """Return the cells of the rows whose name has `only` in it; in the short form, one provider per way of waiting."""
    chosen = representatives() if short else frozenset(PROVIDERS)
    rows = [row for row in ROWS if only.lower() in f"{row.room}: {row.name}".lower()]
    fitting = [(row, [name for name in PROVIDERS if name in chosen and row.fits(name)]) for row in rows]
    return [(row, name) for row, names in fitting for name in names[: 1 if short and row.slow else None]]


def run_cell(bench: Bench, row: Row, provider: str, *, most_runs: int | None = None) -> Cell:
    """Make the runs of a cell; with `most_runs`, so many of them, evenly spread."""
    runs = row.runs(bench, provider)
    if most_runs and len(runs) > most_runs:
        runs = [runs[place * len(runs) // most_runs] for place in range(most_runs)]
    total, findings = NONE, list[Finding]()
    for run in runs:
        found = run_once(bench, row, provider, run)
        counts = counted(found)
        total = total.plus(counts)
        if not counts.within(row.bound(provider)):
            label = f"{row.room}: {row.name}, {provider}, {run.label}".rstrip(", ")
            findings.append(Finding(label, tuple(f"{each.kind}: {each.what}" for each in found)))
    return Cell(row, provider, len(runs), total, findings)


def run_once(bench: Bench, row: Row, provider: str, run: Run) -> list[Found]:
    """Make one run, and return what it left behind. A run that does not come to rest is stuck."""
    with redirect_stdout(io.StringIO()), bench.world(provider) as world:  # handlers log there
        try:
            run.play(world)
            world.settle()
        except Exception as error:  # noqa: BLE001 - the table says so
            return [Found("stuck", f"{type(error).__name__}: {error}"[:600])]
        return audit(world)


def run_all(
    bench: Bench, chosen: Sequence[tuple[Row, str]], *, most_runs: int | None, say: Callable[[str], None]
) -> Iterator[Cell]:
    """Run the cells one after the other; `say` gets a line for each, and what was found."""
    for number, (row, provider) in enumerate(chosen, start=1):
        cell = run_cell(bench, row, provider, most_runs=most_runs)
        say(f"{number}/{len(chosen)} {row.room}: {row.name}, {provider}: {cell.runs} runs, {tuple(cell.counts)}")
        for finding in cell.findings:
            say("\n    ".join((finding.run, *finding.what)))
        yield cell
