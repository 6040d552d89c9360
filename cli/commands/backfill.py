"""Take in history: media in the recordings bucket that the stage has never processed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.answer import Answer, sentence, table
from cli.errors import FAILED, OK, NotFound, UsageWrong
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from operations.backfill.order import Result

SKIPPED_COLUMNS = {
    "LEFT OUT": lambda row: row["number"],
    "CODE": lambda row: row["code"],
    "REASON": lambda row: row["reason"],
    "FIRST KEY": lambda row: row["keys"][0],
}
FAILED_COLUMNS = {
    "FAILED": lambda row: row["recording_id"],
    "CODE": lambda row: row["code"],
    "KEY": lambda row: row["key"],
}


def backfill(
    session: Session,
    prefix: Annotated[
        str | None, typer.Argument(help="Every object whose key begins with this, or s3://BUCKET/PREFIX.")
    ] = None,
    from_file: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="The keys of a file instead, one in each line.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="The provider that gets all of it.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take in so many at most.")] = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="So many under way at once, whatever slots the provider has.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Process again what failed before, which may be paid for again.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Admit what there is room for now, and do not follow it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is new and what it costs.")] = False,
) -> Answer:
    """Take in media of the recordings bucket that was never processed.

    It leaves out what the stage knows, shows hours and list prices, and asks. Then it admits no more at once than the
    provider has slots for. It may be interrupted: the same command goes on from there.
    """
    from operations.backfill.order import Order
    from operations.backfill.stored import key_in

    if (prefix is None) == (from_file is None):
        raise UsageWrong("Give a prefix or --from-file. The prefix '' is the whole bucket.")
    bucket = session.stage.output("RecordingsBucketName")
    keys = None if from_file is None else _keys(from_file, bucket)
    prefix = None if prefix is None else key_in(prefix, bucket)
    order = Order(prefix, keys, provider, limit, at_once, retry_failed, waits=not no_wait)
    result = _run(session, order, yes=yes, dry_run=dry_run)
    has_failed = result.outcome is not None and bool(result.outcome.failed)
    return Answer(result.data, lambda console: _show(result, console), exit_code=FAILED if has_failed else OK)


def _run(session: Session, order: Any, *, yes: bool, dry_run: bool) -> "Result":
    from cli.intake import ApiIntake
    from cli.progress import Progress
    from operations.backfill.order import Backfill
    from operations.backfill.stored import RecordingsBucket

    bucket = RecordingsBucket(session.client("s3"), session.stage.output("RecordingsBucketName"))
    with Progress(session) as progress:

        def confirm(what: str) -> None:
            with progress.interrupted():
                session.confirm(what, yes=yes)

        api = session.api
        backfill = Backfill(bucket, ApiIntake(api), progress.say, progress.show, confirm, sleep=api.sleep)
        return backfill.run(order, dry_run=dry_run)


def _keys(source: str, bucket: str) -> Sequence[str]:
    """Read the keys of a file, or of standard input for `-`. Raises NotFound, UsageWrong."""
    import sys
    from pathlib import Path

    from operations.backfill.stored import keys_in

    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return keys_in(content.decode().split("\n"), bucket)
    except FileNotFoundError:
        raise NotFound(f"--from-file {source}: there is no such file.") from None
    except UnicodeDecodeError:
        raise UsageWrong(f"--from-file {source}: the file is no text in UTF-8.") from None


def _show(result: "Result", console: "Console") -> None:
    """Show the numbers, then what failed and what was left out."""
    data = result.data
    outcome = result.outcome
    if outcome is None:
        sentence(result.estimate.sentence if data["new"] else "Nothing is new.")(console)
    else:
        numbers = [f"{outcome.done} done", f"{len(outcome.failed)} failed", f"{outcome.under_way} under way"]
        left = f", {outcome.left} not admitted yet" if outcome.left else ""
        sentence(f"{', '.join(numbers)}{left}, {result.plan.skipped.number} left out.")(console)
        if outcome.failed:
            table(FAILED_COLUMNS, data["failed"], empty="")(console)
    skipped: Sequence[Mapping[str, Any]] = data["skipped"]
    if skipped:
        table(SKIPPED_COLUMNS, skipped, empty="")(console)
