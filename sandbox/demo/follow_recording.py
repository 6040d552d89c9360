"""Records one conversation through the real stack, and follows it until its insights are printed."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from recording_insights.model.status import ENDED
from sandbox.cloud.local_stack import LocalStack
from sandbox.demo.execution_steps import steps_of
from sandbox.demo.print_result import print_cost, print_insights, print_places, print_transcript
from sandbox.demo.recording_plan import DemoError, RecordingPlan, check_media
from sandbox.terminal.steps import LiveSteps, Step

PATIENCE_SECONDS = 600
RECORD_WITHIN_SECONDS = 5
"""Agora's stand-in plays any media so fast that the recording takes this long."""
_EXECUTION_ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")

History = Sequence[Mapping[str, Any]]


def run_demo(stack: LocalStack, console: Console, plan: RecordingPlan, *, as_json: bool = False) -> int:
    """Start a recording through the API, follow it, and print its insights. Return the exit code.

    The exit code is 0 if the recording ends as `done` or `partial`. Each part or track has its own execution; the
    first one is shown. With `as_json` standard output gets the insights as the API returned them, and nothing else.

    Raises:
        DemoError: the API refuses the recording, or it has no result within PATIENCE_SECONDS.
    """
    speed = max(check_media(plan.media) / RECORD_WITHIN_SECONDS, 1.0)
    stack.dials(agora={**plan.dials, "speed": speed, "idle_speed": 600.0})
    began = time.monotonic()
    channel = f"demo {datetime.now(UTC):%H-%M-%S}"
    started = stack.call_api("POST", "/recordings", json={"channel": channel, **plan.request})
    if started.status_code != 201:
        raise DemoError(f"POST /recordings answered HTTP {started.status_code}: {started.text}")
    recording_id = started.json()["recording_id"]
    recording = _follow(stack, console, recording_id, began, plan.media_objects)
    console.print()
    insights = stack.call_api("GET", f"/recordings/{recording_id}/insights").json()
    if as_json:
        print(json.dumps(insights, indent=2, ensure_ascii=False))
    else:
        print_transcript(console, insights)
        print_insights(console, insights)
        print_places(console, stack.outputs, recording)
        print_cost(console, recording["cost"])
    return 0 if recording["status"] in ("done", "partial") else 1


def _follow(stack: LocalStack, console: Console, recording_id: str, began: float, media_objects: int) -> dict[str, Any]:
    """Show each step until the recording has a terminal status, and return it."""
    step_functions = stack.client("stepfunctions")
    ended: dict[str, float] = {"Start recording": time.monotonic() - began}
    with LiveSteps(console) as live:
        while True:
            recording: dict[str, Any] = stack.call_api("GET", f"/recordings/{recording_id}").json()
            arn = _execution_of(step_functions, stack.outputs["WorkflowArn"], recording)
            history = step_functions.get_execution_history(executionArn=arn, maxResults=1000)["events"] if arn else []
            derived = _steps_after_execution(recording, began, ended)
            live.show([*_steps_before_execution(recording, began, ended), *steps_of(history), *derived])
            if _has_ended(recording, history, media_objects):
                return recording
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise DemoError(
                    f"The recording is still {recording['status']} after {PATIENCE_SECONDS} s. "
                    "Read local-cloud.log and stand-ins.log in the folder `logs` beside stack.json."
                )
            time.sleep(0.4)


def _has_ended(recording: Mapping[str, Any], history: History, media_objects: int) -> bool:
    if recording["status"] not in ENDED or len(recording.get("media", [])) not in (0, media_objects):
        return False
    if recording["insights"] == "pending":
        return False
    return not history or history[-1]["type"] in _EXECUTION_ENDS


def _steps_before_execution(recording: Mapping[str, Any], began: float, ended: dict[str, float]) -> list[Step]:
    """The steps until the media is in S3. `ended` keeps when each one ended, in seconds since `began`."""
    now = time.monotonic() - began
    start = ended["Start recording"]
    steps = [Step("Start recording", "done", start, f"POST /recordings → sid {recording.get('sid')}")]
    keys = [str(media["key"]) for media in recording.get("media", [])]
    if keys:
        ended.setdefault("Record", now)
    if "Record" in ended:
        steps.append(Step("Record", "done", ended["Record"] - start, "Agora left the channel"))
    else:
        meaning = (recording.get("live") or {}).get("meaning", recording["status"])
        steps.append(Step("Record", "running", now - start, f"Agora: {meaning}"))
    if keys:
        others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        steps.append(Step("Arrive in S3", "done", 0.0, f"{keys[0]}{others}"))
    return steps


def _steps_after_execution(recording: Mapping[str, Any], began: float, ended: dict[str, float]) -> list[Step]:
    """The step in which a model derives insights, once the transcript is there. `ended` keeps the times of steps."""
    if recording["status"] not in ENDED or recording["insights"] == "off":
        return []
    now = time.monotonic() - began
    since = ended.setdefault("Save insights", now)
    if recording["insights"] == "pending":
        has_left = "channel" not in recording or "stopped_at" in recording
        why = "by the model in Bedrock" if has_left else "waits until the watch notices that the recorder has left"
        return [Step("Derive insights", "running", now - since, why)]
    seconds = ended.setdefault("Derive insights", now) - since
    return [Step("Derive insights", "done", seconds, recording.get("insights_reason", recording["insights"]))]


def _execution_of(step_functions: Any, workflow_arn: str, recording: Mapping[str, Any]) -> str | None:
    """ARN of the execution of the recording's first media object."""
    media = recording.get("media")
    if not media:
        return None
    executions = step_functions.list_executions(stateMachineArn=workflow_arn)["executions"]
    return next((e["executionArn"] for e in executions if media[0]["media_id"] in e["name"]), None)
