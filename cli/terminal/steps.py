"""Shows steps while they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.timeline.step import Identity, State, Step, folded, identified
from cli.visible import visible_line

_MARKS: Mapping[State, str] = {"running": "…", "done": "✓", "failed": "✗"}
_STYLES: Mapping[State, str] = {"running": "yellow", "done": "green", "failed": "red"}


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
        named = _is_of_several(steps)
        width = 26 if named else 18
        for identity, step in identified(steps):
            if step.state != "running" and identity not in self._printed:
                self._printed.add(identity)
                line = f"  {_MARKS[step.state]} {_name(step, named=named):<{width}} {visible_line(step.detail)}"
                self.console.print(line.rstrip(), highlight=False, soft_wrap=True, markup=False)


def _is_of_several(steps: Sequence[Step]) -> bool:
    return len({step.of for step in steps if step.of}) > 1


def _name(step: Step, *, named: bool) -> str:
    return visible_line(f"{step.of}: {step.name}" if named and step.of else step.name)


def _picture(steps: Sequence[Step]) -> Group:
    table, named = Table.grid(padding=(0, 2)), _is_of_several(steps)
    for step in steps:
        mark = Spinner("dots", style="yellow") if step.state == "running" else Text(_MARKS[step.state])
        times = f" ×{step.times}" if step.times > 1 else ""
        table.add_row(
            mark,
            Text(_name(step, named=named) + times, style=_STYLES[step.state]),
            Text(f"{step.seconds:5.1f} s", style="dim"),
            Text(visible_line(step.detail)),
        )
    return Group(table)
