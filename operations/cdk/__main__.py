"""`make deploy`, `diff`, `synth`, `bootstrap` and `import-data`: the CDK with a stage's file, and with its own Node."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3

from operations.cdk.command_line import ToolMissing
from operations.cdk.commands import Desk, bootstrap, deploy, diff, import_data, run_cdk, synth
from operations.deployed_stack import OperationFailed, clients_in, tables_in
from operations.stage_settings import GivenSettings, add_settings, given_settings, pairs_of

COMMANDS: Mapping[str, Callable[[GivenSettings, Desk], int]] = {"diff": diff, "synth": synth, "bootstrap": bootstrap}


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the CDK's exit code, or 1 with a reason on standard error."""
    options = _parser().parse_args(arguments)
    try:
        given = given_settings(options.stage, pairs_of(options))
        desk = _desk(given)
        if options.command == "deploy":
            code = deploy(given, desk, unasked=options.yes, forced=options.force)
        elif options.command == "import":
            code = import_data(given, desk, options.mapping)
        else:
            code = COMMANDS[options.command](given, desk)
    except (OperationFailed, ToolMissing) as failure:
        print(failure, file=sys.stderr)
        return 1
    return code if code >= 0 else 128 - code  # a signal has ended it


def _desk(given: GivenSettings) -> Desk:
    return Desk(
        client=clients_in(given.region),
        table_of=tables_in(given.region),
        run=run_cdk,
        report=lambda line: print(line, file=sys.stderr, flush=True),
        environment=os.environ,
        region=os.environ.get("AWS_REGION") or boto3.Session().region_name,
        terminal=sys.stdin.isatty() and sys.stdout.isatty(),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations.cdk", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("deploy", "import", *COMMANDS):
        command = commands.add_parser(name)
        add_settings(command)
        if name == "deploy":
            command.add_argument("--yes", action="store_true", help="the CDK does not ask before it widens rights")
            command.add_argument("--force", action="store_true", help="remove providers that are still needed, too")
        if name == "import":
            command.add_argument("--mapping", type=Path, required=True, help="the file that `destroy` wrote")
    return parser


if __name__ == "__main__":
    sys.exit(main())
