"""Erase a recording: mark it, and start what deletes it. From the mark on, nothing is written for it any more."""

import json
from hashlib import sha256
from typing import Any, Protocol
from uuid import uuid4

from recording_insights.model.status import ERASING
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow

MOST_RUNS = 1000
"""Executions of one erase, each the successor of one that was broken off: years of them, as the sweep starts them."""


class Executions(Protocol):
    """The state machine that erases: starts executions, and tells whether one runs."""

    def start(self, *, name: str, state: str) -> bool:
        """Start an execution unless there is one of this name; return whether one was started."""

    def is_running(self, name: str) -> bool:
        """Return whether an execution of this name runs."""


def erase_recording(
    recording_id: str, *, store: RecordingStore, executions: Executions, who: str | None = None
) -> dict[str, Any]:
    """Mark a recording as being erased, start the erase, and return `{"recording_id", "status", "receipt_id"}`.

    A repeated call returns the same, and starts the erase again if it was broken off. `who` is the caller's name, for
    the row: it goes with the row.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased.
    """
    recording = store.erasures.mark(recording_id, uuid4().hex, who) or store.get(recording_id)
    begin_erase(recording, store=store, executions=executions)
    return {"recording_id": recording_id, "status": ERASING, "receipt_id": recording["receipt_id"]}


def begin_erase(recording: RecordingRow, *, store: RecordingStore, executions: Executions) -> bool:
    """Start the execution that erases a marked recording, unless one runs; return whether one was started.

    One that was broken off gets a successor, which deletes what is left.
    """
    recording_id = recording["recording_id"]
    present = recording.get("erase_runs")
    if present and executions.is_running(_name(recording_id, present)):
        return False
    state = json.dumps({"recording_id": recording_id, "receipt_id": recording["receipt_id"]})
    for run in range(present or 1, MOST_RUNS):
        if executions.start(name=_name(recording_id, run), state=state):
            store.erasures.note_recording(recording_id, erase_runs=run)
            return True
    return False


def _name(recording_id: str, run: int) -> str:
    return f"{recording_id}-erase-{run}"


def erase_late_file(bucket: str, key: str, version: str, *, executions: Executions) -> None:
    """Start the deletion of a file that came for an erased recording. `bucket` is "recordings" or "replies".

    The execution's name follows from the arguments: a repeated event of the same version starts no other one.
    """
    digest = sha256("\0".join((bucket, key, version)).encode()).hexdigest()
    executions.start(name=f"late-{digest}", state=json.dumps({"phase": "file", "bucket": bucket, "key": key}))
