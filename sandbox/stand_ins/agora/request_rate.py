"""Agora's limit of requests per second: Agora documents 10 for each app id. Its gateway counts them."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable

from sandbox.stand_ins.runtime.calls import Refusal

_WINDOW_SECONDS = 1.0


class RequestRate:
    """Counts the accepted requests of each app id in the last second of `clock` (unix seconds)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._accepted: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def admit(self, app_id: str, most: int) -> None:
        """Count a request. Raises Refusal if `most` requests were accepted within the last second (0: no limit).

        A refused request does not count.
        """
        with self._lock:
            now, accepted = self._clock(), self._accepted[app_id]
            while accepted and now - accepted[0] >= _WINDOW_SECONDS:
                accepted.popleft()
            if 0 < most <= len(accepted):
                raise Refusal(429, {"message": "API rate limit exceeded"})
            accepted.append(now)
