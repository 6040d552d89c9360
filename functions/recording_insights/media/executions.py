"""Executions of media objects: one works on a media object at a time, and has a successor until there is a result."""

import json
from typing import Protocol

from recording_insights.model.execution_name import execution_name, name_before_tries
from recording_insights.model.media_object import is_made_of_segments
from recording_insights.model.reasons import because
from recording_insights.model.status import FINAL, stage_of
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow

MOST_EXECUTIONS = 100
"""Executions of one try, each the successor of one that ended without a result."""


class ExecutionStarter(Protocol):
    """Starts an execution, unless there is one of this name. Returns whether one of this name runs now."""

    def __call__(self, *, name: str, state: str) -> bool: ...


def begin(row: MediaRow, *, store: MediaStore, start_execution: ExecutionStarter) -> str | None:
    """Start the execution of a media object, and return its name; None if the media object is in a terminal status.

    The row names the execution before it starts. One that has ended without a result gets a successor with the same
    input, which reads the job in the row: no job is paid for twice. Repeating this changes nothing while the execution
    runs. After `MOST_EXECUTIONS`, the media object ends as failed.
    """
    while row.get("status") not in FINAL:
        name = row.get("execution") or _name_of_earlier_version(row, store)
        if start_execution(name=name, state=json.dumps(_input_of(row))):
            return name
        # An execution writes its result before it ends, so the row is read after the execution.
        present = store.get(row["recording_id"], row["media_id"])
        if present.get("status") not in FINAL and present.get("execution") == row.get("execution"):
            _appoint_successor(present, store)
            present = store.get(row["recording_id"], row["media_id"])
        row = present
    return None


def _appoint_successor(row: MediaRow, store: MediaStore) -> None:
    number = row.get("executions", 1) + 1
    if number > MOST_EXECUTIONS:
        reason = f"{MOST_EXECUTIONS} executions of the media object have ended without a result"
        why = because(stage_of(row), "executions_used_up", reason)
        store.finish(row["recording_id"], row["media_id"], "failed", **why)
        return
    name = execution_name({**row, "executions": number})
    store.appoint(row, name, executions=number)


def _input_of(row: MediaRow) -> dict[str, str]:
    state = {"recording_id": row["recording_id"], "media_id": row["media_id"], "key": row["key"]}
    return {**state, "outcome": "prepare"} if is_made_of_segments(row) else state


def _name_of_earlier_version(row: MediaRow, store: MediaStore) -> str:
    """Return the name under which an earlier version started an execution, which may still run."""
    recording = store.recordings.find(row["recording_id"]) or {}
    return name_before_tries(row, recording.get("channel", ""))
