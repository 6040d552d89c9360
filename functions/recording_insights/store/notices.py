"""Notifications of Agora's that were processed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recording_insights.store.keys import notice_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFE = timedelta(days=7)
"""Longer than Agora repeats a notification."""


@dataclass(frozen=True)
class NoticeStore:
    """`table` is the boto3 resource of the insights table; all methods may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def has(self, notice_id: str) -> bool:
        """Return whether a notification was processed before."""
        return "Item" in self.table.get_item(Key=notice_key(notice_id), ConsistentRead=True)

    def forget(self, notice_id: str) -> None:
        """Delete the mark of a notification."""
        self.table.delete_item(Key=notice_key(notice_id))

    def keep(self, notice_id: str) -> None:
        """Store that a notification was processed; call this after everything that follows from it is written."""
        self.table.put_item(Item={**notice_key(notice_id), "expires_at": int((self.now() + LIFE).timestamp())})
