"""What leads from Agora's names to our recordings, and which of its notifications were taken in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recording_insights.store.keys import EXPIRES_AT, notice_key, sid_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SID_LIFE = timedelta(days=30)
"""Longer than any recorder, and the three days in which Agora's backup may still bring files."""
NOTICE_LIFE = timedelta(days=7)
"""Longer than Agora repeats itself."""


@dataclass(frozen=True)
class RecorderStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def name(self, sid: str, recording_id: str) -> None:
        """Let whoever knows only a recorder's sid find its recording."""
        self.table.put_item(Item={**sid_key(sid), "recording_id": recording_id, EXPIRES_AT: self._after(SID_LIFE)})

    def recording_of(self, sid: str) -> str | None:
        """The id of the recording that a recorder writes; None for one that was not started here."""
        item = self.table.get_item(Key=sid_key(sid), ConsistentRead=True).get("Item")
        return str(item["recording_id"]) if item else None

    def knows_notice(self, notice_id: str) -> bool:
        """Whether a notification was taken in before."""
        return "Item" in self.table.get_item(Key=notice_key(notice_id), ConsistentRead=True)

    def keep_notice(self, notice_id: str) -> None:
        """Note that a notification was taken in, after all that follows from it is written."""
        self.table.put_item(Item={**notice_key(notice_id), EXPIRES_AT: self._after(NOTICE_LIFE)})

    def _after(self, life: timedelta) -> int:
        return int((self.now() + life).timestamp())
