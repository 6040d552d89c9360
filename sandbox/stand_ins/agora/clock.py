"""The clock of a recording, in seconds of media."""

import math
import threading
import time
from collections.abc import Callable


class MediaClock:
    """Counts seconds of media from `start` on: `speed` of them in a second of `now`, and at most `most`.

    `now` returns monotonic seconds. It may be a clock that somebody advances by hand. The media stands still while it
    is `paused`, at the second `stands_at` (0: never) until `play_on`, and for ever after `stop`.
    """

    def __init__(
        self,
        speed: float,
        most: float,
        now: Callable[[], float] = time.monotonic,
        *,
        paused: bool = False,
        stands_at: float = 0.0,
    ) -> None:
        self.paused = paused
        self.started = False
        self._speed = speed
        self._most = most
        self._now = now
        self._stand = stands_at or math.inf
        self._stopped = False
        self._lock = threading.Lock()
        self._run: tuple[float, float | None] = 0.0, None
        """Seconds of media so far, and since when it plays on from there."""

    @property
    def seconds(self) -> float:
        played, since = self._run
        if since is not None:
            played += (self._now() - since) * self._speed
        return min(played, self._most, self._stand)

    @property
    def at_end(self) -> bool:
        """Whether all of the media has been played."""
        return self.started and self.seconds >= self._most

    def start(self) -> None:
        with self._lock:
            self.started = True
            self._continue()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._continue()

    def set_paused(self, paused: bool) -> None:
        """Pause the clock, or let it continue."""
        with self._lock:
            played, self.paused = self.seconds, paused
            self._continue(played)

    def play_on(self) -> None:
        """Let media that stands still at `stands_at` continue."""
        with self._lock:
            played = self.seconds
            if played >= self._stand:
                self._stand = math.inf
                self._continue(played)

    def until(self, second: float) -> float:
        """Return the seconds of `now` until this second of media, infinite while the media stands before it."""
        missing, (_, since) = second - self.seconds, self._run
        if missing > 0 and (since is None or second > min(self._most, self._stand)):
            return math.inf
        return max(missing, 0.0) / self._speed

    def _continue(self, played: float | None = None) -> None:
        plays = self.started and not self.paused and not self._stopped
        self._run = self.seconds if played is None else played, self._now() if plays else None
