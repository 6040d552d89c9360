"""Names of recorders: from a sid, by which Agora names a recorder, to its recording."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recording_insights.store.expressions import if_it_holds, read
from recording_insights.store.keys import sid_key
from recording_insights.store.rows import RecorderNameRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFE = timedelta(days=30)
"""Longer than any recorder runs, and than the three days in which Agora's backup may still upload files."""


@dataclass(frozen=True)
class RecorderNameStore:
    """`table` is the boto3 resource of the insights table; all methods may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def name(self, sid: str, recording_id: str) -> None:
        """Store which recording a recorder writes."""
        expires_at = int((self.now() + LIFE).timestamp())
        self.table.put_item(Item={**sid_key(sid), "recording_id": recording_id, "expires_at": expires_at})

    def forget(self, sid: str, recording_id: str) -> None:
        """Delete the name of a recorder that writes this recording."""
        from boto3.dynamodb.conditions import Attr

        is_own = Attr("recording_id").eq(recording_id)
        if_it_holds(self.table.delete_item, Key=sid_key(sid), ConditionExpression=is_own)

    def find(self, sid: str) -> str | None:
        """Return the id of the recording that a recorder writes, or None for a recorder not started here."""
        row: RecorderNameRow | None = read(self.table, sid_key(sid))
        return row["recording_id"] if row else None
