"""Steps of something that runs, shown while they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sandbox.terminal.printable import printable

State = Literal["running", "done", "failed"]
_MARKS: Mapping[State, str] = {"running": "…", "done": "✓", "failed": "✗"}
_STYLES: Mapping[State, str] = {"running": "yellow", "done": "green", "failed": "red"}


@dataclass
class Step:
    """One line of the display.

    `seconds` is the time spent in the step so far, `times` how often it was entered.
    """

    name: str
    state: State
    seconds: float = 0.0
    detail: str = ""
    times: int = 1


def folded(steps: Sequence[Step]) -> list[Step]:
    """Merge steps of the same name to one line: the last one's state and detail, the seconds and times of all."""
    lines: dict[str, Step] = {}
    for step in steps:
        before = lines.get(step.name)
        if before:
            step = replace(step, seconds=before.seconds + step.seconds, times=before.times + step.times)
        lines[step.name] = step
    return list(lines.values())


@dataclass
class LiveSteps:
    """Shows steps as they change: redrawn in a terminal, elsewhere one line for each step that has ended."""

    console: Console
    _live: Live | None = None
    _printed: int = 0

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, steps: Sequence[Step]) -> None:
        """Draw the present state of all steps. From call to call `steps` may grow only at its end."""
        if self._live:
            self._live.update(_picture(folded(steps)))
            return
        # Several steps may end between two calls: every one of them gets its line.
        for step in steps[self._printed :]:
            if step.state == "running":
                break
            self._printed += 1
            line = f"  {_MARKS[step.state]} {step.name:<18} {step.detail}"
            self.console.print(printable(line), highlight=False, soft_wrap=True, markup=False)


def _picture(steps: Sequence[Step]) -> Group:
    table = Table.grid(padding=(0, 2))
    for step in steps:
        mark = Spinner("dots", style="yellow") if step.state == "running" else Text(_MARKS[step.state])
        times = f" ×{step.times}" if step.times > 1 else ""
        table.add_row(
            mark,
            Text(step.name + times, style=_STYLES[step.state]),
            Text(f"{step.seconds:5.1f} s", style="dim"),
            Text(printable(step.detail)),
        )
    return Group(table)
