"""A fuzzer: where its inputs come from, and what is checked of each."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

CPU_SECONDS = 20
"""CPU time of one input, after which it counts as a hang. Inputs have some 100 KB, and most take milliseconds."""


class Hang(Exception):
    """An input took more than `CPU_SECONDS` of CPU time."""


@dataclass(frozen=True)
class Target:
    """`check` raises an exception for an input for which something does not hold. `cost` is 1 for milliseconds."""

    name: str
    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    cost: int = 1

    def run(self, examples: int, number: int | None = None) -> int:
        """Check that many inputs and return how many were checked; without a seed `number` they are always the same.

        Raises:
            Exception: what the check raised for the smallest input found, which is in the notes of the exception.
        """
        checked = 0

        def check(found: Any) -> None:
            nonlocal checked
            checked += 1
            with cpu_limit(CPU_SECONDS):
                self.check(found)

        limits = settings(
            max_examples=max(examples // self.cost, 1),
            derandomize=number is None,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        check.__qualname__ = self.name
        run: Any = limits(given(self.inputs)(check))
        (run if number is None else seed(number)(run))()
        return checked


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `Hang` within the block after this CPU time of the process. Native code is interrupted at its end only."""

    def stop(number: int, frame: Any) -> None:
        raise Hang(f"over {seconds} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
