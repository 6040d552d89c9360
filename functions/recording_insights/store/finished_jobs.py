"""How long the latest jobs of each kind took, so that the next ones are expected to take as long."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zlib import crc32

from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import rows
from recording_insights.store.keys import PARTITION, finished_job_key, finished_jobs_of
from recording_insights.store.numbers import encode
from recording_insights.store.rows import FinishedJobRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

PLACES = 16
"""Items of one kind. Each job replaces the item of the place that its id leads to."""
LIFE = timedelta(days=90)
"""A provider may have become faster or slower since."""


@dataclass(frozen=True)
class FinishedJobStore:
    """`table` is the boto3 resource of the insights table.

    Nothing depends on these rows: with a fault of AWS there is none to read, and a written one is lost.
    """

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def keep(self, provider: str, kind: str, media_id: str, *, ratio: float, at_first_poll: bool) -> None:
        """Store that the job of a media object took `ratio` times as long as the provider's built-in pace says.

        A repeated write changes nothing. Writes of different jobs go to different items, so no item is written often.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        row: FinishedJobRow = {
            **finished_job_key(provider, kind, crc32(media_id.encode()) % PLACES),  # type: ignore[typeddict-item]
            "ratio": ratio,
            "at_first_poll": at_first_poll,
            "ended_at": utc_text(self.now()),
            "expires_at": int((self.now() + LIFE).timestamp()),
        }
        with suppress(BotoCoreError, ClientError):
            self.table.put_item(Item=encode(row))

    def newest(self, provider: str, kind: str) -> Sequence[FinishedJobRow]:
        """Return up to `PLACES` finished jobs of a kind, the newest first."""
        from boto3.dynamodb.conditions import Key
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found: list[FinishedJobRow] = rows(
                self.table, KeyConditionExpression=Key(PARTITION).eq(finished_jobs_of(provider, kind))
            )
        except (BotoCoreError, ClientError):
            return ()
        return sorted(found, key=lambda row: row["ended_at"], reverse=True)
