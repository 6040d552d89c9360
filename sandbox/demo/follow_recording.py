"""`make demo`: one recording through the real stack, watched step by step."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.cloud.local_stack import LocalStack
from sandbox.demo.execution_cost import Cost, cost_of, memory_of_tasks
from sandbox.demo.execution_steps import LiveTimeline, Step, steps_of
from sandbox.sample.conversation import SAMPLE

FORMATS = (".mp4", ".m4a", ".mp3", ".wav")
PATIENCE_SECONDS = 600
RECORD_WITHIN_SECONDS = 5
"""Agora's stand-in plays whatever it records so fast that it takes this long; then it waits for nobody."""
_ENDED = ("done", "partial", "failed", "empty")
_SPEAKER_STYLES = ("cyan", "magenta", "green", "yellow")


MODES = ("mix", "individual")
STREAM_MODES = ("default", "original")
SPEAKERS = {"1001": "Agent", "1002": "Caller"}
"""Who is in the channel in individual mode, in the order in which the sample's voices are first heard."""
MUTE = {"uid": "1002", "from_seconds": 20.0, "to_seconds": 26.0}
"""Of what is muted, `original` records nothing: the slices have a hole."""


@dataclass(frozen=True)
class Take:
    """What the demo records and how: `parts` is into how many MP4s Agora cuts a recording in mode mix."""

    media: Path = SAMPLE
    mode: str = "mix"
    stream_mode: str = "default"
    parts: int = 1

    @property
    def request(self) -> dict[str, Any]:
        """The body of POST /recordings, but for the channel."""
        if self.mode == "mix":
            return {}
        return {"mode": self.mode, "stream_mode": self.stream_mode, "speakers": SPEAKERS}

    @property
    def dials(self) -> dict[str, Any]:
        """Of Agora's stand-in."""
        muted = [MUTE] if self.mode == "individual" and self.stream_mode == "original" else []
        return {"media_path": str(self.media.resolve()), "parts": self.parts, "uids": list(SPEAKERS), "mutes": muted}

    @property
    def media_objects(self) -> int:
        """How many come of it."""
        return self.parts if self.mode == "mix" else len(SPEAKERS)


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


def check_media(path: Path) -> float:
    """Length in seconds of a file that the demo can record.

    Raises:
        DemoError: it is not there, of another format, or has no sound.
    """
    if not path.is_file():
        raise DemoError(f"{path}: there is no such file")
    if path.suffix.lower() not in FORMATS:
        raise DemoError(f"{path}: takes {', '.join(FORMATS)}")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise DemoError(f"{path}: has no sound")
            return float((container.duration or 0) / av.time_base)
    except av.error.FFmpegError as error:
        raise DemoError(f"{path}: cannot be read as media ({error.strerror})") from error


def run_demo(stack: LocalStack, console: Console, take: Take, *, as_json: bool = False) -> int:
    """Start a recording through the API, watch it, print what came out; 0 if it ended as insights.

    Each part or track has an execution of its own; the first one is shown. With `as_json` the insights go to the
    standard output as the API gave them, and nothing else does.
    """
    speed = max(check_media(take.media) / RECORD_WITHIN_SECONDS, 1.0)
    stack.dials(agora={**take.dials, "speed": speed, "idle_speed": 600.0})
    began = time.monotonic()
    channel = f"demo {datetime.now(UTC):%H-%M-%S}"
    started = stack.call_api("POST", "/recordings", json={"channel": channel, **take.request})
    if started.status_code != 201:
        raise DemoError(f"POST /recordings answered {started.status_code}: {started.text}")
    recording_id = started.json()["recording_id"]
    row, history = _watch(stack, console, recording_id, began, take.media_objects)
    console.print()
    insights = stack.call_api("GET", f"/recordings/{recording_id}/insights").json()
    if as_json:
        print(json.dumps(insights, indent=2, ensure_ascii=False))
    else:
        _print_insights(console, insights)
        _print_places(console, stack, row)
        memory = memory_of_tasks(stack.client("stepfunctions"), stack.client("lambda"), stack.outputs["WorkflowArn"])
        _print_cost(console, cost_of(history, memory), take)
    return 0 if row["status"] in ("done", "partial") else 1


def _watch(
    stack: LocalStack, console: Console, recording_id: str, began: float, media_objects: int
) -> tuple[dict[str, Any], Sequence[Mapping[str, Any]]]:
    step_functions = stack.client("stepfunctions")
    ended: dict[str, float] = {"Start recording": time.monotonic() - began}
    with LiveTimeline(console) as timeline:
        while True:
            row: dict[str, Any] = stack.call_api("GET", f"/recordings/{recording_id}").json()
            arn = _execution_of(step_functions, stack.outputs["WorkflowArn"], row)
            history = step_functions.get_execution_history(executionArn=arn, maxResults=1000)["events"] if arn else []
            timeline.show([*_before_workflow(row, began, ended), *steps_of(history)])
            over = history and history[-1]["type"] in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted")
            if row["status"] in _ENDED and (over or not arn) and len(row.get("media", [])) in (0, media_objects):
                return row, history
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise DemoError(f"no result within {PATIENCE_SECONDS} s; the recording is {row['status']}")
            time.sleep(0.4)


def _before_workflow(row: Mapping[str, Any], began: float, ended: dict[str, float]) -> list[Step]:
    now = time.monotonic() - began
    steps = [Step("Start recording", "done", ended["Start recording"], f"POST /recordings → sid {row.get('sid')}")]
    if row.get("media"):
        ended.setdefault("Record", now)
    live = row.get("live") or {}
    recorded = Step("Record", "running", now - ended["Start recording"], f"Agora: {live.get('meaning', row['status'])}")
    if "Record" in ended:
        recorded = Step("Record", "done", ended["Record"] - ended["Start recording"], "Agora left the channel")
    steps.append(recorded)
    if keys := [str(media["key"]) for media in row.get("media", [])]:
        others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        steps.append(Step("Arrive in S3", "done", 0.0, f"{keys[0]}{others}"))
    return steps


def _execution_of(step_functions: Any, workflow_arn: str, row: Mapping[str, Any]) -> str | None:
    media = row.get("media")
    if not media:
        return None
    executions = step_functions.list_executions(stateMachineArn=workflow_arn)["executions"]
    return next((e["executionArn"] for e in executions if e["name"].endswith(media[0]["media_id"])), None)


def _print_insights(console: Console, insights: Mapping[str, Any]) -> None:
    console.rule("Transcript")
    speakers: dict[str, str] = {}
    for line in insights["transcript"]:
        speaker = str(line.get("speaker_name") or f"speaker {line.get('speaker', '?')}")
        style = speakers.setdefault(speaker, _SPEAKER_STYLES[len(speakers) % len(_SPEAKER_STYLES)])
        console.print(
            Text.assemble(
                (_at(line.get("start_ms")), "dim"),
                (f"{speaker}: ", style),
                line["text"],
                (f"  {line['sentiment']:+.2f}" if "sentiment" in line else "", "dim"),
            ),
            soft_wrap=True,
        )
    console.rule("Insights")
    table = Table.grid(padding=(0, 2))
    if insights.get("summary"):
        table.add_row("summary", Text(insights["summary"]))
    if "sentiment" in insights:
        table.add_row("sentiment", f"{insights['sentiment']:+.2f}")
    for kind in ("topics", "action_items", "follow_ups", "questions"):
        if insights[kind]:
            table.add_row(kind.replace("_", " "), Text("\n".join(entry["text"] for entry in insights[kind])))
    if insights["emotions"]:
        counted = {e["emotion"] for e in insights["emotions"]}
        table.add_row("emotions", ", ".join(sorted(counted)))
    if insights["ratings"]:
        table.add_row("ratings", Text("\n".join(f"{name} {value}" for name, value in insights["ratings"].items())))
    for name in ("missing", "reason"):
        if insights.get(name):
            table.add_row(name, Text(str(insights[name])))
    console.print(table)


def _at(ms: int | None) -> str:
    """A time in the recording; some providers tell none."""
    return "" if ms is None else f"{ms // 60_000:02d}:{ms / 1000 % 60:04.1f} "


def _print_places(console: Console, stack: LocalStack, row: Mapping[str, Any]) -> None:
    console.rule("Where it lies")
    places = [("row", f"table {stack.outputs['InsightsTableName']}, pk {row['recording_id']}")]
    for media in row.get("media", []):
        places.append(("recording", f"s3://{stack.outputs['RecordingsBucketName']}/{media['key']}"))
        if media.get("reply"):
            places.append(("raw reply", f"s3://{stack.outputs['RepliesBucketName']}/{media['reply']}"))
    for name, place in places:
        # Not in a table: a place that is cut off cannot be copied.
        console.print(f"{name:<11}{place}", soft_wrap=True, highlight=False, markup=False)


def _print_cost(console: Console, cost: Cost, take: Take) -> None:
    what = "each track" if take.mode == "individual" else "it" if take.parts == 1 else "each part"
    console.rule(f"What {what} would have cost on AWS")
    table = Table.grid(padding=(0, 2))
    table.add_row("Step Functions", f"{cost.transitions} state transitions", f"${cost.step_functions:.6f}")
    table.add_row("Lambda", f"{cost.invocations} calls, {cost.gb_seconds:.2f} GB-s", f"${cost.functions:.6f}")
    table.add_row("together", "", f"${cost.total:.6f}")
    console.print(table)
    console.print("us-east-1, without free tiers, the provider's price, and the watch beside it", style="dim")
