"""Deadline: the time that a function has left. Lambda ends a function without a signal when its time is over."""

import time
from collections.abc import Callable
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
