"""One sweep: every step within the time that there is, from where the last sweep stopped."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.errors import IntakePaused
from recording_insights.store.rows import SweepRow
from recording_insights.store.sweeps import SweepStore
from recording_insights.sweep.step import RESERVE_SECONDS, Step

WINDOW = timedelta(days=2)
"""Objects are looked at that were written since the last sweep began, and this much earlier."""
Work = Callable[[SweepRow, str], Step]
"""A step: gets the row of the sweep, and the cursor of the last sweep ("" for the beginning)."""

_logger = logging.getLogger(__name__)


def sweep(steps: Mapping[str, Work], *, sweeps: SweepStore, deadline: Deadline) -> Mapping[str, Any]:
    """Run the steps, and return their counts by the steps' names; `{"busy": True}` if another sweep is at work.

    A step that was not finished goes on at its cursor in the next sweep, which then runs the unfinished steps alone. A
    step that raises is logged, and keeps no other from running, now or next time. The next sweep looks as far back. A
    step that the pause of the intake forbids is not logged, but else the same.
    """
    row = sweeps.begin(int(deadline.seconds_left) + 1)
    if row is None:
        return {"busy": True}
    unfinished = row.get("cursors") or dict.fromkeys(steps, "")
    cursors: dict[str, str] = {}
    counts: dict[str, Any] = {}
    failed = False
    for name, work in steps.items():
        if name not in unfinished:
            continue
        if deadline.seconds_left < RESERVE_SECONDS:
            cursors[name] = unfinished[name]
            continue
        try:
            step = work(row, unfinished[name])
        except IntakePaused:
            failed, step = True, Step(Counter(paused=1))
        except Exception:
            _logger.exception("step %s of the sweep failed", name)
            failed, step = True, Step(Counter(faults=1))
        counts[name] = dict(step.counts)
        if step.cursor is not None:
            # "" from a step that saw nothing: it began at the cursor of before.
            cursors[name] = step.cursor or unfinished[name]
    sweeps.end(row, cursors, failed=failed)
    return {**counts, "unfinished": sorted(cursors)}


def modified_since(row: SweepRow) -> datetime:
    """Return since when objects are looked at."""
    return datetime.fromisoformat(row.get("swept_at", row["sweeping_since"])) - WINDOW


def sweeping_since(row: SweepRow) -> datetime:
    """Return when the first sweep began: it submits nothing that was written earlier, and neither do later ones."""
    return datetime.fromisoformat(row["sweeping_since"])
