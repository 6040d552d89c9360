"""Erases: the mark in a recording's row, what was deleted so far, and the receipt that is left."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from recording_insights.errors import RecordingErased
from recording_insights.model.moments import utc_text
from recording_insights.model.status import ERASING
from recording_insights.store.expressions import if_it_holds, put_of, read, update_of, write_all
from recording_insights.store.keys import (
    PARTITION,
    SORT,
    change_of_row,
    erase_key,
    erased_job_key,
    receipt_key,
    recording_key,
)
from recording_insights.store.numbers import decode
from recording_insights.store.rows import EraseRow, ReceiptRow, RecordingRow

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

LATE_RESULTS = timedelta(days=30)
"""How long a result is awaited that names its job by the vendor's id only."""


def erased(row: ReceiptRow | RecordingRow) -> RecordingErased:
    """Return the error that shows the receipt, or that of a recording which is being erased."""
    shown = {name: value for name, value in row.items() if name in ReceiptRow.__annotations__}
    if "erased_at" not in row:
        shown = {"receipt_id": row["receipt_id"]}
    shown = {name: value for name, value in shown.items() if name not in (PARTITION, SORT, "created_at")}
    return RecordingErased(row["recording_id"], shown)


def refuse_erasing(recording: RecordingRow) -> None:
    """Raise `RecordingErased` if the recording is being erased."""
    if recording.get("status") == ERASING:
        raise erased(recording)


@dataclass(frozen=True)
class ErasureStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def mark(
        self, recording_id: str, receipt_id: str, who: str | None, *, version: int | None = None
    ) -> RecordingRow | None:
        """Mark a recording as being erased and return its row; None if there is none, or if it was marked before.

        With a `version`, None also if the recording has changed since.
        """
        from boto3.dynamodb.conditions import Attr

        now = self.timestamp
        marked: dict[str, Any] = {"status": ERASING, "erasing_since": now, "updated_at": now, "receipt_id": receipt_id}
        marked |= change_of_row(recording_id, now)
        if who:
            marked["erased_by"] = who
        condition: ConditionBase = Attr(PARTITION).exists() & ~Attr("status").eq(ERASING)
        if version is not None:
            condition &= Attr("version").eq(version)
        reply = if_it_holds(
            self.table.update_item,
            Key=recording_key(recording_id),
            **update_of(marked, add={"version": 1}),
            ConditionExpression=condition,
            ReturnValues="ALL_NEW",
        )
        return cast(RecordingRow, decode(reply["Attributes"])) if reply else None

    def note_recording(self, recording_id: str, **changes: Any) -> None:
        """Set attributes of a recording that is being erased."""
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.update_item,
            Key=recording_key(recording_id),
            **update_of({**changes, "updated_at": self.timestamp}),
            ConditionExpression=Attr("status").eq(ERASING),
        )

    def progress(self, recording_id: str) -> EraseRow:
        """Return what was deleted so far, read consistently."""
        return read(self.table, erase_key(recording_id)) or EraseRow()

    def add(self, recording_id: str, **added: Any) -> None:
        """Add to the counts and sets of what was deleted."""
        self.table.update_item(Key=erase_key(recording_id), **update_of({}, add=added))

    def note(self, recording_id: str, **changes: Any) -> None:
        """Set attributes of what was deleted."""
        self.table.update_item(Key=erase_key(recording_id), **update_of(changes))

    def find_receipt(self, recording_id: str) -> ReceiptRow | None:
        """Return the receipt of an erased recording, read consistently, or None."""
        row: ReceiptRow | None = read(self.table, receipt_key(recording_id))
        return row

    def conclude(self, receipt: ReceiptRow) -> bool:
        """Write the receipt in place of the recording's row and the progress: all of it, or nothing.

        Returns False if that was done before.
        """
        from boto3.dynamodb.conditions import Attr

        recording_id = receipt["recording_id"]
        row = {**receipt, **receipt_key(recording_id), **change_of_row(recording_id, self.timestamp)}
        writes = [
            put_of(self.table, row, Attr(PARTITION).not_exists()),
            self._deletion(erase_key(recording_id)),
            self._deletion(recording_key(recording_id)),
        ]
        return write_all(self.table, writes)

    def close(self, recording_id: str, *, late_objects: int, late_rows: int) -> None:
        """Note in the receipt that files which came late were looked for, and what was found; once."""
        from boto3.dynamodb.conditions import Attr

        closed = {"closed_at": self.timestamp, "late_objects": late_objects, "late_rows": late_rows}
        if_it_holds(
            self.table.update_item,
            Key=receipt_key(recording_id),
            **update_of(closed),
            ConditionExpression=Attr(PARTITION).exists() & Attr("closed_at").not_exists(),
        )

    def mark_job(self, provider: str, key: str) -> None:
        """Mark a job that a callback names by the vendor's id only: its result is deleted if it comes."""
        expires_at = int((self.now() + LATE_RESULTS).timestamp())
        self.table.put_item(Item={**erased_job_key(provider, key), "expires_at": expires_at})

    def is_marked(self, provider: str, key: str) -> bool:
        """Return whether a job is that of an erased recording."""
        return read(self.table, erased_job_key(provider, key)) is not None

    def _deletion(self, key: dict[str, str]) -> "TransactWriteItemTypeDef":
        delete: Any = {"TableName": self.table.name, "Key": key}
        return {"Delete": delete}
