"""An execution's history as the steps that a person follows, and their picture in the terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

State = Literal["running", "done", "failed"]
_MARKS: Mapping[State, str] = {"running": "…", "done": "✓", "failed": "✗"}
_STYLES: Mapping[State, str] = {"running": "yellow", "done": "green", "failed": "red"}
_SHOWN = {
    "Prepare media",
    "Wait for files",
    "Submit recording",
    "Await callback",
    "Wait",
    "Poll job",
    "Save insights",
    "Report failure",
}


@dataclass
class Step:
    """One line: a visit, or several as one. `seconds` spent so far, `times` entered."""

    name: str
    state: State
    seconds: float = 0.0
    detail: str = ""
    times: int = 1


def steps_of(history: Sequence[Mapping[str, Any]], now: datetime | None = None) -> list[Step]:
    """Each visit of a state of an execution, in the order of entry."""
    now = now or datetime.now(UTC)
    visits: list[Step] = []
    steps: dict[str, Step] = {}
    entered: dict[str, datetime] = {}
    last = ""
    for event in history:
        kind = str(event["type"])
        if kind.endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            step = steps[name] = Step(name, "running")
            visits.append(step)
            entered[name] = event["timestamp"]
            if name in ("Wait", "Wait for files"):
                wait = json.loads(event["stateEnteredEventDetails"]["input"])["wait_seconds"]
                left = wait - (now - event["timestamp"]).total_seconds()
                step.detail = f"{wait} s, next {'poll' if name == 'Wait' else 'look'} in {max(left, 0):.0f} s"
        elif kind.endswith("StateExited"):
            name = event["stateExitedEventDetails"]["name"]
            step = steps[name]
            step.state = "failed" if name == "Report failure" else "done"
            step.seconds = (event["timestamp"] - entered.pop(name)).total_seconds()
            step.detail = _said(name, event["stateExitedEventDetails"].get("output"))
            if name == "Await callback":
                how = {"TaskSucceeded": "called back", "TaskFailed": "called back already"}
                step.detail = how.get(last, "not called back in time")
        elif kind in ("TaskFailed", "TaskTimedOut") and entered:
            name = next(reversed(entered))
            details = event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails") or {}
            steps[name].detail = f"fault, will be repeated: {details.get('error')}"
        last = kind
    for name, since in entered.items():
        steps[name].seconds = (now - since).total_seconds()
    return [step for step in visits if step.name in _SHOWN]


def folded(steps: Sequence[Step]) -> list[Step]:
    """A loop as one line: what its last visit says, with the time and the number of all."""
    lines: dict[str, Step] = {}
    for step in steps:
        before = lines.get(step.name)
        if before:
            step = replace(step, seconds=before.seconds + step.seconds, times=before.times + step.times)
        lines[step.name] = step
    return list(lines.values())


def _said(name: str, output: str | None) -> str:
    said = json.loads(output or "{}")
    match name:
        case "Prepare media":
            words = {
                "running": f"not all of it is there, looks again in {said.get('wait_seconds')} s",
                "submit": "one file of all slices",
            }
            return words.get(str(said.get("outcome")), str(said.get("reason")))
        case "Submit recording" | "Poll job":
            words = {
                "running": f"not finished, asks again in {said.get('wait_seconds')} s",
                "awaiting": "taken, will call back",
                "succeeded": "finished",
            }
            if name == "Submit recording":
                words["running"] = f"taken, first poll in {said.get('wait_seconds')} s"
            outcome = str(said.get("outcome"))
            return words.get(outcome, f"{outcome} {said.get('reason') or ''}".strip())
        case "Wait" | "Wait for files":
            return f"{said.get('wait_seconds')} s"
        case "Save insights":
            kinds = {kind.replace("_", " "): count for kind, count in said.get("items", {}).items()}
            kinds["page of transcript"] = kinds.pop("transcript", 0)
            return ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        case "Report failure":
            return str(said.get("reason"))
    return ""


@dataclass
class LiveTimeline:
    """Shows steps as they change: redrawn in a terminal, elsewhere a line for each visit that is over."""

    console: Console
    _live: Live | None = None
    _printed: int = 0

    def __enter__(self) -> "LiveTimeline":
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, steps: Sequence[Step]) -> None:
        """Draw the present state; `steps` only ever grow at their end."""
        if self._live:
            self._live.update(_picture(folded(steps)))
            return
        # Looks come seldom and a loop may turn between two of them: what is printed follows the visits, not the looks.
        for step in steps[self._printed :]:
            if step.state == "running":
                break
            self._printed += 1
            line = f"  {_MARKS[step.state]} {step.name:<18} {step.detail}"
            self.console.print(line, highlight=False, soft_wrap=True, markup=False)


def _picture(steps: Sequence[Step]) -> Group:
    table = Table.grid(padding=(0, 2))
    for step in steps:
        mark = Spinner("dots", style="yellow") if step.state == "running" else Text(_MARKS[step.state])
        times = f" ×{step.times}" if step.times > 1 else ""
        table.add_row(
            mark,
            Text(step.name + times, style=_STYLES[step.state]),
            Text(f"{step.seconds:5.1f} s", style="dim"),
            Text(step.detail),
        )
    return Group(table)
