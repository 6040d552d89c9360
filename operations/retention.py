"""Show what the settings for retention would delete now: a dry run, which changes nothing.

It looks at the recordings as the sweep does. Replies go by a lifecycle rule of their bucket, and are not counted.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.settings import StackSettings
from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, Report, clients_in, explained, outputs_of, tables_in
from operations.removed_providers import TABLE_OUTPUT
from operations.stage_settings import given_settings
from recording_insights.store.recordings import RecordingStore
from recording_insights.sweep.too_old import due_kind
from recording_insights.upkeep.retention import Kind, Retention, is_begun

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

RIGHTS = (
    "cloudformation:DescribeStacks",
    "dynamodb:Query on the table InsightsTableName and its indexes",
    "kms:Decrypt on the key of the table, if it has one of yours",
)


@dataclass
class Due:
    """How many recordings are due, how many of them a deletion has begun for, and when the oldest was created."""

    recordings: int = 0
    begun: int = 0
    oldest: str = ""


@dataclass(frozen=True)
class Outcome:
    """What would go, by kind: `insights` is the whole recording. A recording counts once, where most goes."""

    stage: str
    days: dict[str, int | None]
    due: dict[Kind, Due] = field(default_factory=dict)


def count_due(
    settings: StackSettings, client: Clients, table: Callable[[str], "Table"], report: Report = lambda line: None
) -> Outcome:
    """Count what is due by the settings. Changes nothing.

    Raises:
        OperationFailed: the stage is not deployed, or AWS refuses a call.
    """
    retention = Retention(settings.media_days, settings.segments_days, settings.insights_days)
    days = {"insights": settings.insights_days, "media": settings.media_days, "segments": settings.segments_days}
    outcome = Outcome(settings.stage, days)
    with explained(RIGHTS):
        store = RecordingStore(table(outputs_of(settings.stage, client)[TABLE_OUTPUT]))
        cutoffs = retention.cutoffs(store.now())
        if not cutoffs:
            return outcome
        report("Looking at the recordings, the oldest first; nothing is deleted")
        for recording, _ in store.oldest_first(max(cutoffs.values())):
            if kind := due_kind(recording, cutoffs, store):
                due = outcome.due.setdefault(kind, Due(oldest=recording["created_at"]))
                due.recordings += 1
                due.begun += is_begun(recording, kind)
    return outcome


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser("retention", "Show what the settings for retention would delete now. Deletes nothing.")
    parser.add_argument("-c", "--context", action="append", default=[], help="a setting, key=value, as for cdk")
    given = parser.parse_args(arguments)

    def operation(report: Report) -> Outcome:
        settings = given_settings(given.stage, given.context)
        return count_due(settings.checked(), clients_in(settings.region), tables_in(settings.region), report)

    return run_command(operation, _sentence, as_json=given.json)


def _sentence(outcome: Outcome) -> str:
    if not any(outcome.days.values()):
        return "The settings keep everything: no mediaDays, segmentsDays or insightsDays."
    if not outcome.due:
        return "Nothing is due."
    what = {"insights": "would be erased", "media": "would lose their media", "segments": "would lose their segments"}
    return "\n".join(
        f"{due.recordings} recordings {what[kind]}; the oldest is of {due.oldest}; begun: {due.begun}"
        for kind, due in outcome.due.items()
    )


if __name__ == "__main__":
    sys.exit(main())
