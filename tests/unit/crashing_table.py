"""A table at whose writes a function may end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.fake_table import FakeTable


class Crash(BaseException):
    """Lambda ends a function without a word."""


@dataclass(repr=False)
class CrashingTable(FakeTable):
    """Ends a function at one write, before or after the write `takes_effect`.

    `writes_left` counts down to that write, and none ends the function unless it is above 0. `crash_at` is the number
    of the write, from 1, that `arm` sets it to.
    """

    crash_at: int = 0
    takes_effect: bool = False
    writes_left: int = 0
    crashed: bool = False

    def __repr__(self) -> str:
        return f"with a crash {'after' if self.takes_effect else 'before'} write {self.crash_at}"

    def arm(self) -> None:
        """Count from here on: what was written before was the scene."""
        self.writes_left = self.crash_at

    def disarm(self) -> None:
        """End nothing from here on."""
        self.writes_left = 0

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self._written(super().put_item, **arguments)
        return reply

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self._written(super().update_item, **arguments)
        return reply

    def delete_item(self, **arguments: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self._written(super().delete_item, **arguments)
        return reply

    def transact_write_items(self, **arguments: Any) -> None:
        self._written(super().transact_write_items, **arguments)

    def _written(self, write: Callable[..., Any], **arguments: Any) -> Any:
        self.writes_left -= 1
        ends = self.writes_left == 0
        if ends and not self.takes_effect:
            self._crash()
        try:
            return write(**arguments)
        finally:
            if ends:  # also after a write whose condition does not hold
                self._crash()

    def _crash(self) -> None:
        self.crashed = True
        raise Crash


def crashes_at_every_write(*, at_least: int = 1) -> Iterator[CrashingTable]:
    """Yield an empty table per write to crash at: before the first, before the second, and so on, then after each.

    The caller makes its scene with the table, calls `arm`, and runs the function and what follows a crash. The last
    table of each kind, for which no write is left, ends nothing.

    Raises:
        AssertionError: fewer than `at_least` writes of a kind were crashed at. So a test that never crashes fails.
    """
    for takes_effect in (False, True):
        crash_at = 0
        crashed = True
        while crashed:
            crash_at += 1
            table = CrashingTable(crash_at=crash_at, takes_effect=takes_effect)
            yield table
            crashed = table.crashed
        assert crash_at > at_least, f"{crash_at - 1} writes were crashed at, and not {at_least}"
