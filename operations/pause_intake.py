"""Pause the intake of a stage before an upgrade, and let it go on: `make pause-intake`.

While it is paused, arrivals stay in their queue and no recording starts. What runs goes on.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, OperationFailed, Report, aws_client, explained, outputs_of
from recording_insights.store.intake import IntakeStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Tables = Callable[[str], "Table"]
TABLE_OUTPUT = "InsightsTableName"
RIGHTS = (
    "cloudformation:DescribeStacks",
    "dynamodb:GetItem, UpdateItem and DeleteItem on the table InsightsTableName",
    "kms:Decrypt on the key of the table, if it has one of yours",
)


@dataclass(frozen=True)
class Outcome:
    """`paused_at` is when the pause began; None if the intake is open. `paused_by` is the ARN of who began it."""

    stage: str
    paused_at: str | None = None
    paused_by: str | None = None


def pause_intake(stage: str, client: Clients, table_of: Tables) -> Outcome:
    """Pause the intake of a stage. One that is paused stays so.

    Raises:
        OperationFailed: the stage is not deployed, or AWS refuses a call.
    """
    with explained(RIGHTS):
        intake = _intake(stage, client, table_of)
        intake.pause(client("sts").get_caller_identity()["Arn"])
        pause = intake.find_pause()
    if pause is None:
        raise OperationFailed("Somebody has ended the pause in the same moment: run the command again.")
    return Outcome(stage, pause["paused_at"], pause.get("paused_by"))


def resume_intake(stage: str, client: Clients, table_of: Tables) -> Outcome:
    """Let the intake of a stage go on. Raises as `pause_intake` does."""
    with explained(RIGHTS):
        _intake(stage, client, table_of).go_on()
    return Outcome(stage)


def show_intake(stage: str, client: Clients, table_of: Tables) -> Outcome:
    """Return whether the intake of a stage is paused. Raises as `pause_intake` does."""
    with explained(RIGHTS):
        pause = _intake(stage, client, table_of).find_pause()
    return Outcome(stage, pause["paused_at"], pause.get("paused_by")) if pause else Outcome(stage)


def _intake(stage: str, client: Clients, table_of: Tables) -> IntakeStore:
    return IntakeStore(table_of(outputs_of(stage, client)[TABLE_OUTPUT]))


def _table(name: str) -> "Table":
    return boto3.resource("dynamodb", region_name=os.environ.get("AWS_REGION") or None).Table(name)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser("pause_intake", "Pause the intake of media and recordings, or let it go on.")
    parser.add_argument("--resume", action="store_true", help="end the pause")
    given = parser.parse_args(arguments)

    def operation(report: Report) -> Outcome:
        change = resume_intake if given.resume else pause_intake
        return change(given.stage, aws_client, _table)

    return run_command(operation, _sentence, as_json=given.json)


def _sentence(outcome: Outcome) -> str:
    if outcome.paused_at:
        return f"The intake is paused since {outcome.paused_at}. RESUME=1 lets it go on."
    return "The intake is open."


if __name__ == "__main__":
    sys.exit(main())
