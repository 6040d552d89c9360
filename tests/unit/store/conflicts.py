"""Writes that meet a transaction of somebody else's, as DynamoDB rejects them."""

from types import SimpleNamespace
from typing import Any

from tests.unit.fake_table import FakeTable, conflict_error

_READS = ("GetItem", "Query", "Scan")


def conflict(table: Any, times: int) -> None:
    """Reject the next writes of a table, on moto or in memory: moto knows no conflict, so its client is given one."""
    if isinstance(table, FakeTable):
        table.conflicts = times
        return
    events = table.meta.client.meta.events

    def reject(model: Any, **_: Any) -> tuple[Any, Any] | None:
        nonlocal times
        if model.name in _READS:
            return None
        times -= 1
        if not times:
            events.unregister("before-call.dynamodb", reject)
        writes = 2 if model.name == "TransactWriteItems" else 1
        return SimpleNamespace(status_code=400), conflict_error(writes).response

    events.register("before-call.dynamodb", reject)
