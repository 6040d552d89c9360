"""The command `why`: where a recording is, what it waits for, and what ends that."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.answer import Answer
from cli.errors import CommandFailed
from cli.session import Session
from cli.values import recording_id
from cli.visible import visible_line

if TYPE_CHECKING:
    from rich.console import Console

    from operations.machine_states import Machines
    from operations.why import Explanation, Part


def why(session: Session, recording: Annotated[str, typer.Argument(metavar="ID", help="The recording.")]) -> Answer:
    """Say what a recording waits for: since when, what ends it and when at the latest, and the command that helps.

    Without rights on Step Functions it says what the API knows.
    """
    from operations.why import Explainer

    row = session.api.call("GET", f"/recordings/{recording_id(recording)}")
    notes: list[str] = []
    explainer = Explainer(
        session.stage.name or "STAGE",
        _providers(session, notes),
        _machines(session, notes),
        _console(session),
        _said,
        notes,
    )
    explanation = explainer.explain(row)
    return Answer(explanation.document(), lambda console: _show(console, explanation))


def _providers(session: Session, notes: list[str]) -> Mapping[str, Mapping[str, Any]]:
    try:
        answer = session.api.call("GET", "/providers")
    except CommandFailed as failure:
        notes.append(f"The states of the providers are not known: {failure}")
        return {}
    return {row["provider"]: row for row in answer["providers"]}


def _machines(session: Session, notes: list[str]) -> "Machines | None":
    from botocore.exceptions import BotoCoreError, ClientError

    from operations.deployed_stack import OperationFailed
    from operations.machine_states import Machines

    if session.stage.name is None:
        notes.append("States of executions are not known, nor settings: that needs AWS and the name of the stage.")
        return None
    try:
        return Machines(session.client("stepfunctions"), session.client("lambda"), session.outputs)
    except (CommandFailed, OperationFailed) as failure:
        notes.append(f"States of executions are not known, nor settings: {failure}")
    except (BotoCoreError, ClientError) as error:
        notes.append(f"States of executions are not known, nor settings: {_said(error)}")
    return None


def _said(error: Exception) -> str:
    from cli.stage import explained

    return str(explained(error))


def _console(session: Session) -> Any:
    """Return what makes the address of an execution's page; None on the local stack, whose cloud has no console."""

    def address(arn: str) -> str | None:
        if session.stage.is_local:
            return None
        partition, region = arn.split(":")[1], arn.split(":")[3]
        domain = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(
            partition, "console.aws.amazon.com"
        )
        return f"https://{region}.{domain}/states/home?region={region}#/v2/executions/details/{arn}"

    return address


def _show(console: "Console", explanation: "Explanation") -> None:
    def line(text: str) -> None:
        console.print(visible_line(text), markup=False, highlight=False, soft_wrap=True)

    def indented(name: str, text: object) -> None:
        console.print(f"  {name:<10} {visible_line(text)}", markup=False, highlight=False, soft_wrap=True)

    line(f"Recording {explanation.recording_id} is {explanation.status}. {explanation.sentence}")
    if explanation.counts:
        counted = ", ".join(f"{number} {status}" for status, number in sorted(explanation.counts.items()))
        indented("media", counted)
    if explanation.meaning:
        indented("code", f"{explanation.code}: {explanation.meaning}")
    if not explanation.parts and explanation.command:
        indented("command", explanation.command)
    for part in explanation.parts:
        line(_title(part))
        for name, text in _facts(part):
            indented(name, text)
    for note in explanation.notes:
        line(note)


def _title(part: "Part") -> str:
    at = f" at {part.provider}" if part.provider else ""
    number = f", try {part.try_number}" if part.try_number is not None else ""
    stage = f" in {part.stage}" if part.stage else ""
    since = f" since {part.since}" if part.since else ""
    return f"{part.of} {part.name}{number}{at}: {part.status}{stage}{since}"


def _facts(part: "Part") -> Iterator[tuple[str, str]]:
    """Yield what is known of a part, each with its name."""
    turn = f", expected turn at {part.expected_at}" if part.expected_at else ""
    facts = (
        ("waits for", part.waits_for),
        ("queue", f"place {part.queue_position}{turn}" if part.queue_position else None),
        ("expected", part.expected_at if not part.queue_position else None),
        ("provider", part.provider_state),
        ("state", f"{part.state} Since {part.state_since}." if part.state else None),
        ("ends", part.ends),
        ("next", part.next_at),
        ("at latest", " ".join(filter(None, (part.latest_at, f"({part.limit})" if part.limit else "")))),
        ("code", " ".join(filter(None, (f"{part.code}:", part.meaning, part.advice))) if part.code else None),
        ("reason", part.reason),
        ("command", part.command),
        ("console", part.console),
    )
    yield from ((name, text) for name, text in facts if text)
