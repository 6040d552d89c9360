"""The command `logs`: the records of a stage, or of one recording, wherever they were written."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.answer import Answer, sentence
from cli.errors import Conflict, NotFound
from cli.session import Session
from cli.values import moment, recording_id
from cli.visible import visible

if TYPE_CHECKING:
    from operations.log_record import Record
    from operations.stage_logs import StageLogs, Wanted

EARLIER_MS = 60_000
"""Records of a recording that were written before its row, such as the arrival of its file."""
DEFAULT_OF_A_STAGE, DEFAULT_OF_ONE_GONE = "1h", "7d"
POLL_SECONDS, QUIET_SECONDS = 2.0, 2.0


def logs(
    session: Session,
    recording: Annotated[str | None, typer.Argument(metavar="ID", help="One recording. By default the stage.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="From then on: a moment, or 24h, 7d ago. By default the recording's begin, or 1h."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before then.")] = None,
    level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(help="This level and those above.")
    ] = "debug",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many records, the earliest.")] = 1000,
) -> Answer | None:
    """Print the log of a recording: what functions, state machines and the API wrote about it.

    The records are in the order of their times. With --json each is one line.
    """
    from operations.stage_logs import Wanted

    wanted_id = recording_id(recording) if recording else ""
    begin = moment(since, "--since") or _begin_of(session, wanted_id)
    end = moment(until, "--until")
    wanted = Wanted(
        _ms(begin) - (0 if since else EARLIER_MS), _ms(end) - 1 if end else None, wanted_id, limit, level.upper()
    )
    reader = _reader(session)
    if follow:
        for record in reader.follow(wanted, _wait):
            _print(session, record)
        return None
    return _printed(session, reader, wanted)


def _printed(session: Session, reader: "StageLogs", wanted: "Wanted") -> Answer | None:
    from cli.progress import Progress

    began = time.monotonic()
    with Progress(session) as progress:

        def report(done: int, all_of: int) -> None:
            if time.monotonic() - began > QUIET_SECONDS:
                progress.show(f"Read {done} of {all_of} log groups.")

        found = reader.find(wanted, report)
    for record in found.records:
        _print(session, record)
    if found.has_more:
        last = found.records[-1].time.isoformat(timespec="milliseconds")
        session.say(f"These are the first {wanted.limit} records. Go on with --since {last}, or raise --limit.")
    if found.records or session.as_json:
        return None
    return Answer([], sentence("There are no such records. Records come up to half a minute late."))


def _print(session: Session, record: "Record") -> None:
    if session.as_json:
        session.line(record.document())
    else:
        session.out.print(visible(record.line()), markup=False, highlight=False, soft_wrap=True)


def _reader(session: Session) -> "StageLogs":
    from botocore.config import Config

    from operations.stage_logs import StageLogs, log_groups

    # AWS throttles readers of logs early.
    patient = Config(retries={"mode": "adaptive", "max_attempts": 10})
    return StageLogs(session.client("logs", config=patient), log_groups(session.stage.known_name, session.client))


def _begin_of(session: Session, wanted: str) -> str:
    """Return from when on records are read, if nobody says it."""
    if not wanted:
        return str(moment(DEFAULT_OF_A_STAGE, "--since"))
    try:
        row: dict[str, Any] = session.api.call("GET", f"/recordings/{wanted}")
    except (NotFound, Conflict) as failure:
        session.say(f"{failure} These are records of the last {DEFAULT_OF_ONE_GONE}.")
        return str(moment(DEFAULT_OF_ONE_GONE, "--since"))
    return str(row["created_at"])


def _ms(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _wait() -> float:
    time.sleep(POLL_SECONDS)
    return time.time()
