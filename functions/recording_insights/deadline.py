"""Deadline: the time that a function has left. Lambda ends a function without a signal when its time is over."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, in seconds; `sleep` and `monotonic` belong together."""

    ends_at: float
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline that is `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def seconds_left(self) -> float:
        """The time until the deadline; 0 after it."""
        return max(self.ends_at - self.monotonic(), 0.0)

    def pause(self, seconds: float, *, reserve: float = 1.0) -> bool:
        """Sleep and return True, or return False at once if less than `reserve` seconds would be left afterwards."""
        if self.seconds_left < seconds + reserve:
            return False
        self.sleep(seconds)
        return True

    @contextmanager
    def limits_calls(self) -> Iterator[None]:
        """Make this the deadline of all calls to a provider inside of the `with`: see `seconds_left_for_calls`.

        An adapter makes its calls in many places. None of them has to pass the deadline on.
        """
        outer = _OF_CALLS.set(self)
        try:
            yield
        finally:
            _OF_CALLS.reset(outer)


_OF_CALLS: ContextVar[Deadline | None] = ContextVar("deadline of calls", default=None)


def seconds_left_for_calls() -> float:
    """The time until the deadline of the calls to a provider; infinite if they have none."""
    deadline = _OF_CALLS.get()
    return math.inf if deadline is None else deadline.seconds_left
