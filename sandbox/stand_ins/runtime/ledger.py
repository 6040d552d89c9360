"""The ledger: all calls of the vendors in order, and the work that they would have billed. No secrets, no links."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue


class Ledger:
    """Lines {vendor, call, status, at, ids…} and counts of paid work by its name ("marsview.transactions_computed")."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines: list[dict[str, Any]] = []
        self._paid: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, call: str, status: int, **ids: Any) -> None:
        """Add the line of a call."""
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"vendor": call.partition(".")[0], "call": call, "status": status, "at": at, **ids}
        with self._lock:
            self._lines.append(line)

    def pay(self, work: str) -> None:
        """Count a unit of paid work."""
        with self._lock:
            self._paid[work] += 1

    def reset(self) -> None:
        with self._lock:
            self._lines.clear()
            self._paid.clear()

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {"lines": list(self._lines), "paid": dict(self._paid)}


def note(**ids: Any) -> None:
    """Add ids to the ledger's line of the present call."""
    g.setdefault("noted", {}).update(ids)


def noted() -> dict[str, Any]:
    """Return the ids that `note` collected in the present call."""
    found: dict[str, Any] = g.get("noted", {})
    return found


def ledger_blueprint(ledger: Ledger) -> Blueprint:
    """GET /ledger, POST /ledger/reset."""
    blueprint = Blueprint("ledger", __name__)

    @blueprint.get("/ledger")
    def show() -> ResponseReturnValue:
        return ledger.as_json()

    @blueprint.post("/ledger/reset")
    def reset() -> ResponseReturnValue:
        ledger.reset()
        return ledger.as_json()

    return blueprint
