"""Steps of something that runs, shown while they change."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.visible import visible_line

State = Literal["running", "done", "failed"]
_MARKS: Mapping[State, str] = {"running": "…", "done": "✓", "failed": "✗"}
_STYLES: Mapping[State, str] = {"running": "yellow", "done": "green", "failed": "red"}


@dataclass
class Step:
    """One line of the display.

    `seconds` is the time spent in the step so far, `times` how often it was entered. `of` names what the step belongs
    to, where steps of several things are shown side by side.
    """

    name: str
    state: State
    seconds: float = 0.0
    detail: str = ""
    times: int = 1
    of: str = ""


Identity = tuple[str, str, int]
"""What a step belongs to, its name, and which of the steps with this name it is, from 0."""


def identified(steps: Sequence[Step]) -> Iterator[tuple[Identity, Step]]:
    """Yield each step with its identity, which stays the same while the step changes."""
    seen: Counter[tuple[str, str]] = Counter()
    for step in steps:
        named = (step.of, step.name)
        yield (*named, seen[named]), step
        seen[named] += 1


def folded(steps: Sequence[Step]) -> list[Step]:
    """Merge steps of the same name to one line: the last one's state and detail, the seconds and times of all."""
    lines: dict[tuple[str, str], Step] = {}
    for step in steps:
        before = lines.get((step.of, step.name))
        if before:
            step = replace(step, seconds=before.seconds + step.seconds, times=before.times + step.times)
        lines[step.of, step.name] = step
    return list(lines.values())


@dataclass
class LiveSteps:
    """Shows steps as they change: redrawn in a terminal, elsewhere one line for each step that has ended."""

    console: Console
    _live: Live | None = None
    _printed: set[Identity] = field(default_factory=set)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, steps: Sequence[Step]) -> None:
        """Draw the present state of all steps."""
        if self._live:
            self._live.update(_picture(folded(steps)))
            return
        # Several steps may end between two calls: every one of them gets its line.
        for identity, step in identified(steps):
            if step.state != "running" and identity not in self._printed:
                self._printed.add(identity)
                line = f"  {_MARKS[step.state]} {visible_line(_name(step)):<18} {visible_line(step.detail)}"
                self.console.print(line.rstrip(), highlight=False, soft_wrap=True, markup=False)


def _name(step: Step) -> str:
    return f"{step.of}: {step.name}" if step.of else step.name


def _picture(steps: Sequence[Step]) -> Group:
    table = Table.grid(padding=(0, 2))
    for step in steps:
        mark = Spinner("dots", style="yellow") if step.state == "running" else Text(_MARKS[step.state])
        times = f" ×{step.times}" if step.times > 1 else ""
        table.add_row(
            mark,
            Text(visible_line(_name(step)) + times, style=_STYLES[step.state]),
            Text(f"{step.seconds:5.1f} s", style="dim"),
            Text(visible_line(step.detail)),
        )
    return Group(table)
