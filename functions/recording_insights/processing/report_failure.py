"""Report failures: write to the row why the processing or the watch ended: by a provider, a fault or an operator."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from recording_insights import errors
from recording_insights.bounded import parse_bounded
from recording_insights.model.derived import Derived
from recording_insights.model.reasons import REASONS, Stage, because, code_of_fault
from recording_insights.model.status import FINAL, stage_of
from recording_insights.processing.progress import Counted, Progress
from recording_insights.processing.turns import Turns
from recording_insights.redaction import vendor_message
from recording_insights.store.derivations import DerivationStore, turn_of
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.retries import RetryStore
from recording_insights.store.rows import MediaChanges

_ENDED = {
    "ABORTED": ("execution_aborted", "the execution was aborted"),
    "TIMED_OUT": ("execution_timed_out", "the execution exceeded its time limit"),
    "FAILED": ("execution_failed", "the execution failed"),
}
_STAGES: Mapping[str, Stage] = {
    "Prepare media": "preparation",
    "Await end of track": "preparation",
    "Submit recording": "submission",
    "Await callback": "result",
    "Poll job": "result",
    "Save insights": "saving",
}
"""The stage of each state that may fail."""
_CODE_OF_AWS = re.compile(r"An error occurred \((\w+)\)")
"""Begins the text of botocore's `ClientError`, whatever AWS refuses."""


def report_failure(state: Mapping[str, Any], *, store: MediaStore, turns: Turns) -> str:
    """Set the status `failed`, give the slot back, and return the reason.

    `state` is a `Progress` as a map. After a Catch it also holds `error` {Error, Cause} and `failed_state`.
    """
    # The state "Recording failed" follows.
    progress = Progress.enter(state).count(transitions=1, calls=0)
    code, reason = progress.reason_code or "internal_error", progress.reason
    if "error" in state:
        code, reason = why(state["error"])
    stage = stage_of_state(state) if "failed_state" in state else None
    _finish(state, progress.execution_name, code, reason, stage, progress.counted, store=store, turns=turns)
    return reason


def stage_of_state(state: Mapping[str, Any]) -> Stage:
    """Return the stage of the state that failed, as its Catch names it."""
    return _STAGES[state["failed_state"]]


def report_stopped_execution(detail: Mapping[str, Any], *, store: MediaStore, turns: Turns) -> str:
    """Write why an execution of a state machine ended without success, and return the reason.

    `detail` is that of the execution's status-change event. A media object gets the status `failed`, unless its status
    is terminal already, and so does a retry of many. A recording keeps its status and gets a `watch_reason`: its
    recorder may still run. What was being derived ends as partial. The sweep begins an erase again.
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    state = parse_bounded(detail["input"])
    status = detail["status"]
    code, reason = _ENDED.get(status, ("execution_failed", f"the execution ended as {status}"))
    if said := _explanation(detail):
        reason += f": {said}"
    if "media_id" in state:
        _finish(state, detail["name"], code, reason, None, None, store=store, turns=turns)
    elif "digest" in state:
        _end_derivation(state, code, reason, store=DerivationStore(store.table, store.now), turns=turns)
    elif "retry_id" in state:
        RetryStore(store.table, store.now).end(state["retry_id"], "failed", reason)
    elif "opened_at" in state:
        _report_stopped_watch(state, reason, store=store.recordings)
    return reason


def _explanation(detail: Mapping[str, Any]) -> str:
    """Return the words of the person who aborted an execution, or of the state that ends it as failed, if any."""
    if detail.get("error") == "RecordingFailed":
        return vendor_message(detail.get("cause") or "")
    return (
        fault_of({"Error": detail.get("error"), "Cause": detail.get("cause")}) if detail["status"] == "ABORTED" else ""
    )


def fault_of(error: Mapping[str, Any]) -> str:
    """Return an error {Error, Cause} in the words of Python, AWS or the person who caused it, without links."""
    name, cause = _name_and_cause(error)
    return vendor_message(": ".join(part for part in (name, cause) if part))


def _finish(
    state: Mapping[str, Any],
    execution: str,
    code: str,
    reason: str,
    stage: Stage | None,
    counted: Counted | None,
    *,
    store: MediaStore,
    turns: Turns,
) -> None:
    """Write the failure and the counts, and give the slot back, unless another execution works on the media object.

    Executions and rows of earlier versions do not name each other.
    """
    row = store.find(state["recording_id"], state["media_id"])
    if row is None or (execution and row.get("execution", execution) != execution):
        return
    why = because(stage or stage_of(row), code, reason)
    failed = cast(MediaChanges, {**why, **(counted or {})})
    store.finish(state["recording_id"], state["media_id"], "failed", **failed)
    if row.get("status") not in FINAL and "provider" in row:
        turns.give_back(row)


def _end_derivation(state: Mapping[str, Any], code: str, reason: str, *, store: DerivationStore, turns: Turns) -> None:
    """End what was being derived without a result, unless something newer is: everything is missing."""
    row = store.find(state["recording_id"])
    if row is None or row["number"] != state["number"] or row["state"] != "pending":
        return
    missing = [f"{kind}: {code}" for kind in row.get("kinds", ())]
    store.save(row, Derived(missing=missing), "partial", reason=reason, reason_code=code)
    turns.give_back(turn_of(row))


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


def why(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return the reason code of an error {Error, Cause}, and a sentence: the code's, then our own error's message.

    What Python or AWS said means nothing to an operator.
    """
    name, cause = _name_and_cause(error)
    of_aws = _CODE_OF_AWS.match(cause)
    code = code_of_fault(of_aws[1] if of_aws else name)
    is_ours = isinstance(getattr(errors, name, None), type)
    meaning = REASONS[code].meaning.removesuffix(".")
    return code, vendor_message(f"{meaning}: {cause}" if is_ours and cause else meaning)


def _name_and_cause(error: Mapping[str, Any]) -> tuple[str, str]:
    name, cause = str(error.get("Error") or ""), str(error.get("Cause") or "")
    with suppress(ValueError, KeyError, TypeError):  # a cause may also be plain text
        cause = str(parse_bounded(cause)["errorMessage"])
    return name, cause
