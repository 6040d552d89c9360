"""Copy rows of a restored table back into the stage's table: `make restore-rows STAGE=dev FROM=<restored table>`.

AWS restores a table under another name, and the stack has its own. A row that the stage's table has stays as it is,
unless `FORCE=1`. The row of the sweep is left out: with it, the next sweep would admit objects anew whose rows are
lost, and their jobs would be paid for again. Rows of recordings that were erased since are left out too, also with
`FORCE=1`. What the rows of queues and slots say may have passed since. The sweep
makes that good. The command may be interrupted and repeated.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, OperationFailed, Report, aws_client, explained, outputs_of
from recording_insights.model.moments import utc_text
from recording_insights.store.keys import PARTITION, RECEIPT, RECORDING, SORT, SWEEP_KEY, change_of_row, receipt_key
from recording_insights.store.references import ReferenceStore
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

TABLE_OUTPUT = "InsightsTableName"
EVERY = 1000
RIGHTS = (
    "cloudformation:DescribeStacks",
    "dynamodb:Scan and Query on the restored table",
    "dynamodb:GetItem and PutItem on the table InsightsTableName",
    "kms:Decrypt on the key of the tables, if they have one of yours",
)


@dataclass(frozen=True)
class Outcome:
    """How many rows were written to the table, were there already, and belong to recordings that were erased."""

    stage: str
    table: str
    written: int
    kept: int
    erased: int


def restore_rows(
    stage: str,
    source: str,
    client: Clients,
    table_of: Callable[[str], "Table"],
    report: Report,
    *,
    recording_id: str | None = None,
    force: bool = False,
) -> Outcome:
    """Copy the rows of the table `source`, or those of one recording, into the stage's table.

    Raises:
        OperationFailed: the stage is not deployed, `source` is its own table, or AWS refuses a call.
    """
    with explained(RIGHTS):
        name = outputs_of(stage, client)[TABLE_OUTPUT]
        if source == name:
            raise OperationFailed(f"{source} is the table of the stage {stage}: give the name of the restored one.")
        target = table_of(name)
        is_erased = cache(partial(_is_erased, target))
        written = kept = erased = 0
        for row in _rows(table_of(source), recording_id):
            if row[PARTITION] == SWEEP_KEY[PARTITION]:
                continue
            if is_erased(_owner(row)):
                erased += 1
                continue
            if _put(target, row, force=force):
                written += 1
            else:
                kept += 1
            if recording_id and "reference" in row:
                # It lies in the partition of the reference.
                _put(target, ReferenceStore(target).row(cast(RecordingRow, row)), force=force)
            if (written + kept) % EVERY == 0:
                report(f"{written} rows written, {kept} were there")
    return Outcome(stage, name, written, kept, erased)


def _owner(row: Mapping[str, Any]) -> str:
    """The recording of a row: rows elsewhere name the one that they lead to."""
    return str(row.get("recording_id") or row.get("job_of_recording") or row[PARTITION])


def _is_erased(table: "Table", recording_id: str) -> bool:
    return "Item" in table.get_item(Key=receipt_key(recording_id), ConsistentRead=True)


def _rows(table: "Table", recording_id: str | None) -> Iterator[Mapping[str, Any]]:
    start: dict[str, Any] = {}
    while True:
        if recording_id is None:
            page: Mapping[str, Any] = table.scan(**start)
        else:
            page = table.query(KeyConditionExpression=Key(PARTITION).eq(recording_id), **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _put(table: "Table", row: Mapping[str, Any], *, force: bool) -> bool:
    """Write a row; False if the table has one of this key."""
    condition: Any = {} if force else {"ConditionExpression": Attr(PARTITION).not_exists()}
    try:
        table.put_item(Item={**row, **_changed(row)}, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _changed(row: Mapping[str, Any]) -> Mapping[str, str]:
    """A recording that comes back has changed for those who sync: its old place is behind them."""
    is_change = row[SORT] in (RECORDING, RECEIPT)
    return change_of_row(row[PARTITION], utc_text(datetime.now(UTC))) if is_change else {}


def _table(name: str) -> "Table":
    return boto3.resource("dynamodb", region_name=os.environ.get("AWS_REGION") or None).Table(name)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser("restore_rows", "Copy rows of a restored table back into the stage's table.")
    parser.add_argument("--source", required=True, help="the name of the restored table")
    parser.add_argument("--recording-id", help="copy the rows of this recording only")
    parser.add_argument("--force", action="store_true", help="replace rows that the stage's table has")
    given = parser.parse_args(arguments)

    def operation(report: Report) -> Outcome:
        return restore_rows(
            given.stage,
            given.source,
            aws_client,
            _table,
            report,
            recording_id=given.recording_id,
            force=given.force,
        )

    return run_command(operation, _sentence, as_json=given.json)


def _sentence(outcome: Outcome) -> str:
    left_out = f" {outcome.erased} rows of erased recordings were left out." if outcome.erased else ""
    return f"{outcome.written} rows were written to {outcome.table}, {outcome.kept} were there already.{left_out}"


if __name__ == "__main__":
    sys.exit(main())
