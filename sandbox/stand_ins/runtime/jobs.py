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
        self._threads: dict[threading.Thread, threading.Event] = {}
        """Each thread with the event that its work is over."""
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[], object]) -> None:
        """Run the work on a new thread. An exception is logged."""

        def run() -> None:
            try:
                work()
            except Closing:
                _log.debug("%s stopped at the end of the process", name)
            except Exception:  # noqa: BLE001 - nothing above a thread could catch it
                _log.exception("%s failed", name)
            finally:
                self.work_is_over()
                with self._lock:
                    self._threads.pop(threading.current_thread(), None)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads[thread] = threading.Event()
            thread.start()  # within the lock: `join` needs started threads

    def work_is_over(self) -> None:
        """Say that the present job has its result, whatever its thread still does. Outside of a job it does nothing."""
        if over := self._threads.get(threading.current_thread()):
            over.set()

    def wait_for_work(self, beginning: str, seconds: float) -> None:
        """Wait for the work of the present jobs whose names begin so, at most these seconds in all."""
        with self._lock:
            events = [over for thread, over in self._threads.items() if thread.name.startswith(beginning)]
        deadline = time.monotonic() + seconds
        for over in events:
            over.wait(max(deadline - time.monotonic(), 0))

    def sleep(self, seconds: float) -> None:
        """Sleep. Raises Closing if the process ends meanwhile."""
        if self._closing.wait(max(seconds, 0)):
            raise Closing

    def join(self, seconds: float = 120.0) -> None:
        """Wait until no job runs, at most these seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and (thread := self._any_thread()):
            thread.join(left)

    def _any_thread(self) -> threading.Thread | None:
        with self._lock:
            return next(iter(self._threads), None)

    def close(self) -> None:
        """End all jobs."""
        self._closing.set()
        self.join(0.5)
