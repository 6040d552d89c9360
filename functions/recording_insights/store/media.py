"""Media objects and their jobs in the table, and the recording's status that follows from them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from recording_insights.model.media_object import MediaObject
from recording_insights.model.status import derive_status
from recording_insights.store.expressions import lost_the_race, utc_text
from recording_insights.store.keys import MEDIA_PREFIX, PARTITION, SORT, callback_key, media_key, recording_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

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

    def admit(
        self,
        recording_id: str,
        media: MediaObject,
        *,
        providers: Sequence[str],
        duration_ms: int | None = None,
        offset_ms: int | None = None,
    ) -> None:
        """Make the media object's item, and the recording's if nobody has; both only once.

        The first of the providers gets it, the others, if any, take over from it instead of the stack's. `offset_ms`
        is when it begins, counted from the recording's first sound, where parts need not follow each other.
        """
        provider, *failover = providers
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
                **({"failover": failover} if failover else {}),
                **({"sid": media.agora_sid} if media.agora_sid else {}),
            }
        )
        told = {**media.attributes, "duration_ms": duration_ms, "offset_ms": offset_ms}
        self._put_once(
            {
                **media_key(recording_id, media.media_id),
                "recording_id": recording_id,
                "status": "waiting",
                "provider": provider,
                "arrived_at": created_at,
                "waiting_since": self.timestamp,
                **{name: value for name, value in told.items() if value is not None},
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
        ended = {"status": status, "finished_at": self.timestamp, "task_token": None}
        self._update(recording_id, media_id, {**ended, **values})
        self.settle_recording(recording_id)

    def submitted(self, recording_id: str, media_id: str, **values: Any) -> None:
        """The provider has taken the job."""
        self._update(recording_id, media_id, {"status": "submitted", "submitted_at": self.timestamp, **values})
        self.settle_recording(recording_id)

    def give_up(self, recording_id: str, media_id: str, *, reason: str, **values: Any) -> None:
        """Part with the provider's job and begin to wait for another; what was given up stays on the row."""
        item = self.get(recording_id, media_id)
        given_up = {"provider": item["provider"], "job": item.get("job", {}), "reason": reason, "at": self.timestamp}
        before = item.get("given_up", [])
        parted = dict.fromkeys(
            ("job", "asking", "unconfirmed", "callback_at", "callback_job", "delivery", "task_token")
        )
        changes = {"status": "waiting", "waiting_since": self.timestamp, "given_up": [*before, given_up]}
        self._update(recording_id, media_id, {**parted, **changes, "reason": reason, **values})

    def find(self, recording_id: str, media_id: str) -> Mapping[str, Any] | None:
        """The media object's item as `get` reads it, None if there is none."""
        return self.table.get_item(Key=media_key(recording_id, media_id), ConsistentRead=True).get("Item")

    def name_job(self, recording_id: str, media_id: str, *, provider: str, key: str) -> None:
        """Let callbacks that know the job by the vendor's `key` find its media object."""
        self.table.update_item(
            Key=callback_key(provider, key),
            UpdateExpression="SET job_of_recording = :recording_id, job_of_media = :media_id",
            ExpressionAttributeValues={":recording_id": recording_id, ":media_id": media_id},
        )

    def find_named_job(self, provider: str, key: str) -> tuple[str, str] | None:
        """Recording id and media id of the job that a vendor knows by `key`."""
        item = self.table.get_item(Key=callback_key(provider, key), ConsistentRead=True).get("Item")
        return (str(item["job_of_recording"]), str(item["job_of_media"])) if item else None

    def note_callback(
        self, recording_id: str, media_id: str, *, provider: str, job: Mapping[str, Any], delivery: str | None
    ) -> bool:
        """Note the first callback for the present job; False if this is not the first, or its job is over.

        The state that waits writes its token on the condition that no callback was noted: whichever of the two
        writes comes first, nobody waits for what has been.
        """
        values = {"callback_at": self.timestamp, "callback_job": dict(job), "delivery": delivery}
        known = {name: value for name, value in values.items() if value is not None}
        first = "attribute_not_exists(callback_at) AND provider = :provider"
        return self._update(recording_id, media_id, known, condition=first, extra={":provider": provider})

    def note_going_on(self, recording_id: str, media_id: str) -> bool:
        """Tell whoever makes a file of a track that more of it came; False if nobody makes one any more."""
        news = {"went_on": self.timestamp}
        return self._update(recording_id, media_id, news, condition="attribute_exists(being_made)")

    def conclude(self, recording_id: str, media_id: str, by: str, **values: Any) -> bool:
        """Write what became of a track; False if more of it came since it was noted to be made `by` this very run, if
        another run has begun since, or somebody ended it.

        More of it is noted on the condition that a file is being made: whichever write comes first, none is lost.
        """
        concluded = {"being_made": None, "quiet_since": None, **values}
        first = "being_made = :by AND attribute_not_exists(went_on)"
        return self._update(recording_id, media_id, concluded, condition=first, extra={":by": by})

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

    def _update(
        self,
        recording_id: str,
        media_id: str,
        values: Mapping[str, Any],
        *,
        condition: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write to an unfinished media object, on one more condition if there is one; whether that was so."""
        unfinished = "attribute_exists(pk) AND NOT #status IN (:done, :failed)"
        try:
            self._write(
                media_key(recording_id, media_id),
                values,
                condition=f"{unfinished} AND {condition}" if condition else unfinished,
                extra={":done": "done", ":failed": "failed", **(extra or {})},
                names={"#status": "status"},
            )
        except ClientError as error:
            if not lost_the_race(error):
                raise
            return False
        return True

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
