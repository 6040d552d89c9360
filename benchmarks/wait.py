"""Compares the polls of a job with the best possible schedule and with fixed loops: `make bench BENCH=wait`.

A case is a job and how well its end is known. The job ends anywhere within the spread of its estimate, with the same
chance per logarithm of time. A schedule costs polls, and notices the end late. The product's own `next_wait` makes the
schedule. The best one with as many polls is found by dynamic programming over 600 moments.

No clock is read: the figures are the same on every machine.
"""

import argparse
import json
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import exp, log, sqrt
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.charts import chart
from recording_insights.providers.pacing import Estimate, next_wait

CASES: dict[str, Estimate] = {
    "10 min, wrong by up to 2": Estimate(600, 2.0),
    "10 min, learned": Estimate(600, 1.2),
    "1 h, wrong by up to 2": Estimate(3600, 2.0),
    "1 h, learned": Estimate(3600, 1.2),
    "6 h, wrong by up to 2": Estimate(21_600, 2.0),
}
LOOPS = (300, 60, 30, 10)
"""Seconds between the polls of a fixed loop."""
JOBS = 4000
GRID = 600
AROUND = 4
"""Transitions of an execution without its polls: the first choice, Submit, its choice, and Save."""
PER_POLL = 3

Schedule = Callable[[float, float], float]
"""The seconds until the next poll, from the time since the job began and a number from 0 to 1 that differs by job."""


@dataclass(frozen=True)
class Figures:
    """Mean polls, mean and 95th percentile of the delay in seconds, and mean state transitions."""

    polls: float
    delay: float
    late: float

    @property
    def transitions(self) -> float:
        return AROUND + PER_POLL * self.polls


@dataclass(frozen=True)
class Result:
    """One case: the product's schedule, the best one with as many polls, and fixed loops by their seconds."""

    case: str
    ours: Figures
    best: Figures
    loops: dict[int, Figures]

    @property
    def ratio(self) -> float:
        """Our mean delay, divided by that of the best schedule with as many polls."""
        return self.ours.delay / self.best.delay


def measure(case: str, estimate: Estimate) -> Result:
    """Compare the schedules for one case."""
    ours = _figures(estimate, lambda elapsed, place: next_wait(estimate, elapsed_seconds=elapsed, place=place))
    loops = {seconds: _figures(estimate, lambda _, __, seconds=seconds: seconds) for seconds in LOOPS}  # type: ignore[misc]
    return Result(case, ours, best_with(ours.polls, estimate), loops)


def frontier(case: str, estimate: Estimate) -> str:
    """Return a chart of polls and mean delay: the product's schedule, the fixed loops, and the best there can be.

    The best schedules are those whose polls are worth from an eighth of the job down to a quarter of a second.
    """
    worths, worth = list[float](), estimate.seconds / 8
    while worth >= 0.25:
        worths.append(worth)
        worth /= 2
    best = [_of_moments(estimate, _best_moments(estimate, worth)) for worth in worths]
    found = measure(case, estimate)
    shown = {"best possible": best, "the product": [found.ours]}
    shown |= {f"every {seconds} s": [figures] for seconds, figures in found.loops.items()}
    series = {name: [(each.polls, each.delay) for each in figures] for name, figures in shown.items()}
    return chart(f"Polls of a job: {case}", "polls", "mean delay in seconds", series, is_log=True)


def _ends(estimate: Estimate) -> Iterator[tuple[float, float]]:
    """A place, and the moment at which a job ends."""
    draw = random.Random(0)  # noqa: S311 - the same jobs in each run
    for number in range(JOBS):
        yield draw.random(), estimate.seconds * estimate.spread ** (2 * (number + 0.5) / JOBS - 1)


def _figures(estimate: Estimate, schedule: Schedule) -> Figures:
    polls, delays = 0, []
    for place, end in _ends(estimate):
        elapsed = 0.0
        while elapsed < end:
            elapsed += schedule(elapsed, place)
            polls += 1
        delays.append(elapsed - end)
    return _summary(polls, delays)


def _summary(polls: int, delays: list[float]) -> Figures:
    return Figures(polls / len(delays), sum(delays) / len(delays), sorted(delays)[int(0.95 * len(delays))])


def best_with(polls: float, estimate: Estimate) -> Figures:
    """Return the figures of the schedule with the smallest mean delay among those with as many polls."""
    least, most = 0.05, estimate.seconds
    for _ in range(14):
        worth = sqrt(least * most)
        moments = _best_moments(estimate, worth)
        found = _of_moments(estimate, moments)
        least, most = (worth, most) if found.polls > polls else (least, worth)
    return found


def _of_moments(estimate: Estimate, moments: Sequence[float]) -> Figures:
    polls, delays = 0, []
    for _, end in _ends(estimate):
        number = bisect_left(moments, end)
        polls += number + 1
        delays.append(moments[number] - end)
    return _summary(polls, delays)


def _best_moments(estimate: Estimate, worth: float) -> list[float]:
    """Return the moments that minimise the mean delay plus `worth` times the mean number of polls."""
    span = 2 * log(estimate.spread)
    earliest = estimate.seconds / estimate.spread
    moments = [earliest * exp(span * place / GRID) for place in range(GRID + 1)]
    cost, following = [0.0] * (GRID + 1), [GRID] * (GRID + 1)
    for here in range(GRID - 1, -1, -1):
        options = (
            (_cost_between(moments, here, there, span, worth) + cost[there], there)
            for there in range(here + 1, GRID + 1)
        )
        cost[here], following[here] = _first_minimum(options)
    chosen, here = [], 0
    while here < GRID:
        here = following[here]
        chosen.append(moments[here])
    return chosen


def _cost_between(moments: Sequence[float], here: int, there: int, span: float, worth: float) -> float:
    """The poll at `there` for all jobs that still run at `here`, and the delay of those that end in between."""
    delay = moments[there] * (there - here) / GRID - (moments[there] - moments[here]) / span
    return worth * (1 - here / GRID) + delay


def _first_minimum(options: Iterator[tuple[float, int]]) -> tuple[float, int]:
    """The least of costs that fall and then rise."""
    best = next(options)
    for option in options:
        if option[0] > 1.5 * best[0] + 1:
            break
        best = min(best, option)
    return best


def main() -> None:
    """Print a table, or JSON with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="write a chart of each case into this folder")
    chosen = parser.parse_args()
    results = [measure(case, estimate) for case, estimate in CASES.items()]
    if chosen.json:
        print(json.dumps([{**asdict(result), "ratio": result.ratio} for result in results], indent=2))
    else:
        _show(results)
    if chosen.plot:
        for case, estimate in CASES.items():
            name = case.replace(",", "").replace(" ", "-")
            (chosen.plot / f"wait-{name}.svg").write_text(frontier(case, estimate))


def _show(results: Sequence[Result]) -> None:
    table = Table("job", "schedule", "polls", "transitions", "mean delay", "95 %", "to the best")
    for result in results:
        loops = {f"every {seconds} s": figures for seconds, figures in result.loops.items()}
        for name, figures in {"ours": result.ours, "best": result.best, **loops}.items():
            ratio = f"{result.ratio:.2f}" if name == "ours" else ""
            values = (f"{figures.polls:.1f}", f"{figures.transitions:.1f}", f"{figures.delay:.1f} s")
            table.add_row(result.case, name, *values, f"{figures.late:.0f} s", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
