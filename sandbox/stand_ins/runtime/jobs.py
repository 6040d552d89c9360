"""Background jobs, which outlive the call that started them: recordings, recognitions."""

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Closing(Exception):
    """The process ends: the job stops where it is."""


class Jobs:
    """Runs each job on its own thread. All jobs end soon after `close`."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run the work on a new thread. An exception is logged."""

        def run() -> None:
            try:
                work()
            except Closing:
                _log.debug("%s stopped at the end of the process", name)
            except Exception:  # noqa: BLE001 - nothing above a thread could catch it
                _log.exception("%s failed", name)
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
            thread.start()  # within the lock: `join` needs started threads

    def sleep(self, seconds: float) -> None:
        """Sleep. Raises Closing if the process ends meanwhile."""
        if self._closing.wait(max(seconds, 0)):
            raise Closing

    def join(self, seconds: float = 10.0) -> None:
        """Wait for the running jobs, at most these seconds in all."""
        with self._lock:
            threads = list(self._threads)
        deadline = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def close(self) -> None:
        """End all jobs."""
        self._closing.set()
        self.join(0.5)
