"""Media objects and their jobs in the table."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Unpack

from recording_insights.errors import MediaMissing
from recording_insights.model.media_object import MediaObject
from recording_insights.model.moments import utc_text
from recording_insights.model.status import FINAL
from recording_insights.store.contents import Content, ContentStore
from recording_insights.store.expressions import if_it_holds, read, update_of
from recording_insights.store.keys import PARTITION, media_key
from recording_insights.store.numbers import encode
from recording_insights.store.provider_jobs import ProviderJobStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import GivenUp, Job, MediaChanges, MediaRow

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table

_OF_A_JOB: MediaChanges = {
    "job": None,
    "asking": None,
    "unconfirmed": None,
    "not_found_at": None,
    "callback_at": None,
    "callback_refusal": None,
    "callback_job": None,
    "delivery": None,
    "task_token": None,
}
"""The attributes that the row loses when its job is given up."""


@dataclass(frozen=True)
class MediaStore:
    """Reads and writes media objects. Every write is conditional: a late or repeated step undoes no later one.

    `table` is the boto3 resource of the insights table. Every method raises botocore's `ClientError` for a fault of
    DynamoDB, which the state machine retries.
    """

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    @property
    def recordings(self) -> RecordingStore:
        """The recordings, in the same table."""
        return RecordingStore(self.table, self.now, self.sleep)

    @property
    def contents(self) -> ContentStore:
        """Which media object holds a content, in the same table."""
        return ContentStore(self.table)

    @property
    def jobs(self) -> ProviderJobStore:
        """The providers' own ids of jobs, in the same table."""
        return ProviderJobStore(self.table)

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def admit(
        self,
        recording_id: str,
        media: MediaObject,
        *,
        providers: Sequence[str],
        duration_ms: int | None = None,
        offset_ms: int | None = None,
        content: Content | None = None,
    ) -> bool:
        """Write the row of the media object and that of its recording, each unless it exists.

        The media object becomes a holder of its `content`, if that is known, in the same transaction. Returns False and
        writes no media object if the holders have changed since they were read.

        The first of `providers` gets the media object. The others, if any, take over from it instead of the stack's
        list. `offset_ms` is when the media object begins, counted from the recording's first sound. It is given where a
        part may begin later than the one before ends.
        """
        from boto3.dynamodb.conditions import Attr

        self.recordings.open_by_arrival(recording_id, media, providers=providers)
        attributes = {
            **media.attributes,
            "checksum": content.checksum if content else None,
            "duration_ms": duration_ms,
            "offset_ms": offset_ms,
        }
        row: Any = {
            **media_key(recording_id, media.media_id),
            "recording_id": recording_id,
            "status": "waiting",
            "provider": providers[0],
            "arrived_at": utc_text(media.created_at),
            "waiting_since": self.timestamp,
            **{name: value for name, value in attributes.items() if value is not None},
        }
        if content is None:
            if_it_holds(self.table.put_item, Item=encode(row), ConditionExpression=Attr(PARTITION).not_exists())
        elif not self.contents.hold(row, content) and self.find(recording_id, media.media_id) is None:
            return False
        self.recordings.settle(recording_id, sid=media.agora_sid)
        return True

    def add_copy(self, recording_id: str, media_id: str, key: str) -> None:
        """Note the key of another object with the content of the media object, which may be in a terminal status."""
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.update_item,
            Key=media_key(recording_id, media_id),
            **update_of({}, add={"copies": {key}}),
            ConditionExpression=Attr(PARTITION).exists(),
        )

    def written_again(self, row: MediaRow, media: MediaObject, *, is_overwritten: bool) -> None:
        """Note that the object of a media object was written anew with the same content, as `media`.

        A provider that has yet to get the object gets the version that is there now. If another content was in between,
        the media object becomes the newest version again, even in a terminal status.
        """
        from boto3.dynamodb.conditions import Attr

        recording_id, media_id = row["recording_id"], row["media_id"]
        if media.etag != row.get("copied_etag", row["etag"]):
            self.note(recording_id, media_id, copied_etag=media.etag)
        if not is_overwritten:
            return
        arrived_at = utc_text(media.created_at)
        if_it_holds(
            self.table.update_item,
            Key=media_key(recording_id, media_id),
            **update_of({"arrived_at": arrived_at, "sequencer": media.sequencer}),
            ConditionExpression=Attr("arrived_at").lte(arrived_at),
        )

    def get(self, recording_id: str, media_id: str) -> MediaRow:
        """Return the media object, read consistently.

        Raises:
            MediaMissing: there is none. The row is written before the execution starts, so it was deleted since.
        """
        row = self.find(recording_id, media_id)
        if row is None:
            raise MediaMissing(f"media object {media_id} of recording {recording_id} is not in the table")
        return row

    def find(self, recording_id: str, media_id: str) -> MediaRow | None:
        """Return the media object, read consistently, or None."""
        row: MediaRow | None = read(self.table, media_key(recording_id, media_id))
        return row

    def note(self, recording_id: str, media_id: str, **changes: Unpack[MediaChanges]) -> None:
        """Set attributes of a media object that is not in a terminal status; None removes one."""
        self._update(recording_id, media_id, changes)

    def finish(
        self, recording_id: str, media_id: str, status: Literal["done", "failed"], /, **changes: Unpack[MediaChanges]
    ) -> None:
        """Bring a media object to a terminal status, once, and settle the recording's status."""
        ended: MediaChanges = {"status": status, "finished_at": self.timestamp, "task_token": None}
        self._update(recording_id, media_id, {**ended, **changes})
        self.recordings.settle(recording_id)

    def submitted(self, recording_id: str, media_id: str, **changes: Unpack[MediaChanges]) -> None:
        """Note that the provider has accepted the job."""
        submitted: MediaChanges = {"status": "submitted", "submitted_at": self.timestamp}
        self._update(recording_id, media_id, {**submitted, **changes})
        self.recordings.settle(recording_id)

    def give_up(self, recording_id: str, media_id: str, reason: str, /, **changes: Unpack[MediaChanges]) -> None:
        """Give the provider's job up and wait for another one; the row keeps the job that was given up, and why."""
        row = self.get(recording_id, media_id)
        given_up: GivenUp = {
            "provider": row["provider"],
            "job": row.get("job", {}),
            "reason": reason,
            "at": self.timestamp,
        }
        waiting: MediaChanges = {
            "status": "waiting",
            "waiting_since": self.timestamp,
            "given_up": [*row.get("given_up", []), given_up],
            "reason": reason,
        }
        self._update(recording_id, media_id, {**_OF_A_JOB, **waiting, **changes})

    def note_callback(self, recording_id: str, media_id: str, *, provider: str, job: Job, delivery: str | None) -> bool:
        """Note the first callback for the present job; returns False if it is not the first, or if the job has ended.

        The state "Await callback" writes its token on the condition that no callback was noted. Whichever of the two
        writes is first, no task waits for a callback that has arrived.
        """
        from boto3.dynamodb.conditions import Attr

        callback: MediaChanges = {"callback_at": self.timestamp, "callback_job": dict(job)}
        if delivery is not None:
            callback["delivery"] = delivery
        first = Attr("callback_at").not_exists() & Attr("provider").eq(provider)
        return self._update(recording_id, media_id, callback, condition=first)

    def note_going_on(self, recording_id: str, media_id: str) -> bool:
        """Note that more of a track arrived, for the run that prepares the track; False if there is no such run."""
        from boto3.dynamodb.conditions import Attr

        return self._update(recording_id, media_id, {"went_on": self.timestamp}, condition=Attr("being_made").exists())

    def conclude(self, recording_id: str, media_id: str, by: str, **changes: Unpack[MediaChanges]) -> bool:
        """Write the result of the run `by` that prepared a track.

        Returns False if the track changed since the run started, if another run took over, or if the media object is
        in a terminal status. A change is noted on the condition that a run is under way: whichever write is first, no
        change is lost.
        """
        from boto3.dynamodb.conditions import Attr

        concluded: MediaChanges = {"being_made": None, "quiet_since": None}
        unchanged = Attr("being_made").eq(by) & Attr("went_on").not_exists()
        return self._update(recording_id, media_id, {**concluded, **changes}, condition=unchanged)

    def _update(
        self, recording_id: str, media_id: str, changes: MediaChanges, *, condition: "ConditionBase | None" = None
    ) -> bool:
        """Write to a media object that is not in a terminal status; returns whether all conditions held."""
        from boto3.dynamodb.conditions import Attr

        unfinished: ConditionBase = Attr(PARTITION).exists() & ~Attr("status").is_in(list(FINAL))
        reply = if_it_holds(
            self.table.update_item,
            Key=media_key(recording_id, media_id),
            **update_of(changes),
            ConditionExpression=unfinished & condition if condition else unfinished,
        )
        return reply is not None
