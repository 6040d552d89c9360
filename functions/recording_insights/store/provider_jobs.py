"""Providers' own ids of jobs, each with its media object."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.store.expressions import if_it_holds, read, update_of
from recording_insights.store.keys import callback_key
from recording_insights.store.rows import ProviderJobRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class ProviderJobStore:
    """Lets a callback that knows only the provider's id of a job find the media object.

    `table` is the boto3 resource of the insights table; all methods may raise botocore's `ClientError`.
    """

    table: "Table"

    def name(self, recording_id: str, media_id: str, *, provider: str, key: str) -> None:
        """Store that the provider's job `key` is that of the media object."""
        named = {"job_of_recording": recording_id, "job_of_media": media_id}
        self.table.update_item(Key=callback_key(provider, key), **update_of(named))

    def forget(self, recording_id: str, *, provider: str, key: str) -> None:
        """Delete the name of a job of this recording."""
        from boto3.dynamodb.conditions import Attr

        is_own = Attr("job_of_recording").eq(recording_id)
        if_it_holds(self.table.delete_item, Key=callback_key(provider, key), ConditionExpression=is_own)

    def find(self, provider: str, key: str) -> tuple[str, str] | None:
        """Return recording id and media id of the job that the provider calls `key`."""
        row: ProviderJobRow | None = read(self.table, callback_key(provider, key))
        return (row["job_of_recording"], row["job_of_media"]) if row else None
