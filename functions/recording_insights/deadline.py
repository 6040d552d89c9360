"""How long a function may still work: Lambda ends it without a word when its time is over."""

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
        """The deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def seconds_left(self) -> float:
        """Never negative."""
        return max(self.ends_at - self.monotonic(), 0.0)

    def pause(self, seconds: float, *, reserve: float = 1.0) -> bool:
        """Sleep, if `reserve` seconds would be left afterwards; otherwise False, at once."""
        if self.seconds_left < seconds + reserve:
            return False
        self.sleep(seconds)
        return True
