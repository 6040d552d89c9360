"""`python -m sandbox up | down | demo | env | invoke`: the local stack. make calls the first three."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from botocore.exceptions import BotoCoreError
from rich.console import Console

from cli.terminal.phases import Phases
from operations.cdk.command_line import ToolMissing
from sandbox.cloud.context import ContextError, parse_context, tests_context
from sandbox.cloud.lifecycle import bring_down, bring_up, drop, require_stack, running_stack, stack_that_is_up, update
from sandbox.cloud.local_cloud import StartError
from sandbox.cloud.location import Location, LocationError
from sandbox.cloud.processes import Interrupted, StillRunning
from sandbox.debug.invoke import InvokeError, find_function, print_invocation, read_event
from sandbox.demo.follow_recording import run_demo
from sandbox.demo.next_commands import next_commands
from sandbox.demo.recording_plan import MODES, STREAM_MODES, DemoError, RecordingPlan, check_media
from sandbox.sample.conversation import SAMPLE


def main() -> int:
    """Run one command and return its exit code; an interrupted one ends with 128 plus the signal's number."""
    arguments = _parser().parse_args()
    try:
        return _COMMANDS[arguments.command](arguments)
    except (ContextError, LocationError, ToolMissing, StartError, StillRunning, DemoError, InvokeError) as error:
        print(error, file=sys.stderr)
        return 1
    except BotoCoreError as error:
        print(f"The local cloud does not answer: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{error}\n{(error.stderr or b'').decode(errors='replace')}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        left = (
            "The local stack is still up." if _location(arguments).stack_file.exists() else "Nothing is left running."
        )
        print(f"Interrupted by {interrupted}. {left}", file=sys.stderr)
        return 128 + interrupted.signum
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _location(arguments: argparse.Namespace) -> Location:
    place = Location.of_tests if arguments.tests else Location.from_environment
    return place(os.environ, arguments.directory)


def _context(arguments: argparse.Namespace) -> dict[str, str]:
    return {**(tests_context() if arguments.tests else {}), **parse_context(arguments.context)}


def _up(arguments: argparse.Namespace) -> int:
    location, context = _location(arguments), _context(arguments)
    if stack := stack_that_is_up(location, context):
        updated = update(stack, location, Phases())
        print(f"The local stack is {'already up' if updated == stack else 'up to date again'}: {updated.api_url}")
        return 0
    if arguments.tests:
        drop(location)
    began = time.monotonic()
    stack = bring_up(location, context, Phases())
    print(f"The local stack is up after {time.monotonic() - began:.0f} s.")
    print(f"  Keys        {_shown(location.stack_file)}")
    print(f"  API         {stack.api_url}   (sign requests with SigV4, service execute-api)")
    print(f"  AWS         {stack.endpoint_url}")
    print(f"  Stand-ins   {stack.sandbox_url}")
    print(f"  Recordings  s3://{stack.outputs['RecordingsBucketName']}")
    print(f"Stop it with `make down{' TESTS=1' if arguments.tests else ''}`.")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    location = _location(arguments)
    ended = drop(location) if arguments.tests or arguments.delete else bring_down(location)
    print(f"Ended the {' and the '.join(process.name for process in ended)}." if ended else "Nothing was running.")
    if location.kept_file.exists():
        print(
            "Its state is kept for `make up`, and the stand-ins go on, as vendors would. "
            "`make down DELETE=1` ends both."
        )
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    location, context = _location(arguments), _context(arguments)
    media = arguments.recording or SAMPLE
    plan = RecordingPlan(media, arguments.mode, arguments.stream_mode, arguments.parts)
    check_media(plan.media)
    console = Console(stderr=arguments.json)
    stays_up = stack_that_is_up(location, context) is not None
    more = next_commands(os.environ, Path.cwd(), location, stays_up=stays_up)
    with running_stack(context, location, Phases(console)) as stack:
        return run_demo(stack, console, plan, as_json=arguments.json, more=more)


def _env(arguments: argparse.Namespace) -> int:
    variables = require_stack(_location(arguments)).environment()
    if arguments.json:
        print(json.dumps(variables, indent=2))
    else:
        print(*(f"export {name}={shlex.quote(value)}" for name, value in variables.items()), sep="\n")
    return 0


def _invoke(arguments: argparse.Namespace) -> int:
    stack = require_stack(_location(arguments))
    function = find_function(stack, arguments.function)
    return print_invocation(stack, function, read_event(arguments.event))


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
    env = commands.add_parser("env", help="print the address and the keys of the stack that is up, for a shell")
    invoke = commands.add_parser("invoke", help="run a handler in this process, against the stack that is up")
    down.add_argument("--delete", action="store_true", help="end the stand-ins too, and delete the state")
    for command in (up, demo, down, env, invoke):
        command.add_argument("--directory", type=Path, help="folder for stack.json and the logs (default: .local)")
        command.add_argument("--tests", action="store_true", help="the stack of the deployed tests, in .local/test")
    for command in (up, demo):
        command.add_argument("--context", default="", help='settings of the stack: "key=value key=value"')
    _add_recording_options(demo)
    env.add_argument("--json", action="store_true", help="print one JSON object")
    invoke.add_argument("function", help="the name of its module, such as submit_recording")
    invoke.add_argument("event", type=Path, help="a file with the event as JSON; - is standard input")
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


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "up": _up,
    "demo": _demo,
    "down": _down,
    "env": _env,
    "invoke": _invoke,
}

if __name__ == "__main__":
    sys.exit(main())
