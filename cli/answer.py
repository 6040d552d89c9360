"""What a command answers: data for programs, and the same for people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.errors import OK
from cli.visible import visible_line

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[["Console"], None]
"""Writes an answer for people to standard output."""

NOTHING = "–"
"""Stands in a table where there is no value."""


@dataclass(frozen=True)
class Answer:
    """`data` is what `--json` prints and what `--query` searches. `next_steps` are commands to try next."""

    data: Any
    show: Show
    next_steps: Sequence[str] = field(default=())
    exit_code: int = OK


def sentence(text: str) -> Show:
    """Show one sentence."""
    return lambda console: console.print(visible_line(text), markup=False, highlight=False, soft_wrap=True)


def table(columns: Mapping[str, Callable[[Any], object]], rows: Sequence[Any], *, empty: str) -> Show:
    """Show a table with a column for each title, or the sentence `empty`.

    A terminal gets no column that is empty in each row, and the first column, which people copy, on one line. Off a
    terminal all columns are there, separated by tabs, and nothing is cut: for `cut` and `awk`.
    """

    def show(console: "Console") -> None:
        if not rows:
            sentence(empty)(console)
            return
        cells = [[visible_line(_text(cell(row))) for cell in columns.values()] for row in rows]
        if not console.is_terminal:
            for line in ([*columns], *cells):
                # The console would make blanks of tabs.
                console.file.write("\t".join(line) + "\n")
            return
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=None, pad_edge=False, header_style="bold")
        shown = [at for at, _ in enumerate(columns) if any(line[at] != NOTHING for line in cells)]
        for at in shown:
            drawn.add_column([*columns][at], overflow="fold", no_wrap=at == 0)
        for line in cells:
            drawn.add_row(*(Text(line[at]) for at in shown))
        console.print(drawn)

    return show


def _text(value: object) -> object:
    return NOTHING if value is None or value == "" else value
