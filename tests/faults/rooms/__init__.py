"""The rows of the fault table, a module for each kind of fault."""

from tests.faults.rooms import (
    aws_calls,
    callbacks,
    crashes,
    events_and_objects,
    executions,
    rows_and_replies,
    vendor,
)
from tests.faults.row import Row

ROOMS = [
    module.ROOM for module in (aws_calls, crashes, vendor, callbacks, events_and_objects, rows_and_replies, executions)
]
ROWS: list[Row] = [row for room in ROOMS for row in room.rows]
"""The whole table, in its order."""
