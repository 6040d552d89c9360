"""The command that examines a stage."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.answer import Answer
from cli.errors import FAILED, OK
from cli.progress import Progress
from cli.session import Session
from cli.visible import visible, visible_line

if TYPE_CHECKING:
    from rich.console import Console

    from operations.doctor.findings import Finding
    from operations.doctor.patient import Patient

_MARKS: Mapping[str, tuple[str, str]] = {"ok": ("✓", "green"), "wrong": ("✗", "red"), "unknown": ("?", "yellow")}


def doctor(
    session: Session,
    after_deploy: Annotated[
        bool, typer.Option("--after-deploy", help="First wait until S3 events flow, which may take minutes.")
    ] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Leave out checks that write an object.")] = False,
) -> Answer:
    """Examine a stage: what is wrong, and the command that mends it.

    Exit code 1 says that something is wrong.
    """
    found = []
    with Progress(session) as progress:
        for finding in _findings(patient_of(session), progress.show, after_deploy=after_deploy, read_only=read_only):
            found.append(finding)
            if not session.as_json:
                with progress.interrupted():
                    _show(session.out, finding)
    states = Counter(finding.state for finding in found)
    summary = f"{states['ok']} ok, {states['wrong']} wrong, {states['unknown']} unknown"
    return Answer(
        {"stage": session.stage.known_name, **states, "findings": [asdict(finding) for finding in found]},
        lambda console: console.print(summary, markup=False, highlight=False),
        exit_code=FAILED if states["wrong"] else OK,
    )


def patient_of(session: Session) -> "Patient":
    """Return the stage of a session as the doctor examines it."""
    from operations.doctor.admission import Ways, admit

    stage = session.stage
    ways = Ways(stage.client, stage.table, stage.api.send, stage.fetch)
    return admit(stage.known_name, stage.outputs, stage.region, ways, Path.cwd() / "stages")


def _findings(
    patient: "Patient", report: Callable[[str], None], *, after_deploy: bool, read_only: bool
) -> "Iterator[Finding]":
    from operations.doctor import after_deploy as flow
    from operations.doctor.examine import examine

    if after_deploy:
        yield flow.after_deploy(patient, report=report)
    yield from examine(patient, read_only=read_only, report=report)


def _show(console: "Console", finding: Any) -> None:
    from rich.text import Text

    mark, style = _MARKS[finding.state]
    line = Text.assemble((mark, style), f" {finding.check:<16} ", visible_line(finding.what))
    console.print(line, soft_wrap=True)
    if finding.mend:
        console.print(Text(f"  → {visible(finding.mend)}"), soft_wrap=True)
