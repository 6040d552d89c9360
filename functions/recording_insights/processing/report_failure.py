"""Report failures: write to the row why the processing or the watch ended: by a provider, a fault or an operator."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from recording_insights import errors
from recording_insights.processing.progress import Progress
from recording_insights.redaction import vendor_message
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.retries import RetryStore

_ENDED = {
    "ABORTED": "the execution was aborted",
    "TIMED_OUT": "the execution exceeded its time limit",
    "FAILED": "the execution failed",
}


def report_failure(state: Mapping[str, Any], *, store: MediaStore) -> str:
    """Set the status `failed` and return the reason.

    `state` is a `Progress` as a map. After a Catch it also holds `error` {Error, Cause} and `failed_state`.
    """
    reason = str(state.get("reason") or "")
    if "error" in state:
        reason = f"{state['failed_state']}: {_reason_of(state['error'])}"
    progress = Progress.from_state(state)
    code = None if "error" in state else progress.reason_code or None
    _finish(state, progress.execution_name, reason, code, store=store)
    return reason


def report_stopped_execution(detail: Mapping[str, Any], *, store: MediaStore) -> str:
    """Write why an execution of a state machine ended without success, and return the reason.

    `detail` is that of the execution's status-change event. A media object gets the status `failed`, unless its status
    is terminal already, and so does a retry of many. A recording keeps its status and gets a `watch_reason`: its
    recorder may still run.
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    state = json.loads(detail["input"])
    reason = _ENDED.get(detail["status"], f"the execution ended as {detail['status']}")
    if detail.get("error") or detail.get("cause"):
        reason += f": {_reason_of({'Error': detail.get('error'), 'Cause': detail.get('cause')})}"
    if "media_id" in state:
        _finish(state, detail["name"], reason, None, store=store)
    elif "retry_id" in state:
        RetryStore(store.table, store.now).end(state["retry_id"], "failed", reason)
    else:
        _report_stopped_watch(state, reason, store=store.recordings)
    return reason


def _finish(state: Mapping[str, Any], execution: str, reason: str, code: str | None, *, store: MediaStore) -> None:
    """Write the failure, unless another execution works on the media object by now.

    Executions and rows of earlier versions do not name each other.
    """
    row = store.find(state["recording_id"], state["media_id"])
    if row is None or (execution and row.get("execution", execution) != execution):
        return
    store.finish(state["recording_id"], state["media_id"], "failed", reason=reason, reason_code=code)


def _report_stopped_watch(watch: Mapping[str, Any], reason: str, *, store: RecordingStore) -> None:
    """Write the reason to the recording, unless the row is that of a later start: the later start has its own watch.

    The watch over a stop leaves no reason: the watch over the recording goes on, and stops the recorder later.
    """
    if watch.get("stops_only"):
        return
    recording = store.find(watch["recording_id"])
    if recording is None or recording["created_at"] != watch["opened_at"]:
        return
    advice = "the recorder is no longer checked, stop it if it still runs; files that arrive are processed"
    store.update(watch["recording_id"], {"watch_reason": f"the watch has ended: {reason}; {advice}"})


def _reason_of(error: Mapping[str, Any]) -> str:
    """Return Step Functions' error output as one sentence: our own message alone, others after the error's name."""
    name = str(error.get("Error") or "")
    cause = str(error.get("Cause") or "")
    with suppress(ValueError, KeyError, TypeError):  # a cause may also be plain text
        cause = str(json.loads(cause)["errorMessage"])
    ours = isinstance(getattr(errors, name, None), type)
    return vendor_message(cause if ours and cause else ": ".join(part for part in (name, cause) if part))
