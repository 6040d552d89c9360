"""Calls that may run side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Workers:
    """Calls a function for many values, so many at once, and keeps their order."""

    number: int = 8

    def each(self, function: Callable[[Given], Made], values: Iterable[Given]) -> Iterator[Made]:
        """Yield what the function returns. Raises what it raises."""
        if self.number == 1:
            yield from map(function, values)
            return
        with ThreadPoolExecutor(self.number) as pool:
            try:
                yield from pool.map(function, values)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
