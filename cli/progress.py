"""How far a command is, on standard error: one line that changes on a terminal, else a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cli.visible import visible_line

if TYPE_CHECKING:
    from rich.status import Status

    from cli.session import Session

EVERY_SECONDS = 10.0


class Progress:
    """Shows progress while it is open."""

    def __init__(self, session: "Session", clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._clock = session, clock
        self._status: Status | None = None
        self._shown_at: float | None = None

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Show nothing meanwhile: somebody is asked."""
        if self._status:
            self._status.stop()
        yield
        if self._status:
            self._status.start()

    def __enter__(self) -> Self:
        if self._session.words.is_terminal:
            self._status = self._session.words.status("")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._status:
            self._status.stop()

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._session.say(text)

    def show(self, text: str) -> None:
        """Show how far it is, in place of what was shown before."""
        if self._status:
            from rich.text import Text

            self._status.update(Text(visible_line(text)))
            return
        now = self._clock()
        if self._shown_at is None or now - self._shown_at >= EVERY_SECONDS:
            self._shown_at = now
            self._session.say(text)
