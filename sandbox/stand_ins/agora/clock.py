"""The clock of a recording, in seconds of media."""

import time


class MediaClock:
    """Counts seconds of media from `start` on: `speed` of them in a second, and at most `most`.

    It stands still while it is `paused`, and for ever after `stop`.
    """

    def __init__(self, speed: float, most: float, *, paused: bool = False) -> None:
        self.paused = paused
        self._speed = speed
        self._most = most
        self._started: float | None = None
        self._stopped: float | None = None
        self._paused_at: float | None = None

    @property
    def started(self) -> bool:
        return self._started is not None

    @property
    def seconds(self) -> float:
        if self._started is None:
            return 0.0
        ends = (self._paused_at, self._stopped, time.monotonic())
        until = next(end for end in ends if end is not None)
        return min((until - self._started) * self._speed, self._most)

    def start(self) -> None:
        self._started = time.monotonic()
        self._paused_at = self._started if self.paused else None

    def stop(self) -> None:
        self._stopped = time.monotonic()

    def set_paused(self, paused: bool) -> None:
        """Pause the clock, or let it continue."""
        if paused == self.paused:
            return
        if paused:
            self._paused_at = time.monotonic()
        elif self._started is not None and self._paused_at is not None:
            self._started += time.monotonic() - self._paused_at
            self._paused_at = None
        self.paused = paused
