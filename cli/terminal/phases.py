"""Shows what a long command is doing, phase by phase."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Phases:
    """Shows each phase: in a terminal as a spinner with the latest line of progress, elsewhere as plain lines.

    `seconds` has the duration of each phase, by its title.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._console = console or Console(stderr=True)

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False)

    @contextmanager
    def phase(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show the phase for the length of a `with`, which gets a function that reports a line of progress."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(title) as status:
                width = max(self._console.width - len(title) - 8, 20)
                yield lambda line: status.update(f"{title} [dim]{escape(line[:width])}[/dim]")
        else:
            self.say(f"{title} ...")
            yield lambda _: None
        self.seconds[title] = time.monotonic() - began
        self._console.print(f"[green]✓[/green] {title} [dim]{self.seconds[title]:.1f} s[/dim]", highlight=False)
