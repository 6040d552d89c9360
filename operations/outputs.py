"""Show the outputs of a deployed stage: addresses, names and ARNs that other commands and callers need."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, Report, clients_in, explained, outputs_of
from operations.stage_settings import IDENTITY_RIGHT, GivenSettings, check_place, given_settings

RIGHTS = ("cloudformation:DescribeStacks", IDENTITY_RIGHT)


@dataclass(frozen=True)
class Outcome:
    """The outputs by their names, which docs/deploy.md explains."""

    stage: str
    outputs: Mapping[str, str]


def show_outputs(given: GivenSettings, client: Clients, aws_region: str | None) -> Outcome:
    """Read the outputs of a stage in the account and region of its file, if it has one.

    Raises:
        OperationFailed: the stage is not deployed, account or region are wrong, or AWS refuses a call.
    """
    with explained(RIGHTS):
        check_place(given, client, aws_region)
        return Outcome(given.stage, dict(sorted(outputs_of(given.stage, client).items())))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    options = command_parser("outputs", "Show the outputs of a deployed stage.").parse_args(arguments)

    def operation(report: Report) -> Outcome:
        given = given_settings(options.stage, [])
        return show_outputs(given, clients_in(given.region), os.environ.get("AWS_REGION"))

    return run_command(operation, _table, as_json=options.json)


def _table(outcome: Outcome) -> str:
    width = max(map(len, outcome.outputs), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in outcome.outputs.items())


if __name__ == "__main__":
    sys.exit(main())
