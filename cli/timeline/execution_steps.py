"""The history of an execution of the processing state machine, as steps that a person can follow."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cli.timeline.step import Step

Event = Mapping[str, Any]
"""An event of GetExecutionHistory."""

_SHOWN = {
    "Prepare media",
    "Wait for files",
    "Await end of track",
    "Submit recording",
    "Await turn",
    "Await callback",
    "Wait",
    "Poll job",
    "Save insights",
    "Report fault",
    "Wait for repair",
    "Report failure",
}
_AWAITED = {
    "Await callback": ("the provider called back", "the provider had called back already", "no callback in time"),
    "Await end of track": ("the playlist is closed", "the playlist had changed already", "the track goes on"),
}
"""Of each state that waits with a task token: how its wait ends by the token, before it began, and by its time-out."""
_NEXT = {"Wait": "poll", "Wait for files": "check", "Wait for repair": "try"}
"""What follows a wait."""
_TASK_FAILURES = {"TaskFailed": "taskFailedEventDetails", "TaskTimedOut": "taskTimedOutEventDetails"}
_EXECUTION_FAILURES = {
    "ExecutionFailed": "executionFailedEventDetails",
    "ExecutionAborted": "executionAbortedEventDetails",
    "ExecutionTimedOut": "executionTimedOutEventDetails",
}
_JOB_OUTCOMES = {"awaiting": "accepted, the provider will call back", "succeeded": "finished"}


@dataclass
class _Visit:
    """One visit of a state: its step, how often its task failed, and the task's last event."""

    step: Step
    entered: datetime
    failures: int = 0
    last_event: str = ""
    last_failure: Mapping[str, Any] = field(default_factory=dict)


def steps_of(history: Sequence[Event], now: datetime | None = None) -> list[Step]:
    """Return one step for each visit of a state, in the order of entry.

    A step is `failed` if its task failed for the last time, if its outcome is a failure, or if the execution ended
    in it.
    """
    now = now or datetime.now(UTC)
    visits: list[_Visit] = []
    for event in history:
        kind = str(event["type"])
        if kind.endswith("StateEntered"):
            visits.append(_enter(event, now))
        elif visits and kind.endswith("StateExited"):
            _leave(visits[-1], event)
        elif visits and kind.startswith("Task"):
            _follow_task(visits[-1], event)
        elif visits and kind in _EXECUTION_FAILURES:
            _stop(visits[-1], event)
    if visits and visits[-1].step.state == "running":
        visits[-1].step.seconds = (now - visits[-1].entered).total_seconds()
    return [visit.step for visit in visits if visit.step.name in _SHOWN]


def _enter(event: Event, now: datetime) -> _Visit:
    details = event["stateEnteredEventDetails"]
    step = Step(details["name"], "running")
    if step.name in _NEXT:
        wait = json.loads(details["input"])["wait_seconds"]
        left = wait - (now - event["timestamp"]).total_seconds()
        step.detail = f"{wait} s, next {_NEXT[step.name]} in {max(left, 0):.0f} s"
    elif step.name == "Await turn":
        step.detail = f"in the queue, for {json.loads(details['input'])['wait_seconds']} s at the longest"
    return _Visit(step, event["timestamp"])


def _follow_task(visit: _Visit, event: Event) -> None:
    visit.last_event = str(event["type"])
    if visit.last_event in _TASK_FAILURES:
        visit.failures += 1
        visit.last_failure = event.get(_TASK_FAILURES[visit.last_event]) or {}
        visit.step.detail = f"failed, will be retried: {visit.last_failure.get('error')}"


def _leave(visit: _Visit, event: Event) -> None:
    step = visit.step
    step.seconds = (event["timestamp"] - visit.entered).total_seconds()
    if step.name in _AWAITED:
        # Whatever ends this wait, the execution goes on: a failure here does not fail the step.
        step.state, step.detail = "done", _end_of_wait(visit)
    elif step.name == "Await turn":
        step.state, step.detail = "done", _turn(visit)
    elif visit.last_event in _TASK_FAILURES:
        step.state, step.detail = "failed", _failure(visit.last_failure, visit.failures)
    else:
        output = json.loads(event["stateExitedEventDetails"].get("output") or "{}")
        failed = step.name == "Report failure" or output.get("outcome") == "failed"
        step.state, step.detail = "failed" if failed else "done", _result(step.name, output)


def _stop(visit: _Visit, event: Event) -> None:
    """End the step in which the execution was when it failed, was aborted or exceeded its time limit."""
    step, kind = visit.step, str(event["type"])
    if step.state == "running":
        step.seconds = (event["timestamp"] - visit.entered).total_seconds()
        step.state = "failed"
        step.detail = _failure({"error": kind, **(event.get(_EXECUTION_FAILURES[kind]) or {})}, visit.failures or 1)


def _end_of_wait(visit: _Visit) -> str:
    by_token, before, by_time_out = _AWAITED[visit.step.name]
    if visit.last_event == "TaskSucceeded":
        return by_token
    # The write of the task token failed: what the state waits for was noted before.
    if visit.last_event == "TaskFailed" and visit.last_failure.get("error") != "States.Timeout":
        return before
    return by_time_out


def _turn(visit: _Visit) -> str:
    if visit.last_event == "TaskSucceeded":
        return "woken for its turn"
    # The write of the task token failed: its turn had come before.
    if visit.last_event == "TaskFailed" and visit.last_failure.get("error") != "States.Timeout":
        return "its turn had come already"
    return "time to look again"


def _failure(failure: Mapping[str, Any], tries: int) -> str:
    """`error: cause (tried n times)`, of the cause its first line. Lambda's cause is JSON with an `errorMessage`."""
    cause = str(failure.get("cause") or "")
    with suppress(ValueError, KeyError, TypeError):  # Step Functions itself writes plain text
        cause = str(json.loads(cause)["errorMessage"])
    first_line = cause.strip().partition("\n")[0]
    text = ": ".join(part for part in (str(failure.get("error") or "unknown error"), first_line) if part)
    return f"{text} (tried {'once' if tries == 1 else f'{tries} times'})"


def _result(name: str, output: Mapping[str, Any]) -> str:
    """What a state returned, in words."""
    wait = f"{output.get('wait_seconds')} s"
    match name:
        case "Prepare media":
            return _outcome(
                output,
                running=f"files are missing, next check in {wait}",
                awaiting="the track is being recorded",
                submit="one file of all segments",
            )
        case "Submit recording":
            return _outcome(output, running=f"accepted, first poll in {wait}", parked="not its turn", **_JOB_OUTCOMES)
        case "Poll job":
            return _outcome(output, running=f"not finished, next poll in {wait}", **_JOB_OUTCOMES)
        case "Wait" | "Wait for files" | "Wait for repair":
            return wait
        case "Report fault":
            return f"goes on in {wait}"
        case "Save insights":
            counts = {kind.replace("_", " "): count for kind, count in output.get("items", {}).items()}
            counts["page of transcript"] = counts.pop("transcript", 0)
            return ", ".join(f"{count} {kind}" for kind, count in counts.items())
        case "Report failure":
            return str(output.get("reason"))
    return ""


def _outcome(output: Mapping[str, Any], **texts: str) -> str:
    """The text for the output's outcome. Without one: the outcome and its reason, of a failure the reason alone."""
    outcome, reason = str(output.get("outcome")), str(output.get("reason") or "")
    if outcome == "failed" and reason:
        return reason
    return texts.get(outcome) or f"{outcome} {reason}".strip()
