"""The command `sweep`: what the last sweep found, or a sweep at once."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.answer import Answer, sentence, table
from cli.errors import FAILED, OK, Conflict
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from operations.sweep_stage import Sweep

COLUMNS = {
    "STEP": lambda line: line.step,
    "LOOKS AT": lambda line: line.looks_at,
    "COUNT": lambda line: line.number,
    "FOUND": lambda line: line.count,
    "MEANS": lambda line: line.meaning,
}
LONGEST_SECONDS = 330
"""The function may run for five minutes."""


def sweep(
    session: Session,
    now: Annotated[bool, typer.Option("--now", help="Sweep at once, and look at everything.")] = False,
) -> Answer:
    """Show what the last sweep found, or sweep at once.

    The stage sweeps every `sweepMinutes`: it finds lost events and callbacks, brings dead letters back and frees slots.
    The exit code is 1 if a step failed.
    """
    if now:
        return answer_of(sweep_now(session))
    from datetime import UTC, datetime

    from operations.sweep_stage import LOOKED_BACK, last_sweep

    found = last_sweep(
        session.client("lambda"), session.client("logs"), session.stage.output("SweepFunctionName"), datetime.now(UTC)
    )
    if found is None:
        days = LOOKED_BACK[-1].days
        text = f"The log has no sweep of the last {days} days. Is sweepMinutes 0? `recordings sweep --now` sweeps."
        return Answer(None, sentence(text), exit_code=FAILED)
    return answer_of(found)


def sweep_now(session: Session) -> "Sweep":
    """Sweep at once. Raises Conflict: another sweep is at work."""
    from botocore.config import Config

    from operations.sweep_stage import sweep_at_once

    # A call that is repeated would be a second sweep.
    once = Config(read_timeout=LONGEST_SECONDS, retries={"total_max_attempts": 1})
    session.say("The stage is being swept, which takes up to five minutes.")
    swept = sweep_at_once(session.client("lambda", config=once), session.stage.output("SweepFunctionName"))
    if swept.is_busy:
        raise Conflict("Another sweep is at work: try again in some minutes.")
    return swept


def answer_of(swept: "Sweep") -> Answer:
    """Show a sweep."""

    def show(console: "Console") -> None:
        if swept.ended_at:
            sentence(f"The last sweep ended at {swept.ended_at}.")(console)
        table(COLUMNS, swept.lines, empty="The sweep found nothing.")(console)
        if swept.unfinished:
            sentence(f"Unfinished, the next sweep goes on: {', '.join(swept.unfinished)}.")(console)

    data = {
        "ended_at": swept.ended_at,
        "busy": swept.is_busy,
        "found": [asdict(line) for line in swept.lines],
        "unfinished": list(swept.unfinished),
    }
    return Answer(data, show, exit_code=FAILED if swept.has_faults else OK)
