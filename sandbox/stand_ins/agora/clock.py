"""The time that passes in a channel as its recorder takes part in it."""

import time


class MediaClock:
    """Counts seconds of media from `start` on, `speed` of them in a second and not more than `most`.

    It stands still while it is `held`, and for good after `stop`.
    """

    def __init__(self, speed: float, most: float, *, held: bool = False) -> None:
        self.held = held
        self._speed = speed
        self._most = most
        self._started: float | None = None
        self._stopped: float | None = None
        self._held_at: float | None = None

    @property
    def started(self) -> bool:
        return self._started is not None

    @property
    def seconds(self) -> float:
        if self._started is None:
            return 0.0
        ends = (self._held_at, self._stopped, time.monotonic())
        until = next(end for end in ends if end is not None)
        return min((until - self._started) * self._speed, self._most)

    def start(self) -> None:
        self._started = time.monotonic()
        self._held_at = self._started if self.held else None

    def stop(self) -> None:
        self._stopped = time.monotonic()

    def hold(self, held: bool) -> None:
        """Stand still, or go on."""
        if held == self.held:
            return
        if held:
            self._held_at = time.monotonic()
        elif self._started is not None and self._held_at is not None:
            self._started += time.monotonic() - self._held_at
            self._held_at = None
        self.held = held
