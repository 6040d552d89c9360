"""A table at whose writes a function may end."""

from collections.abc import Callable
from typing import Any

from tests.unit.fake_table import FakeTable


class Crash(BaseException):
    """Lambda ends a function without a word."""


class CrashingTable(FakeTable):
    """Ends the function at the write that `writes_left` counts down to, before or after it `takes_effect`."""

    writes_left = 0
    takes_effect = False

    def put_item(self, **arguments: Any) -> None:
        self._written(super().put_item, **arguments)

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self._written(super().update_item, **arguments)
        return reply

    def delete_item(self, **arguments: Any) -> None:
        self._written(super().delete_item, **arguments)

    def _written(self, write: Callable[..., Any], **arguments: Any) -> Any:
        self.writes_left -= 1
        if self.writes_left == 0 and not self.takes_effect:
            raise Crash
        reply = write(**arguments)
        if self.writes_left == 0:
            raise Crash
        return reply
