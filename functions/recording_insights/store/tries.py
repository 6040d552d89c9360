"""Earlier tries of media objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.store.expressions import if_it_holds, read, rows, update_of
from recording_insights.store.keys import PARTITION, SORT, TRY_PREFIX, try_key
from recording_insights.store.rows import TryRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class TryStore:
    """Reads earlier tries. `MediaStore` writes them, each in one transaction with the begin of the next try.

    `table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`.
    """

    table: "Table"

    def find(self, recording_id: str, media_id: str, number: int) -> TryRow | None:
        """Return an earlier try, read consistently, or None."""
        row: TryRow | None = read(self.table, try_key(recording_id, media_id, number))
        return row

    def of(self, recording_id: str, media_id: str | None = None) -> Sequence[TryRow]:
        """Return the earlier tries of a media object, or of all media objects of a recording, in order."""
        from boto3.dynamodb.conditions import Key

        prefix = TRY_PREFIX if media_id is None else f"{TRY_PREFIX}{media_id}#"
        in_range = Key(PARTITION).eq(recording_id) & Key(SORT).begins_with(prefix)
        return rows(self.table, KeyConditionExpression=in_range, ConsistentRead=True)

    def note_delivery(self, earlier: TryRow, delivery: str, *, callback_at: str | None = None) -> None:
        """Note where the result of an earlier try lies, which came after the try had ended.

        `callback_at` is the moment since which another try processes the result.
        """
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.update_item,
            Key=try_key(earlier["recording_id"], earlier["media_id"], earlier["number"]),
            **update_of({"delivery": delivery, **({"callback_at": callback_at} if callback_at else {})}),
            ConditionExpression=Attr(PARTITION).exists(),
        )
