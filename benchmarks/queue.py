"""Compares a provider's queue with the ideal one: `make bench BENCH=queue`.

Media objects arrive within a minute, and wait for the slots of a provider. The turns and their store are the product's
own, over a table in memory, and so are the moments of the polls. The clock is virtual: the figures are the same on any
machine. The ideal queue hands a slot on in the moment in which a job ends, which no product notices before it looks.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.charts import chart
from recording_insights.model.moments import utc_text
from recording_insights.processing.turns import Turn, Turns
from recording_insights.providers.pacing import Estimate, next_wait
from recording_insights.store.turns import TurnStore
from tests.unit.fake_table import FakeTable

PROVIDER = "symbl"
ARRIVE_WITHIN = 60.0
LEASE_SECONDS = 5 * 3600
PARKED = (3, 1)
"""State transitions ("Await turn", "Submit recording" and its choice) and calls of functions that a turn costs."""
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """So many media objects, slots, and jobs of about `seconds`; `spread` is how well their end is known.

    Without a spread the provider calls back. So many of the executions crash while they hold a slot.
    """

    name: str
    media: int
    slots: int
    seconds: float
    spread: float | None = 1.2
    crashes: int = 0


CASES = (
    Case("500 into 50, jobs of 2 min, polled", 500, 50, 120),
    Case("500 into 50, jobs of 2 min, called back", 500, 50, 120, None),
    Case("500 into 50, jobs of 10 min, polled", 500, 50, 600),
    Case("500 into 50, ten crash with a slot", 500, 50, 120, crashes=10),
    Case("2,000 into 5, jobs of 10 min, polled", 2000, 5, 600),
)


@dataclass
class Result:
    """What came of a case. Times are virtual seconds. `ends` are the moments at which the jobs' ends were noticed.

    `displaced` is by how many places the media object that is furthest from its place by arrival was submitted.
    `transitions` and `calls` are the most that waiting added to one media object.
    """

    case: str
    done: int = 0
    most_at_once: int = 0
    makespan: float = 0.0
    ideal: float = 0.0
    displaced: int = 0
    transitions: int = 0
    calls: int = 0
    ends: list[float] = field(default_factory=list, repr=False)

    @property
    def ratio(self) -> float:
        """The makespan, divided by the ideal one."""
        return self.makespan / self.ideal


@dataclass
class Queue:
    """The media objects of a case, and what happens to them in virtual time."""

    case: Case
    now: float = 0.0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    happened: int = 0

    def __post_init__(self) -> None:
        self.table = FakeTable()
        table: Any = self.table
        store = TurnStore(table, lambda: START + timedelta(seconds=self.now))
        self.turns = Turns(store, {PROVIDER: self.case.slots}, LEASE_SECONDS, self._wake)
        self.chance = random.Random(8)  # noqa: S311  the same jobs in each run
        self.result = Result(self.case.name)
        self.rows: dict[str, Any] = {}
        self.waits: dict[str, int] = {}
        self.order: list[int] = []
        self.at_vendor = 0
        self.lengths: list[float] = []
        self.arrivals: list[float] = []

    def run(self) -> Result:
        """Let everything happen."""
        arrivals = sorted(self.chance.uniform(0, ARRIVE_WITHIN) for _ in range(self.case.media))
        for number, moment in enumerate(arrivals):
            spread = self.case.spread or 1.2
            self.lengths.append(self.case.seconds * spread ** self.chance.uniform(-1, 1))
            self._at(moment, lambda number=number: self._arrive(number))  # type: ignore[misc]
        self.arrivals = arrivals
        progress = Progress(*Progress.get_default_columns(), console=Console(stderr=True), transient=True)
        with progress:
            task = progress.add_task(self.case.name, total=self.case.media)
            while self._next():
                progress.update(task, completed=self.result.done)
        self.result.displaced = max(abs(place - number) for place, number in enumerate(self.order))
        self.result.ideal = _ideal(self.arrivals, self.lengths, self.case.slots)
        return self.result

    def _at(self, moment: float, happens: Callable[[], None]) -> None:
        self.happened += 1
        heappush(self.events, (moment, self.happened, happens))

    def _next(self) -> bool:
        if not self.events:
            return False
        self.now, _, happens = heappop(self.events)
        happens()
        return True

    def _arrive(self, number: int) -> None:
        row: dict[str, Any] = {
            "recording_id": f"{number:032x}",
            "media_id": f"{number:020x}",
            "key": f"{number}.mp4",
            "provider": PROVIDER,
            "waiting_since": utc_text(self.turns.store.now()),
            "number": number,
        }
        self.rows[row["key"]] = row
        self._ask(row)

    def _ask(self, row: Any) -> None:
        """What "Submit recording" does, and "Await turn" after it."""
        turn = self.turns.take(row)
        if turn.goes:
            self._submit(row, turn)
            return
        row["queue_place"] = turn.place
        self.waits[row["key"]] = self.waits.get(row["key"], 0) + 1
        queued: Any = self.table.items.get((f"PROVIDER#{PROVIDER}", turn.place))
        if queued is None or "called_at" in queued:
            self._at(self.now, lambda: self._ask(row))
        else:
            queued["task_token"] = {"S": row["key"]}

    def _wake(self, token: str) -> None:
        self._at(self.now, lambda: self._ask(self.rows[token]))

    def _submit(self, row: Any, turn: Turn) -> None:
        self.turns.succeed(row, turn)
        row.pop("queue_place", None)
        row["slot"] = turn.slot
        self.order.append(row["number"])
        self.at_vendor += 1
        self.result.most_at_once = max(self.result.most_at_once, self.at_vendor)
        length = self.lengths[row["number"]]
        self._at(self.now + length, self._job_ends)
        if row["number"] >= self.case.crashes:
            self._at(self.now + _noticed(length, self.case, self.chance), lambda: self._notice(row))
        else:
            self._at(self.now + LEASE_SECONDS, lambda: self._sweep(row))

    def _job_ends(self) -> None:
        self.at_vendor -= 1

    def _notice(self, row: Any) -> None:
        """What "Poll job" does at the end of the job."""
        self.turns.give_back(row)
        self._end(row)

    def _sweep(self, row: Any) -> None:
        """The slot of one whose execution is gone comes back by its expiry; a sweep hands it on."""
        self.turns.dispatch(PROVIDER)
        self._end(row)

    def _end(self, row: Any) -> None:
        self.result.done += 1
        waits = self.waits.get(row["key"], 0)
        self.result.transitions = max(self.result.transitions, waits * PARKED[0])
        self.result.calls = max(self.result.calls, waits * PARKED[1])
        if row["number"] >= self.case.crashes:
            self.result.makespan = self.now
            self.result.ends.append(self.now)


def _noticed(length: float, case: Case, chance: random.Random) -> float:
    """Return when the end of a job is noticed: at once if the provider calls back, else by the first poll after it."""
    if case.spread is None:
        return length
    estimate, elapsed = Estimate(case.seconds, case.spread), 0.0
    while elapsed < length:
        elapsed += next_wait(estimate, elapsed_seconds=elapsed, place=chance.random())
    return elapsed


def _ideal(arrivals: list[float], lengths: list[float], slots: int) -> float:
    """Return when the last job ends if each begins in the order of arrival, as soon as a slot is free."""
    free = [0.0] * slots
    heapify(free)
    last = 0.0
    for arrives, length in zip(arrivals, lengths, strict=True):
        ends = max(free[0], arrives) + length
        heapreplace(free, ends)
        last = max(last, ends)
    return last


def results() -> Iterator[Result]:
    """Yield the result of each case."""
    for case in CASES:
        yield Queue(case).run()


def makespans(found: Sequence[Result]) -> str:
    """Return a chart of how many are done when, each case in terms of its ideal makespan."""
    series: dict[str, list[tuple[float, float]]] = {"the ideal makespan": [(1, 0), (1, 100)]}
    for result in found:
        every = max(len(result.ends) // 50, 1)
        done = [*enumerate(result.ends, start=1)]
        shown = [(0, 0.0), *done[::every], done[-1]]
        series[result.case] = [(moment / result.ideal, 100 * number / len(done)) for number, moment in shown]
    return chart("Queues: how many are done", "time, in ideal makespans", "per cent", series)


def _as_json(result: Result) -> dict[str, Any]:
    values = {**asdict(result), "ratio": round(result.ratio, 3)}
    del values["ends"]
    return values


def main() -> None:
    """Print the results as a table, or as JSON."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=queue", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="write a chart into this folder")
    parser.add_argument("--ffmpeg", help=argparse.SUPPRESS)
    options = parser.parse_args()
    found = list(results())
    if options.plot:
        (options.plot / "queue.svg").write_text(makespans(found))
    if options.json:
        print(json.dumps([_as_json(result) for result in found], indent=2))
        return
    table = Table("case", "done", "at once", "makespan", "to the ideal", "displaced", "transitions", "calls")
    for result in found:
        minutes = f"{result.makespan / 60:.0f} min"
        figures = (result.done, result.most_at_once, minutes, f"{result.ratio:.2f}", result.displaced)
        table.add_row(result.case, *map(str, (*figures, result.transitions, result.calls)))
    Console().print(table)


if __name__ == "__main__":
    main()
