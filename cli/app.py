"""The program: its commands in the order of `--help`, and what it does with an error."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer

from cli.command import add_command, add_group
from cli.commands import (
    backfill,
    cost,
    doctor,
    erasures,
    insights,
    intake,
    logs,
    providers,
    recordings,
    redrive,
    retries,
    sweep,
    uploads,
    why,
)
from cli.errors import EXIT_CODES, FAILED, INTERRUPTED, NOT_REACHABLE, CommandFailed
from cli.program import NAME
from cli.visible import visible_line

_CODES = "\n\n".join(f"{code}: {meaning}" for code, meaning in EXIT_CODES.items())

app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"Exit codes: {'; '.join(f'{code} {meaning}' for code, meaning in EXIT_CODES.items())}.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {version('recording-insights')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Record, read and look after recordings of a stage of Recording Insights."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code. An error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # An output that is not in UTF-8 shows what it cannot hold as an escape.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(list(arguments) if arguments is not None else None, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except CommandFailed as failure:
        return _failed(str(failure), failure.exit_code)
    except KeyboardInterrupt:
        return _failed("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        # The reader has seen enough. Python would complain when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        if type(error).__module__.startswith("requests."):
            return _failed(f"The network failed ({type(error).__name__}).", NOT_REACHABLE)
        return _failed(f"{error.strerror or error}: {error.filename or 'this machine'}", FAILED)
    except Exception as error:  # noqa: BLE001 - told apart below, and raised again if nobody knows it
        return _known(error)
    # Typer turns Ctrl-C into this exit code.
    return _failed("Interrupted.", INTERRUPTED) if code == INTERRUPTED else code if isinstance(code, int) else 0


def _failed(text: str, code: int) -> int:
    print(visible_line(text), file=sys.stderr)
    return code


def _known(error: Exception) -> int:
    if isinstance(error, typer.Abort):
        return _failed("Interrupted.", INTERRUPTED)
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # an error of usage
        error.show()  # type: ignore[attr-defined]
        return int(error.exit_code)
    from operations.deployed_stack import NotDeployed, OperationFailed

    if isinstance(error, NotDeployed):
        return _failed(str(error), 3)
    if isinstance(error, OperationFailed):
        return _failed(str(error), FAILED)
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, BotoCoreError | ClientError):
        from cli.stage import explained

        failure = explained(error)
        return _failed(str(failure), failure.exit_code)
    raise error


RECORDINGS, INSIGHTS, OPERATE, LOOK = "Recordings", "Insights", "Operate", "Look into"
add_command(app, recordings.start, panel=RECORDINGS)
add_command(app, recordings.stop, panel=RECORDINGS)
add_command(app, recordings.list_recordings, name="list", panel=RECORDINGS)
add_command(app, recordings.show, panel=RECORDINGS)
add_command(app, recordings.watch, panel=RECORDINGS)
add_command(app, uploads.upload, panel=RECORDINGS)
add_command(app, recordings.cancel, panel=RECORDINGS)
add_command(app, erasures.erase, panel=RECORDINGS)

_insights = add_group(app, "insights", "Read transcripts and insights.", panel=INSIGHTS)
add_command(_insights, insights.show_insights, name="show")
add_command(_insights, insights.export_insights, name="export")

add_command(app, retries.retry, panel=OPERATE)
_retries = add_group(app, "retries", "Retry everything that failed.", panel=OPERATE, has_list=True)
add_command(_retries, retries.list_retries, name="list")
add_command(_retries, retries.show_retry, name="show")
add_command(_retries, retries.start_retry, name="start")
add_command(_retries, retries.cancel_retry, name="cancel")
_providers = add_group(app, "providers", "See and steer the providers.", panel=OPERATE, has_list=True)
add_command(_providers, providers.list_providers, name="list")
add_command(_providers, providers.pause)
add_command(_providers, providers.resume)
add_command(_providers, providers.slots)
add_command(app, backfill.backfill, panel=OPERATE)
_redrive = add_group(app, "redrive", "See dead letters and bring them back.", panel=OPERATE, has_list=True)
add_command(_redrive, redrive.list_queues, name="list")
add_command(_redrive, redrive.show)
add_command(_redrive, redrive.send)
add_command(app, sweep.sweep, panel=OPERATE)
_intake = add_group(app, "intake", "Pause what comes in, before an upgrade.", panel=OPERATE)
add_command(_intake, intake.pause)
add_command(_intake, intake.resume)
add_command(_intake, intake.show)

add_command(app, why.why, panel=LOOK)
add_command(app, logs.logs, panel=LOOK)
add_command(app, doctor.doctor, panel=LOOK)
add_command(app, cost.cost, panel=LOOK)
