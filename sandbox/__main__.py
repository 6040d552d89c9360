"""`python -m sandbox up | down | demo`, which `make up`, `make down` and `make demo` call."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from sandbox.cloud.context import ContextError, parse_context, tests_context
from sandbox.cloud.deployment import ToolMissing
from sandbox.cloud.lifecycle import bring_down, bring_up, running_stack, stack_that_is_up
from sandbox.cloud.local_cloud import StartError
from sandbox.cloud.location import Location, LocationError
from sandbox.cloud.processes import Interrupted, StillRunning
from sandbox.demo.follow_recording import run_demo
from sandbox.demo.recording_plan import MODES, STREAM_MODES, DemoError, RecordingPlan, check_media
from sandbox.sample.conversation import SAMPLE
from sandbox.terminal.phases import Phases


def main() -> int:
    """Run one command and return its exit code; an interrupted one ends with 128 plus the signal's number."""
    arguments = _parser().parse_args()
    try:
        location = _location(arguments)
        if arguments.command == "down":
            return _down(location)
        context = {**(tests_context() if arguments.tests else {}), **parse_context(arguments.context)}
        if arguments.command == "demo":
            media = arguments.recording or SAMPLE
            plan = RecordingPlan(media, arguments.mode, arguments.stream_mode, arguments.parts)
            return _demo(location, context, plan, as_json=arguments.json)
        return _up(location, context)
    except (ContextError, LocationError, ToolMissing, StartError, StillRunning, DemoError) as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{error}\n{(error.stderr or b'').decode(errors='replace')}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print(f"Interrupted by {interrupted}. Nothing is left running.", file=sys.stderr)
        return 128 + interrupted.signum
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _location(arguments: argparse.Namespace) -> Location:
    place = Location.of_tests if arguments.tests else Location.from_environment
    return place(os.environ, arguments.directory)


def _up(location: Location, context: Mapping[str, str]) -> int:
    if stack := stack_that_is_up(location, context):
        print(f"The local stack is already up: {stack.api_url}")
        return 0
    began = time.monotonic()
    stack = bring_up(location, context, Phases())
    print(f"The local stack is up after {time.monotonic() - began:.0f} s.")
    print(f"  Keys        {_shown(location.stack_file)}")
    print(f"  API         {stack.api_url}   (sign requests with SigV4, service execute-api)")
    print(f"  AWS         {stack.endpoint_url}")
    print(f"  Stand-ins   {stack.sandbox_url}")
    print(f"  Recordings  s3://{stack.outputs['RecordingsBucketName']}")
    print("Stop it with `make down`.")
    return 0


def _down(location: Location) -> int:
    ended = bring_down(location)
    print(f"Ended the {' and the '.join(process.name for process in ended)}." if ended else "Nothing is running.")
    return 0


def _demo(location: Location, context: Mapping[str, str], plan: RecordingPlan, *, as_json: bool) -> int:
    check_media(plan.media)
    console = Console(stderr=as_json)
    with running_stack(context, location, Phases(console)) as stack:
        return run_demo(stack, console, plan, as_json=as_json)


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Run the whole stack on this machine: a local cloud, stand-ins for Agora and the providers, and "
        "the stack deployed to them.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the local stack and leave it running")
    demo = commands.add_parser("demo", help="start the local stack, process one recording, stop the stack again")
    down = commands.add_parser("down", help="stop what `up` started")
    for command in (up, demo, down):
        command.add_argument("--directory", type=Path, help="folder for stack.json and the logs (default: .local)")
        command.add_argument("--tests", action="store_true", help="the stack of the deployed tests, in .local/test")
    for command in (up, demo):
        command.add_argument("--context", default="", help='settings of the stack: "key=value key=value"')
    _add_recording_options(demo)
    return parser


def _add_recording_options(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--recording", type=Path, help="record this file (mp4, m4a, mp3, wav) instead of the sample")
    demo.add_argument("--parts", type=int, choices=range(1, 10), default=1, help="number of MP4s that Agora writes")
    demo.add_argument("--mode", choices=MODES, default="mix", help="record one MP4 of all, or a track for each speaker")
    demo.add_argument(
        "--stream-mode",
        choices=STREAM_MODES,
        default="default",
        help="in mode individual: transcode the tracks, or record them as sent, one of them with a gap",
    )
    demo.add_argument("--json", action="store_true", help="print the insights as JSON, and progress to standard error")


if __name__ == "__main__":
    sys.exit(main())
