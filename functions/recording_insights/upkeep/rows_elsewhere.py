"""The rows of a recording: those that lead to it from elsewhere, and its own."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from recording_insights.model.tries import earlier_jobs
from recording_insights.recordings.end import free_channel
from recording_insights.store.expressions import pages
from recording_insights.store.keys import ERASE, PARTITION, RECEIPT, RECORDING, SORT
from recording_insights.store.media import MediaStore
from recording_insights.store.notices import NoticeStore
from recording_insights.store.rows import MediaRow, RecordingRow, TryRow
from recording_insights.store.subscriptions import DeliveryStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

AT_ONCE = 500
"""Rows that are deleted before they are counted."""


def delete_rows_elsewhere(
    recording: RecordingRow, media: Sequence[MediaRow], tries: Sequence[TryRow], *, store: MediaStore
) -> None:
    """Delete what leads to a recording: its claim, its reference, its recorder's sid, and its providers' ids of jobs.

    The events about it that subscribers got, or shall get, are deleted too. A row that leads to another recording by
    now stays.
    """
    recording_id, recordings = recording["recording_id"], store.recordings
    if "channel" in recording:
        free_channel(recording, store=recordings)
    if "sid" in recording:
        recordings.recorders.forget(recording["sid"], recording_id)
    if recording.get("reference"):
        recordings.references.forget(recording)
    for notice_id in sorted(recording.get("counted_fail_overs", ())):
        NoticeStore(store.table, store.now).forget(notice_id)
    for row in (*media, *tries, *(earlier for each in media for earlier in earlier_jobs(each))):
        if "provider" in row and (key := row.get("job", {}).get("callback_key")):
            recordings.erasures.mark_job(row["provider"], str(key))
            store.jobs.forget(recording_id, provider=row["provider"], key=str(key))
    DeliveryStore(store.table, store.now).forget(recording_id)


def delete_rows_of(recording_id: str, *, table: "Table") -> Iterator[int]:
    """Delete a recording's own rows but its row itself, the progress and the receipt; yield how many, in batches."""
    from boto3.dynamodb.conditions import Key

    stays = {RECORDING, ERASE, RECEIPT}
    for page in pages(table, KeyConditionExpression=Key(PARTITION).eq(recording_id), ConsistentRead=True):
        leaving = [row[SORT] for row in page if row[SORT] not in stays]
        for first in range(0, len(leaving), AT_ONCE):
            sorts = leaving[first : first + AT_ONCE]
            with table.batch_writer() as batch:
                for sort in sorts:
                    batch.delete_item(Key={PARTITION: recording_id, SORT: sort})
            yield len(sorts)
