"""Retries of many media objects: what each retries and how far it has come, and which is the latest one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Unpack

from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import if_it_holds, pages, put_of, read, update_of, write_all
from recording_insights.store.keys import LATEST_RETRY_KEY, PARTITION, RETRIES, RETRY_PREFIX, SORT, retry_key
from recording_insights.store.rows import LatestRetryRow, RetryChanges, RetryRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

UNFINISHED = ("queued", "running")
"""The statuses of a retry that is at work; the others are terminal."""


@dataclass(frozen=True)
class RetryStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def latest(self) -> str | None:
        """Return the id of the retry that was opened last; None if there was none."""
        row: LatestRetryRow | None = read(self.table, LATEST_RETRY_KEY)
        return row and row["retry_id"]

    def find(self, retry_id: str) -> RetryRow | None:
        """Return a retry, read consistently, or None."""
        row: RetryRow | None = read(self.table, retry_key(retry_id))
        return row

    def newest(self, count: int) -> list[RetryRow]:
        """Return up to `count` retries, newest first."""
        from boto3.dynamodb.conditions import Key

        among = Key(PARTITION).eq(RETRIES) & Key(SORT).begins_with(RETRY_PREFIX)
        return next(pages(self.table, KeyConditionExpression=among, ScanIndexForward=False, Limit=count))

    def open(self, row: RetryRow, *, after: str | None) -> bool:
        """Write a new retry and make it the latest one, both or none; return whether they are written.

        Nothing is written if another retry than `after` is the latest one by now.
        """
        from boto3.dynamodb.conditions import Attr

        present = Attr("retry_id")
        latest = {**LATEST_RETRY_KEY, "retry_id": row["retry_id"]}
        writes = [
            put_of(self.table, {**retry_key(row["retry_id"]), **row}),
            put_of(self.table, latest, present.eq(after) if after else present.not_exists()),
        ]
        return write_all(self.table, writes)

    def note(self, retry_id: str, **changes: Unpack[RetryChanges]) -> bool:
        """Set attributes of a retry, None removes one; return False and change nothing if the retry has ended."""
        from boto3.dynamodb.conditions import Attr

        written = if_it_holds(
            self.table.update_item,
            Key=retry_key(retry_id),
            **update_of(changes),
            ConditionExpression=Attr("status").is_in(list(UNFINISHED)),
        )
        return written is not None

    def cancel(self, retry_id: str, who: str | None) -> bool:
        """End a retry for a caller, once; return False and change nothing if it has ended."""
        return self.note(retry_id, status="canceled", ended_at=self.timestamp, canceled_by=who)

    def end(self, retry_id: str, status: Literal["done", "failed"], reason: str | None = None) -> bool:
        """Bring a retry to a terminal status, once; return False and change nothing if it has ended."""
        return self.note(retry_id, status=status, ended_at=self.timestamp, reason=reason)
