"""Work that outlives the call which asked for it: recordings, recognitions."""

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Closing(Exception):
    """The process ends: the job leaves its work as it is."""


class Jobs:
    """Each job a thread; all end soon after `close`."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Closing:
                _log.debug("%s was left at the end of the process", name)
            except Exception:  # noqa: BLE001 - a thread has nobody above it who could care
                _log.exception("%s broke", name)
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
            thread.start()  # not later: `join` takes only what was started

    def sleep(self, seconds: float) -> None:
        """Raises Closing when the process ends meanwhile."""
        if self._closing.wait(max(seconds, 0)):
            raise Closing

    def join(self, seconds: float = 10.0) -> None:
        """Waits for the jobs under way, so many seconds in all."""
        with self._lock:
            threads = list(self._threads)
        deadline = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def close(self) -> None:
        self._closing.set()
        self.join(0.5)
