"""References: from a caller's own id to the recordings that have it.

The row of a reference is written and deleted in one transaction with the recording's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.store.expressions import deletion_of, pages
from recording_insights.store.keys import PARTITION, REFERENCE_PREFIX, SORT, reference_key
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_AT_ONCE = 100


@dataclass(frozen=True)
class ReferenceStore:
    """`table` is the boto3 resource of the insights table. Reading may raise botocore's `ClientError`."""

    table: "Table"

    def row(self, recording: RecordingRow) -> dict[str, str]:
        """Return the row that leads to a recording with a reference."""
        recording_id = recording["recording_id"]
        key = reference_key(recording["reference"], recording["created_at"], recording_id)
        return {**key, "recording_id": recording_id}

    def deletion(self, recording: RecordingRow) -> "TransactWriteItemTypeDef":
        """Return the write of a transaction that deletes the row of a recording's reference."""
        return deletion_of(self.table, self.row(recording))

    def forget(self, recording: RecordingRow) -> None:
        """Delete the row of a recording's reference."""
        key = {name: value for name, value in self.row(recording).items() if name in (PARTITION, SORT)}
        self.table.delete_item(Key=key)

    def of(self, reference: str, *, before: tuple[str, str] | None = None) -> Iterator[tuple[str, str]]:
        """Yield (created_at, recording_id) of the recordings with a reference, newest first, that stand `before`."""
        from boto3.dynamodb.conditions import Key

        condition: ConditionBase = Key(PARTITION).eq(f"{REFERENCE_PREFIX}{reference}")
        if before:
            condition &= Key(SORT).lte("#".join(before))
        query = {"ScanIndexForward": False, "ConsistentRead": True, "Limit": _AT_ONCE}
        for page in pages(self.table, KeyConditionExpression=condition, **query):
            for row in page:
                created_at, _, recording_id = row[SORT].partition("#")
                if before is None or (created_at, recording_id) < before:
                    yield created_at, recording_id
