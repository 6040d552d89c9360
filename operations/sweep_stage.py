"""Sweep a stage at once, and read what its last sweep found."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.deployed_stack import OperationFailed

LOOKED_BACK = (timedelta(hours=2), timedelta(days=1), timedelta(days=8))
"""The last sweep is looked for in this much of the log, in more of it only if there is none."""
RIGHTS = ("lambda:InvokeFunction", "lambda:GetFunctionConfiguration", "logs:FilterLogEvents")

STEPS: Mapping[str, str] = {
    "arrivals": "dead letters of arrivals",
    "transcripts": "dead letters of transcripts for the model",
    "dead_letters": "dead letters of the other functions",
    "results": "results that vendors delivered",
    "kept_results": "results that vendors sent",
    "media": "objects in the recordings bucket",
    "uploads": "uploads whose file did not come",
    "rows": "unfinished media objects",
    "jobs": "jobs whose result nobody fetched",
    "turns": "slots and queues of providers",
    "erases": "recordings that are being erased",
    "retention": "what the retention does not keep",
}
"""What each step looks at. The steps are in the order of a sweep."""
COUNTS: Mapping[str, str] = {
    "moved_back": "SQS moves all messages back to their queue",
    "handled": "the event was handled as the function would have done",
    "noted": "a lost callback: the wait for this result has ended",
    "known already": "the result is known",
    "over already": "the media object has ended",
    "of a job that was given up": "the result of an earlier try",
    "erased": "its recording was erased, so the result was deleted",
    "nothing to do": "a message that reports no end",
    "refused": "the content cannot be used",
    "of no job": "the result belongs to no job here",
    "admitted": "a lost event: the object is processed now",
    "ignored": "no media object",
    "left_alone": "older than the first sweep, so never submitted: a backfill takes it",
    "missing": "no file came: the upload ended",
    "ended": "ended meanwhile",
    "unfinished": "an execution works on it, now or again",
    "fetched": "the result is fetched once more",
    "left_queue": "one that had ended was taken out of a queue",
    "freed": "a slot was freed whose holder had ended",
    "probers": "another media object tries a provider that is away",
    "woken": "a media object was woken that has its turn",
    "erases_begun": "the erase goes on, which had stopped",
    "erasing": "the erase is at work",
    "media_begun": "the deletion of the media began",
    "media_at_work": "the deletion of the media is at work",
    "segments_begun": "the deletion of the segments began",
    "segments_at_work": "the deletion of the segments is at work",
    "insights_begun": "the deletion of the recording began",
    "insights_at_work": "the deletion of the recording is at work",
    "paused": "left out: the intake is paused",
    "faults": "failed, and is tried again in the next sweep: read the log of the sweep",
}
"""What each count of a step means, for one of what was counted."""


@dataclass(frozen=True)
class Line:
    """One count of a sweep: the step, what it looks at, the count, and what it means."""

    step: str
    looks_at: str
    count: str
    number: int
    meaning: str


@dataclass(frozen=True)
class Sweep:
    """A sweep that has ended. `is_busy`: another one was at work. `unfinished` are steps that go on in the next one."""

    lines: tuple[Line, ...]
    unfinished: tuple[str, ...] = ()
    is_busy: bool = False
    ended_at: str | None = None

    @property
    def has_faults(self) -> bool:
        return any(line.count == "faults" for line in self.lines)


def read_counts(counts: Mapping[str, Any], ended_at: str | None = None) -> Sweep:
    """Read what the function of the sweep returns and logs."""
    return Sweep(tuple(_lines(counts)), tuple(counts.get("unfinished", ())), bool(counts.get("busy")), ended_at)


def _lines(counts: Mapping[str, Any]) -> Iterator[Line]:
    for step, found in counts.items():
        if isinstance(found, Mapping):
            for count, number in found.items():
                yield Line(step, STEPS.get(step, "–"), count, int(number), COUNTS.get(count, "–"))


def sweep_at_once(client: Any, function: str) -> Sweep:
    """Have everything looked at now, however young it is. It takes up to five minutes.

    `client` is that of Lambda. It must not repeat the call, and must wait longer than the function may run.

    Raises:
        OperationFailed: the function failed, or ran out of time.
    """
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"at_once": True}).encode())
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        kind = payload.get("errorType", "an error") if isinstance(payload, dict) else "an error"
        raise OperationFailed(
            f"The sweep failed ({kind}): its log has the error. `recordings logs --level error` reads it."
        )
    return read_counts(payload)


def last_sweep(lambdas: Any, logs: Any, function: str, now: datetime) -> Sweep | None:
    """Return the last sweep of which the log tells; None if there was none within eight days.

    `lambdas` and `logs` are clients of Lambda and of CloudWatch Logs.
    """
    group = lambdas.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    for back in LOOKED_BACK:
        since = int((now - back).timestamp() * 1000)
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since, filterPattern='"swept"'
        )
        lines = [each for each in map(_swept, (event for page in pages for event in page["events"])) if each]
        if lines:
            return max(lines, key=lambda sweep: sweep.ended_at or "")
    return None


def _swept(event: Mapping[str, Any]) -> Sweep | None:
    try:
        record = json.loads(event["message"])
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("message") != "swept" or "busy" in record.get("counts", {}):
        return None
    ended = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return read_counts(record.get("counts", {}), ended.isoformat(timespec="seconds"))
