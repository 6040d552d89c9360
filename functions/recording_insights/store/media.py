"""Media objects and their jobs in the table."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, Unpack, cast

from recording_insights.errors import MediaMissing
from recording_insights.model.execution_name import execution_name
from recording_insights.model.media_object import MediaObject
from recording_insights.model.moments import utc_text
from recording_insights.model.reasons import CANCELLED, because
from recording_insights.model.status import FINAL, stage_of
from recording_insights.model.tries import (
    SHOWN_ATTRIBUTES,
    earlier_jobs,
    ended_try,
    is_shown,
    number_of_job,
    number_of_try,
    tried_providers,
)
from recording_insights.store.contents import Content, ContentStore
from recording_insights.store.expressions import change_of, if_it_holds, put_of, read, update_of, write_all
from recording_insights.store.finished_jobs import FinishedJobStore
from recording_insights.store.keys import PARTITION, media_key, try_key
from recording_insights.store.numbers import decode, encode
from recording_insights.store.provider_jobs import ProviderJobStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import Derivation, Job, MediaChanges, MediaRow, TryRow
from recording_insights.store.tries import TryStore

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table

_OF_A_TRY: MediaChanges = {
    "residency": None,
    "job": None,
    "job_number": None,
    "asking": None,
    "unconfirmed": None,
    "submitted_at": None,
    "expected_seconds": None,
    "expected_spread": None,
    "slot": None,
    "queue_place": None,
    "first_turn_at": None,
    "polls": None,
    "last_word": None,
    "not_found_at": None,
    "callback_at": None,
    "callback_refusal": None,
    "callback_job": None,
    "delivery": None,
    "task_token": None,
    "reply": None,
    "missing": None,
    "counts": None,
    "outline": None,
    "words": None,
    "stage": None,
    "reason_code": None,
    "given_up": None,
}
"""The attributes that the row loses when another try begins."""
_OF_A_RETRY: MediaChanges = {
    "began_from": None,
    "retried_by": None,
    "canceled_by": None,
    "options": None,
    "tried": None,
    "renewals": None,
    "repeats": None,
    "executions": None,
    "finished_at": None,
    "reason": None,
    "unprepared": None,
    "being_made": None,
    "went_on": None,
    "quiet_since": None,
}
"""The attributes that the row also loses when a media object is processed again that had ended."""
COUNTED = frozenset({"transitions", "calls"})
"""The attributes with the counts of the present execution."""


class Observer(Protocol):
    """Is told what has happened to media objects, once it is written.

    A call that is repeated after a crash may tell it again.
    """

    def arrived(self, row: MediaRow) -> None:
        """Its row was written."""

    def submitted(self, row: MediaRow) -> None:
        """A provider has accepted its job."""

    def waits(self, row: MediaRow, code: str) -> None:
        """It waits for what time or an operator can mend."""

    def ended(self, row: MediaRow) -> None:
        """It is done or failed."""

    def gave_up(self, row: MediaRow) -> None:
        """A try without a result was given up, and another one has begun."""


class _Nobody:
    def arrived(self, row: MediaRow) -> None: ...
    def submitted(self, row: MediaRow) -> None: ...
    def waits(self, row: MediaRow, code: str) -> None: ...
    def ended(self, row: MediaRow) -> None: ...
    def gave_up(self, row: MediaRow) -> None: ...


@dataclass(frozen=True)
class MediaStore:
    """Reads and writes media objects. Every write is conditional: a late or repeated step undoes no later one.

    `table` is the boto3 resource of the insights table. Every method raises botocore's `ClientError` for a fault of
    DynamoDB, which the state machine retries.
    """

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    observer: Observer = _Nobody()  # noqa: RUF009

    @property
    def recordings(self) -> RecordingStore:
        """The recordings, in the same table."""
        return RecordingStore(self.table, self.now, self.sleep)

    @property
    def contents(self) -> ContentStore:
        """Which media object holds a content, in the same table."""
        return ContentStore(self.table)

    @property
    def tries(self) -> TryStore:
        """The earlier tries of media objects, in the same table."""
        return self.recordings.tries

    @property
    def jobs(self) -> ProviderJobStore:
        """The providers' own ids of jobs, in the same table."""
        return ProviderJobStore(self.table)

    @property
    def finished_jobs(self) -> FinishedJobStore:
        """How long the latest jobs took, in the same table."""
        return FinishedJobStore(self.table, self.now)

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
        admitted_by: str | None = None,
        derivation: Derivation | None = None,
    ) -> bool:
        """Write the row of the media object and that of its recording, each unless it exists.

        The media object becomes a holder of its `content`, if that is known, in the same transaction. Returns False and
        writes no media object if the holders have changed since they were read.

        The first of `providers` gets the media object. The others, if any, take over from it instead of the stack's
        list. `offset_ms` is when the media object begins, counted from the recording's first sound. It is given where a
        part may begin later than the one before ends. `admitted_by` is the caller who named the object, if one did. A
        recording that is new by this gets the `derivation`.
        """
        from boto3.dynamodb.conditions import Attr

        self.recordings.open_by_arrival(recording_id, media, providers=providers, derivation=derivation)
        attributes = {
            **media.attributes,
            "checksum": content.checksum if content else None,
            "duration_ms": duration_ms,
            "offset_ms": offset_ms,
            "admitted_by": admitted_by,
        }
        row: Any = {
            **media_key(recording_id, media.media_id),
            "recording_id": recording_id,
            "status": "waiting",
            "provider": providers[0],
            "arrived_at": utc_text(media.created_at),
            "waiting_since": self.timestamp,
            "try_number": 0,
            # That of the function that received the object.
            "other_calls": 1,
            **{name: value for name, value in attributes.items() if value is not None},
        }
        row["execution"] = execution_name(row)
        if content is None:
            is_new = Attr(PARTITION).not_exists()
            written = if_it_holds(self.table.put_item, Item=encode(row), ConditionExpression=is_new) is not None
        else:
            written = self.contents.hold(row, content)
            if not written and self.find(recording_id, media.media_id) is None:
                return False
        if written:
            self.observer.arrived(row)
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
        """Bring a media object to a terminal status, once, and settle the recording's status.

        The insights of a try that is `done` are shown from then on. If a try fails while the insights of an earlier one
        are shown, the earlier one stays, and the media object is `done` again.
        """
        ended: MediaChanges = {"status": status, "finished_at": self.timestamp, "task_token": None}
        row = self.find(recording_id, media_id)
        now: MediaRow | None = None
        if row is None or row.get("status") in FINAL:
            pass
        elif status == "done":
            now = self._update(recording_id, media_id, {**ended, "shown_try": number_of_try(row), **changes})
        elif "shown_try" in row and self._show_again(row, {**ended, **changes}):
            now = cast(MediaRow, {**row, **ended, **changes})
        else:
            now = self._update(recording_id, media_id, {**ended, **changes})
        if now is not None:
            self.observer.ended(now)
        # Also after a crash between the two writes.
        self.recordings.settle(recording_id)

    def end_erased(self, row: MediaRow) -> None:
        """Bring a media object to its terminal status because its recording is being erased.

        The code is that of a cancellation: a job that a provider accepts meanwhile is still noted, see
        `keep_of_cancelled`.
        """
        why = because(stage_of(row), CANCELLED, "its recording is being erased")
        ended: MediaChanges = {"status": "failed", "finished_at": self.timestamp, "task_token": None}
        self._update(row["recording_id"], row["media_id"], cast(MediaChanges, {**ended, **why}))

    def _show_again(self, row: MediaRow, failed: MediaChanges) -> bool:
        """End a try as failed, and show the earlier one whose insights are shown; return whether there is such a try.

        The row keeps the number of the try that failed: the next one has the next number.
        """
        recording_id, media_id = row["recording_id"], row["media_id"]
        shown = self.tries.find(recording_id, media_id, row["shown_try"])
        if shown is None:
            return False
        ended = ended_try(cast(MediaRow, {**row, **failed}), "failed", self.timestamp)
        kept = {name: value for name, value in shown.items() if name in SHOWN_ATTRIBUTES}
        reason = f"another try failed, so the insights of before are shown: {failed.get('reason')}"
        back = {
            **_OF_A_TRY,
            "retried_by": None,
            **kept,
            "job_number": number_of_job(shown),
            "status": "done",
            "finished_at": shown["ended_at"],
            "stage": failed.get("stage"),
            "reason": reason,
            "reason_code": failed.get("reason_code"),
            **{name: value for name, value in failed.items() if name in COUNTED},
        }
        return self._begin_after(row, [ended], cast(MediaChanges, back))

    def wait(self, row: MediaRow, **changes: Unpack[MediaChanges]) -> None:
        """Note why a media object waits, or that it no longer does.

        If its code is another one than that of `row`, which was read before, the recording shows the reason at once.
        """
        self._update(row["recording_id"], row["media_id"], changes)
        if code := changes.get("reason_code"):
            self.observer.waits(row, code)
        if changes.get("reason_code") != row.get("reason_code"):
            self.recordings.settle(row["recording_id"])

    def submitted(self, recording_id: str, media_id: str, **changes: Unpack[MediaChanges]) -> bool:
        """Note that the provider has accepted the job; return False if the media object has ended meanwhile.

        One that was cancelled keeps the job, so that a retry takes its result.
        """
        submitted: MediaChanges = {"status": "submitted", "submitted_at": self.timestamp}
        row = self._update(recording_id, media_id, {**submitted, **changes})
        if row is not None:
            self.observer.submitted(row)
        elif "job" in changes and (cancelled := self.find(recording_id, media_id)):
            self.keep_of_cancelled(cancelled, job=changes["job"], submitted_at=self.timestamp)
        self.recordings.settle(recording_id)
        return row is not None

    def keep_of_cancelled(self, row: MediaRow, **changes: Unpack[MediaChanges]) -> None:
        """Write what a provider says of the job of a media object that was cancelled, so that a retry finds it."""
        from boto3.dynamodb.conditions import Attr

        known = {name: value for name, value in changes.items() if value is not None}
        if_it_holds(
            self.table.update_item,
            Key=media_key(row["recording_id"], row["media_id"]),
            **update_of(known),
            ConditionExpression=Attr("status").eq("failed") & Attr("reason_code").eq(CANCELLED),
        )

    def give_up(
        self, recording_id: str, media_id: str, reason: str, code: str, /, **changes: Unpack[MediaChanges]
    ) -> None:
        """Give the provider's job up and begin another try; the earlier one is kept with its job and the reason.

        Changes nothing if the media object is in a terminal status.
        """
        row = self.get(recording_id, media_id)
        if row["status"] in FINAL:
            return
        why = because(stage_of(row), code, reason)
        given_up = cast(MediaRow, {**row, **why})
        waiting: MediaChanges = {
            **_OF_A_TRY,
            "status": "waiting",
            "waiting_since": self.timestamp,
            "try_number": number_of_try(row) + 1,
            "tried": tried_providers(row),
            **why,
        }
        ended = [*earlier_jobs(row), ended_try(given_up, "given up", self.timestamp)]
        if self._begin_after(row, ended, {**waiting, **changes}):
            self.observer.gave_up(row)

    def begin_try(self, row: MediaRow, changes: MediaChanges) -> MediaRow | None:
        """Begin another try of a media object in a terminal status, which was read as `row`; return the row as it is.

        The try that ended becomes an item of its own, unless it is one already. The changes include the new status.
        Returns None and changes nothing if another caller has begun a try since the row was read.
        """
        number = number_of_try(row) + 1
        # The row of a media object whose last try failed may show an earlier one.
        is_kept = row["status"] == "done" and not is_shown(row)
        ended = [] if is_kept else [ended_try(row, cast(Any, row["status"]), self.timestamp)]
        shown = {"shown_try": row.get("shown_try", number - 1)} if row["status"] == "done" else {}
        begun = cast(
            MediaChanges,
            {
                **_OF_A_TRY,
                **_OF_A_RETRY,
                **shown,
                "waiting_since": self.timestamp,
                "try_number": number,
                **_counted_before(row),
                **changes,
            },
        )
        named = cast(MediaRow, {**row, **begun, "executions": 1})
        begun.setdefault("execution", execution_name(named))
        if not self._begin_after(row, [*earlier_jobs(row), *ended], begun):
            return None
        self.recordings.settle(row["recording_id"])
        return self.get(row["recording_id"], row["media_id"])

    def _begin_after(self, row: MediaRow, ended: Sequence[TryRow], changes: MediaChanges) -> bool:
        """Write the tries that ended and the changes of their media object, all or none; return whether they are.

        Nothing is written if the media object has changed its status or its try since it was read as `row`.
        """
        is_unchanged = _as_read(row, "status") & _as_read(row, "try_number")
        place = row["recording_id"], row["media_id"]
        puts = [put_of(self.table, {**try_key(*place, each["number"]), **each}) for each in ended]
        return write_all(self.table, [*puts, change_of(self.table, media_key(*place), changes, is_unchanged)])

    def appoint(self, row: MediaRow, execution: str, *, executions: int | None = None) -> MediaRow | None:
        """Make an execution that of an unfinished media object, which was read as `row`; return the row as it is.

        Returns None and changes nothing if another caller has appointed one since.
        """
        changes: MediaChanges = {"execution": execution, **_counted_before(row)}
        if executions is not None:
            changes["executions"] = executions
        return self._update(row["recording_id"], row["media_id"], changes, condition=_as_read(row, "execution"))

    def note_callback(
        self, recording_id: str, media_id: str, *, provider: str, job: Job, delivery: str | None, calls: int
    ) -> bool:
        """Note the first callback for the present job; returns False if it is not the first, or if the job has ended.

        `calls` is the number of functions that received it. They count apart from those of the execution, which may
        write at the same moment.

        The state "Await callback" writes its token on the condition that no callback was noted. Whichever of the two
        writes is first, no task waits for a callback that has arrived.
        """
        from boto3.dynamodb.conditions import Attr

        callback: MediaChanges = {"callback_at": self.timestamp, "callback_job": dict(job)}
        if delivery is not None:
            callback["delivery"] = delivery
        first = Attr("callback_at").not_exists() & Attr("provider").eq(provider)
        return self._update(recording_id, media_id, callback, add={"other_calls": calls}, condition=first) is not None

    def note_going_on(self, recording_id: str, media_id: str) -> MediaRow | None:
        """Note that more of a track arrived, and return its row as it is then; None if its file has been prepared.

        The run that prepares the track begins again. No execution begins to wait with a task token, and the row has the
        token of one that waits: whichever write is first, none waits for what has arrived.
        """
        from boto3.dynamodb.conditions import Attr

        is_unprepared = Attr("status").is_in(["waiting", "preparing"]) & Attr("prepared").not_exists()
        reply = if_it_holds(
            self.table.update_item,
            Key=media_key(recording_id, media_id),
            **update_of({"went_on": self.timestamp}),
            ConditionExpression=Attr(PARTITION).exists() & is_unprepared,
            ReturnValues="ALL_NEW",
        )
        return decode(reply["Attributes"]) if reply else None

    def conclude(self, recording_id: str, media_id: str, by: str, **changes: Unpack[MediaChanges]) -> bool:
        """Write the result of the run `by` that prepared a track.

        Returns False if the track changed since the run started, if another run took over, or if the media object is
        in a terminal status. A change is noted on the condition that the track is not prepared: whichever write is
        first, no change is lost.
        """
        from boto3.dynamodb.conditions import Attr

        concluded: MediaChanges = {"being_made": None, "quiet_since": None, "task_token": None}
        unchanged = Attr("being_made").eq(by) & Attr("went_on").not_exists()
        return self._update(recording_id, media_id, {**concluded, **changes}, condition=unchanged) is not None

    def _update(
        self,
        recording_id: str,
        media_id: str,
        changes: MediaChanges,
        *,
        add: Mapping[str, int] | None = None,
        condition: "ConditionBase | None" = None,
    ) -> MediaRow | None:
        """Write to a media object that is not in a terminal status; return its row, or None if a condition fails."""
        from boto3.dynamodb.conditions import Attr

        unfinished: ConditionBase = Attr(PARTITION).exists() & ~Attr("status").is_in(list(FINAL))
        reply = if_it_holds(
            self.table.update_item,
            Key=media_key(recording_id, media_id),
            **update_of(changes, add=add),
            ConditionExpression=unfinished & condition if condition else unfinished,
            ReturnValues="ALL_NEW",
        )
        return None if reply is None else cast(MediaRow, decode(reply["Attributes"]))


def _counted_before(row: MediaRow) -> MediaChanges:
    """Return the changes that keep the counts of the executions so far when another one begins, which has its own."""
    if "calls" not in row:
        return {}
    return {
        "transitions_before": row.get("transitions_before", 0) + row.get("transitions", 0),
        "calls_before": row.get("calls_before", 0) + row["calls"],
        "transitions": None,
        "calls": None,
    }


def _as_read(row: MediaRow, name: Literal["status", "try_number", "execution"]) -> "ConditionBase":
    """Return the condition that an attribute is as it was read."""
    from boto3.dynamodb.conditions import Attr

    return Attr(name).eq(row[name]) if name in row else Attr(name).not_exists()
