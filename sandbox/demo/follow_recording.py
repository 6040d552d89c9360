"""Records one conversation through the real stack, and follows it until its insights are printed."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from cli.terminal.insights import print_cost, print_insights, print_transcript
from cli.terminal.steps import LiveSteps
from cli.timeline.follow import Follower
from cli.timeline.histories import StepFunctionsHistories
from cli.timeline.recording_steps import ENDED, READY, Row
from cli.timeline.step import Step
from sandbox.cloud.local_stack import LocalStack
from sandbox.demo.print_places import print_places
from sandbox.demo.recording_plan import DemoError, RecordingPlan, check_media

PATIENCE_SECONDS = 600
RECORD_WITHIN_SECONDS = 5
"""Agora's stand-in plays any media so fast that the recording takes this long."""
PAUSE_SECONDS = 0.4


def run_demo(
    stack: LocalStack, console: Console, plan: RecordingPlan, *, as_json: bool = False, more: Sequence[str] = ()
) -> int:
    """Start a recording through the API, follow it, and print its insights. Return the exit code.

    The exit code is 0 if the recording ends as `done` or `partial`. With `as_json` standard output gets the insights
    as the API returned them, and nothing else. `more` are lines for the end, in which `{recording_id}` is replaced.

    Raises:
        DemoError: the API refuses the recording, or it has no result within PATIENCE_SECONDS.
    """
    speed = max(check_media(plan.media) / RECORD_WITHIN_SECONDS, 1.0)
    # Agora notifies the stack as it would a stage whose webhook is set up: the stack learns at once that all have left.
    webhook = f"{stack.api_url}/webhooks/agora"
    stack.dials(agora={**plan.dials, "speed": speed, "idle_speed": 600.0, "notifications_url": webhook})
    channel = f"demo {datetime.now(UTC):%H-%M-%S}"
    started = stack.call_api("POST", "/recordings", json={"channel": channel, **plan.request})
    if started.status_code != 201:
        raise DemoError(f"POST /recordings answered HTTP {started.status_code}: {started.text}")
    recording_id = started.json()["recording_id"]
    recording = _follow(stack, console, recording_id, plan.media_objects)
    console.print()
    insights = stack.call_api("GET", f"/recordings/{recording_id}/insights").json()
    if as_json:
        print(json.dumps(insights, indent=2, ensure_ascii=False))
    else:
        print_transcript(console, insights)
        print_insights(console, insights)
        print_places(console, stack.outputs, recording)
        console.rule("What it would have cost")
        print_cost(console, recording["cost"])
    for line in more:
        console.print(line.replace("{recording_id}", recording_id), markup=False, highlight=False, soft_wrap=True)
    return 0 if recording["status"] in READY else 1


def _follow(stack: LocalStack, console: Console, recording_id: str, media_objects: int) -> dict[str, Any]:
    """Show each step until the recording has a terminal status, and return it."""
    ends = time.monotonic() + PATIENCE_SECONDS
    status = ""

    def read() -> dict[str, Any]:
        nonlocal status
        recording: dict[str, Any] = stack.call_api("GET", f"/recordings/{recording_id}").json()
        status = recording["status"]
        return recording

    def show(steps: Sequence[Step]) -> None:
        live.show(steps)
        if time.monotonic() > ends:
            raise DemoError(
                f"The recording is still {status} after {PATIENCE_SECONDS} s. "
                "Read local-cloud.log and stand-ins.log in the folder `logs` beside stack.json."
            )

    histories = StepFunctionsHistories(
        lambda: (stack.client("stepfunctions"), stack.outputs["WorkflowArn"]), lambda reason: console.print(reason)
    )
    with LiveSteps(console) as live:
        follower = Follower(read, show, console.print, histories, PAUSE_SECONDS)
        return follower.follow(lambda recording: _is_enough(recording, media_objects))


def _is_enough(recording: Row, media_objects: int) -> bool:
    """Whether all media objects have a result, and what a model derives of them is there."""
    if recording["status"] not in ENDED or recording["insights"] == "pending":
        return False
    return len(recording.get("media", [])) in (0, media_objects)
