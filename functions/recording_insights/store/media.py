"""Media objects and their jobs in the table, and the recording's status that follows from them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from recording_insights.media import MediaObject
from recording_insights.store.conditions import lost_the_race, utc_text
from recording_insights.store.keys import MEDIA_PREFIX, PARTITION, SORT, media_key, recording_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

FINAL = ("done", "failed")
_STATUS_ROUNDS = 20


@dataclass(frozen=True)
class MediaStore:
    """Writes are conditional: a late or repeated step never moves a media object backwards.

    `table` is the boto3 resource of the insights table; every method raises botocore's `ClientError` for a fault
    of DynamoDB, which the workflow retries.
    """

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    @property
    def timestamp(self) -> str:
        """The present moment as it is written."""
        return utc_text(self.now())

    def find_recording(self, media: MediaObject) -> str:
        """The id of the recording that a media object belongs to.

        An API-started recording writes to a folder named after its id; the row has to exist, or anybody's folder
        of 32 hex characters would pass for one.
        """
        folder = media.recording_folder
        if folder and "Item" in self.table.get_item(Key=recording_key(folder), ProjectionExpression=PARTITION):
            return folder
        return media.own_recording_id

    def admit(self, recording_id: str, media: MediaObject, *, provider: str, duration_ms: int | None) -> None:
        """Make the media object's item, and the recording's if nobody has; both only once."""
        created_at = utc_text(media.created_at)
        self._put_once(
            {
                **recording_key(recording_id),
                "recording_id": recording_id,
                "status": "processing",
                "created_at": created_at,
                "updated_at": self.timestamp,
                "version": 1,
                "provider": provider,
                **({"sid": media.agora_sid} if media.agora_sid else {}),
            }
        )
        self._put_once(
            {
                **media_key(recording_id, media.media_id),
                "recording_id": recording_id,
                "media_id": media.media_id,
                "bucket": media.bucket,
                "key": media.key,
                "etag": media.etag,
                "size": media.size,
                "format": media.format,
                "status": "waiting",
                "arrived_at": created_at,
                "sequencer": media.sequencer,
                "waiting_since": self.timestamp,
                **({"duration_ms": duration_ms} if duration_ms is not None else {}),
            }
        )
        self.settle_recording(recording_id, sid=media.agora_sid)

    def get(self, recording_id: str, media_id: str) -> Mapping[str, Any]:
        """The media object's item, read consistently.

        Raises:
            LookupError: there is none; it is written before the execution starts, so somebody erased it.
        """
        reply = self.table.get_item(Key=media_key(recording_id, media_id), ConsistentRead=True)
        if "Item" not in reply:
            raise LookupError(f"media object {media_id} of recording {recording_id} is not in the table")
        return reply["Item"]

    def recording(self, recording_id: str) -> Mapping[str, Any]:
        """The recording's item, read consistently; empty if there is none."""
        return self.table.get_item(Key=recording_key(recording_id), ConsistentRead=True).get("Item", {})

    def note(self, recording_id: str, media_id: str, **values: Any) -> None:
        """Set attributes of an unfinished media object; None removes one. A finished one stays as it is."""
        self._update(recording_id, media_id, values)

    def finish(self, recording_id: str, media_id: str, status: str, **values: Any) -> None:
        """Bring a media object to `done` or `failed`, once, and the recording's status with it."""
        self._update(recording_id, media_id, {"status": status, "finished_at": self.timestamp, **values})
        self.settle_recording(recording_id)

    def submitted(self, recording_id: str, media_id: str, **values: Any) -> None:
        """The provider has taken the job."""
        self._update(recording_id, media_id, {"status": "submitted", "submitted_at": self.timestamp, **values})
        self.settle_recording(recording_id)

    def settle_recording(self, recording_id: str, *, sid: str | None = None) -> None:
        """Derive the recording's status from its media objects.

        Two parts may end at the same moment, so the write is conditional on the version that was read before the
        media objects were: whoever comes second reads again.
        """
        for attempt in range(_STATUS_ROUNDS):
            recording = self.recording(recording_id)
            if not recording:
                return
            media = self._media_of(recording_id)
            status, reason = derive_status(str(recording["status"]), media)
            summary = {
                str(item["media_id"]): {k: item[k] for k in ("key", "status", "reason") if k in item} for item in media
            }
            wanted = {"status": status, "reason": reason, "media": summary}
            if sid and "sid" not in recording:
                wanted["sid"] = sid
            changes = {name: value for name, value in wanted.items() if recording.get(name) != value}
            if not changes:
                return
            try:
                self._write(
                    recording_key(recording_id),
                    {**changes, "updated_at": self.timestamp},
                    condition="version = :read",
                    extra={":read": recording["version"]},
                    add_version=True,
                )
            except ClientError as error:
                if not lost_the_race(error):
                    raise
                self.sleep(0.02 * attempt)
            else:
                return
        raise RuntimeError(f"recording {recording_id} kept changing while its status was derived")

    def _media_of(self, recording_id: str) -> list[Mapping[str, Any]]:
        from boto3.dynamodb.conditions import Key

        condition = Key(PARTITION).eq(recording_id) & Key(SORT).begins_with(MEDIA_PREFIX)
        items: list[Mapping[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self.table.query(KeyConditionExpression=condition, ConsistentRead=True, **start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _put_once(self, item: dict[str, Any]) -> None:
        try:
            self.table.put_item(Item=item, ConditionExpression=f"attribute_not_exists({PARTITION})")
        except ClientError as error:
            if not lost_the_race(error):
                raise

    def _update(self, recording_id: str, media_id: str, values: Mapping[str, Any]) -> None:
        try:
            self._write(
                media_key(recording_id, media_id),
                values,
                condition="attribute_exists(pk) AND NOT #status IN (:done, :failed)",
                extra={":done": "done", ":failed": "failed"},
                names={"#status": "status"},
            )
        except ClientError as error:
            if not lost_the_race(error):
                raise

    def _write(
        self,
        key: Mapping[str, str],
        values: Mapping[str, Any],
        *,
        condition: str,
        extra: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        add_version: bool = False,
    ) -> None:
        sets = [name for name, value in values.items() if value is not None]
        removes = [name for name, value in values.items() if value is None]
        clauses = []
        if sets:
            clauses.append("SET " + ", ".join(f"#{name} = :{name}" for name in sets))
        if removes:
            clauses.append("REMOVE " + ", ".join(f"#{name}" for name in removes))
        if add_version:
            clauses.append("ADD version :one")
        self.table.update_item(
            Key=dict(key),
            UpdateExpression=" ".join(clauses),
            ConditionExpression=condition,
            ExpressionAttributeNames={**{f"#{name}": name for name in values}, **(names or {})},
            ExpressionAttributeValues={
                **{f":{name}": values[name] for name in sets},
                **extra,
                **({":one": 1} if add_version else {}),
            },
        )


def derive_status(present: str, media: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """A recording's status and reason, from those of its media objects; unchanged while there are none.

    A later version of a key replaces the earlier one: a part that failed and came again is judged by the last.
    """
    if not media:
        return present, None
    latest = newest_per_key(media)
    reasons = [f"{item['key']}: {item['reason']}" for item in latest if item.get("reason")]
    reason = "; ".join(reasons)[:2000] or None
    if any(item["status"] not in FINAL for item in latest):
        return "processing", reason
    if all(item["status"] == "failed" for item in latest):
        return "failed", reason
    if all(item["status"] == "done" and not item.get("missing") for item in latest):
        return "done", reason
    return "partial", reason


def newest_per_key(media: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One media object per key, the one that was written last, in the order of the keys.

    S3's sequencer orders what was written within one second, which is all that an event's time tells.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    latest: dict[str, Mapping[str, Any]] = {}
    for item in sorted(media, key=lambda item: (str(item["arrived_at"]), str(item.get("sequencer", "")))):
        latest[str(item["key"])] = item
    return [latest[key] for key in sorted(latest)]
