"""Recordings in the table, and the list of recordings.

Every write of a recording but the lease adds 1 to its `version` and moves it to the end of the changes. Every write is
conditional on the state that was read before. The API writes a new recording and the claim on its channel in one
transaction, before it calls Agora. So of two simultaneous starts, one finds the recording of the other.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from recording_insights.errors import ChannelTaken, Conflict, NotFound, RecordingErased, StatusContended
from recording_insights.model.media_object import MediaObject
from recording_insights.model.moments import utc_text
from recording_insights.model.status import CHANGEABLE, ERASING, settled
from recording_insights.store.changes import ChangeStore
from recording_insights.store.claims import Claim, ClaimStore
from recording_insights.store.erasures import ErasureStore, erased, refuse_erasing
from recording_insights.store.expressions import (
    change_of,
    deletion_of,
    if_it_holds,
    lost_the_race,
    pages,
    put_of,
    read,
    rows,
    update_of,
    write_all,
)
from recording_insights.store.keys import (
    MEDIA_PREFIX,
    PARTITION,
    RECEIPT,
    RECORDER,
    RECORDING,
    SORT,
    STATUS_INDEX,
    STATUS_INDEX_HASH,
    STATUS_INDEX_RANGE,
    TIME_INDEX,
    TIME_INDEX_HASH,
    TIME_INDEX_RANGE,
    change_of_row,
    derived_key,
    recording_key,
)
from recording_insights.store.numbers import decode, encode
from recording_insights.store.recorder_names import RecorderNameStore
from recording_insights.store.recorder_states import RecorderStateStore
from recording_insights.store.references import ReferenceStore
from recording_insights.store.rows import (
    CorrectionRow,
    Derivation,
    DerivedRow,
    MediaRow,
    RecorderStateRow,
    RecordingChanges,
    RecordingRow,
)
from recording_insights.store.tries import TryStore

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Position = tuple[str, str]
"""(created_at, recording_id): where a recording stands in the list."""

_STATUS_ROUNDS = 20


@dataclass(frozen=True)
class RecordingStore:
    """Reads and writes recordings. `table` is the boto3 resource of the insights table.

    Every method may raise botocore's `ClientError` for a fault of DynamoDB.
    """

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    @property
    def claims(self) -> ClaimStore:
        """The claims of channels, in the same table."""
        return ClaimStore(self.table)

    @property
    def recorders(self) -> RecorderNameStore:
        """Which recording a recorder writes, in the same table."""
        return RecorderNameStore(self.table, self.now)

    @property
    def changes(self) -> ChangeStore:
        """Which recordings have changed since, in the same table."""
        return ChangeStore(self.table, self.now)

    @property
    def references(self) -> ReferenceStore:
        """Which recordings have a caller's reference, in the same table."""
        return ReferenceStore(self.table)

    @property
    def tries(self) -> TryStore:
        """The earlier tries of media objects, in the same table."""
        return TryStore(self.table)

    @property
    def recorder_states(self) -> RecorderStateStore:
        """What Agora last said of the recorders, in the same table."""
        return RecorderStateStore(self.table, self.now)

    @property
    def erasures(self) -> ErasureStore:
        """The erases and their receipts, in the same table."""
        return ErasureStore(self.table, self.now)

    @property
    def seconds(self) -> int:
        """The present moment in Unix seconds."""
        return int(self.now().timestamp())

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def get(self, recording_id: str) -> RecordingRow:
        """Return the recording, read consistently.

        Raises:
            NotFound: there is no recording of this id.
            RecordingErased: it was erased.
        """
        recording = self.find(recording_id)
        if recording is None:
            raise self.absent(recording_id)
        return recording

    def get_changeable(self, recording_id: str) -> RecordingRow:
        """Return the recording if it is not being erased.

        Raises:
            NotFound: there is no recording of this id.
            RecordingErased: it was erased, or is being erased.
        """
        recording = self.get(recording_id)
        refuse_erasing(recording)
        return recording

    def absent(self, recording_id: str) -> NotFound | RecordingErased:
        """Return the error for a recording without a row."""
        receipt = self.erasures.find_receipt(recording_id)
        return erased(receipt) if receipt else NotFound(f"no recording {recording_id}")

    def find(self, recording_id: str) -> RecordingRow | None:
        """Return the recording, read consistently, or None."""
        row: RecordingRow | None = read(self.table, recording_key(recording_id))
        return row

    def find_with_media(self, recording_id: str) -> tuple[RecordingRow, list[MediaRow]] | None:
        """Return the recording and its media objects."""
        found = self.find_whole(recording_id)
        return found and found[:2]

    def find_whole(self, recording_id: str) -> tuple[RecordingRow, list[MediaRow], RecorderStateRow | None] | None:
        """Return the recording, its media objects, and what Agora last said of the recorder.

        Transcript and insights lie outside of the range.
        """
        found = self._rows_of(recording_id)
        if RECORDING not in found:
            return None
        media = [row for sort, row in found.items() if sort.startswith(MEDIA_PREFIX)]
        return found[RECORDING], media, found.get(RECORDER)

    def get_whole(self, recording_id: str) -> tuple[RecordingRow, list[MediaRow], RecorderStateRow | None]:
        """Return the same, by the same one query.

        Raises:
            NotFound: there is no recording of this id.
            RecordingErased: it was erased.
        """
        found = self._rows_of(recording_id)
        if RECORDING in found:
            media = [row for sort, row in found.items() if sort.startswith(MEDIA_PREFIX)]
            return found[RECORDING], media, found.get(RECORDER)
        if RECEIPT in found:
            raise erased(found[RECEIPT])
        raise NotFound(f"no recording {recording_id}")

    def find_derived(self, recording_id: str) -> DerivedRow | None:
        """Return how a model derived insights from the recording; None if none did."""
        from boto3.dynamodb.conditions import Key

        # A query, because the function that shows a recording may query only.
        key = derived_key(recording_id)
        is_derived = Key(PARTITION).eq(key[PARTITION]) & Key(SORT).begins_with(key[SORT])
        return next(iter(rows(self.table, KeyConditionExpression=is_derived, ConsistentRead=True)), None)

    def _rows_of(self, recording_id: str) -> dict[str, Any]:
        """Return media objects, receipt, recorder and recording, by sort key."""
        from boto3.dynamodb.conditions import Key

        in_range = Key(PARTITION).eq(recording_id) & Key(SORT).between(MEDIA_PREFIX, RECORDING)
        return {row[SORT]: row for row in rows(self.table, KeyConditionExpression=in_range, ConsistentRead=True)}

    def recording_of(self, media: MediaObject) -> str:
        """Return the id of the recording that a media object belongs to if it is not ignored."""
        recording = self.find_by_folder(media)
        return recording["recording_id"] if recording else self.recording_put_by_hand(media)

    def find_by_folder(self, media: MediaObject) -> RecordingRow | None:
        """Return the recording that the API made and that a folder of the object is named after, or None.

        Whether the object is one of its files depends on the whole key: see `why_ignored`.
        """
        for recording_id in media.folder_ids:
            row = self.find(recording_id)
            if row and "prefix" in row:
                return row
        return None

    def recording_put_by_hand(self, media: MediaObject) -> str:
        """Return the id of the recording of an object in no folder of a recording that the API made.

        Where an earlier version made the recording, it keeps the id of then.
        """
        for recording_id in media.earlier_recording_ids:
            row = self.find(recording_id)
            if row and "prefix" not in row and row.get("sid") == recording_id:
                return recording_id
        return media.own_recording_id

    def open(
        self, recording: RecordingRow, claim: Claim, *, over: Claim | None, replacing: RecordingRow | None = None
    ) -> RecordingRow:
        """Write a new recording and its claim, both or none, and return the recording as written.

        `over` is the claim that was read before, `replacing` an earlier try at the same recording.

        Raises:
            ChannelTaken: one of them has changed since it was read.
        """
        version = replacing["version"] + 1 if replacing else 1
        row = self._opened(claim.recording_id, recording, version)
        writes = [
            self._put(claim.row, over.row if over else None, "recording_id", "claimed_until"),
            self._put(row, replacing, "version"),
            *self._reference_of(row),
        ]
        try:
            self.table.meta.client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if not lost_the_race(error):
                raise
            raise ChannelTaken(claim.channel) from error
        return row

    def open_for_upload(self, recording_id: str, recording: RecordingRow) -> RecordingRow | None:
        """Write a new recording that waits for its file, and return it as written; None if there is one of this id."""
        row = self._opened(recording_id, recording, 1)
        written = write_all(self.table, [self._put(row, None), *self._reference_of(row)])
        return row if written else None

    def _opened(self, recording_id: str, recording: RecordingRow, version: int) -> RecordingRow:
        opened = {
            **recording_key(recording_id),
            "recording_id": recording_id,
            "status": "starting",
            "created_at": self.timestamp,
            **self._changed(recording_id),
            "version": version,
            **recording,
        }
        return cast(RecordingRow, opened)

    def _reference_of(self, row: RecordingRow) -> "list[TransactWriteItemTypeDef]":
        return [put_of(self.table, self.references.row(row))] if "reference" in row else []

    def open_by_arrival(
        self, recording_id: str, media: MediaObject, *, providers: Sequence[str], derivation: Derivation | None = None
    ) -> None:
        """Write the recording of a media object that arrived, unless it is there."""
        from boto3.dynamodb.conditions import Attr

        provider, *failover = providers
        row: RecordingRow = {
            "recording_id": recording_id,
            "status": "processing",
            "created_at": utc_text(media.created_at),
            "version": 1,
            "provider": provider,
        }
        if failover:
            row["failover"] = failover
        if media.agora_sid:
            row["sid"] = media.agora_sid
        if derivation is not None:
            row["derivation"] = derivation
        item = encode({**recording_key(recording_id), **row, **self._changed(recording_id)})
        if_it_holds(self.table.put_item, Item=item, ConditionExpression=Attr(PARTITION).not_exists())

    def update(
        self,
        recording_id: str,
        changes: RecordingChanges,
        *,
        only_in: Collection[str] = CHANGEABLE,
        only_without: str | None = None,
    ) -> RecordingRow | None:
        """Set attributes of a recording, None removes one, and return the recording as it is then.

        Returns None and changes nothing if its status is not one of these, or if it has the attribute `only_without`.
        """
        from boto3.dynamodb.conditions import Attr

        condition: ConditionBase = Attr("status").is_in(sorted(only_in))
        if only_without:
            condition &= Attr(only_without).not_exists()
        return self._write(recording_id, changes, condition)

    def change(self, recording: RecordingRow, changes: RecordingChanges) -> RecordingRow | None:
        """Set attributes as `update` does; None if the recording has changed since it was read."""
        from boto3.dynamodb.conditions import Attr

        return self._write(recording["recording_id"], changes, Attr("version").eq(recording["version"]))

    def refer(self, recording_id: str, changes: RecordingChanges) -> RecordingRow:
        """Set attributes of a recording, its `reference` among them, and return the recording as it is then.

        One transaction changes the recording and what leads to it by its reference.

        Raises:
            NotFound: there is no such recording.
            RecordingErased: it was erased, or is being erased.
            Conflict: it was changed again and again meanwhile.
        """
        from boto3.dynamodb.conditions import Attr

        for _ in range(_STATUS_ROUNDS):
            before = self.get_changeable(recording_id)
            counted: Any = {**changes, **self._changed(recording_id), "version": before["version"] + 1}
            after = cast(RecordingRow, {**before, "reference": changes["reference"]})
            unchanged = Attr("version").eq(before["version"])
            writes = [change_of(self.table, recording_key(recording_id), counted, unchanged)]
            if before.get("reference") != after["reference"]:
                writes += [self.references.deletion(before)] if "reference" in before else []
                writes += [put_of(self.table, self.references.row(after))] if after["reference"] else []
            if write_all(self.table, writes):
                return self.get(recording_id)
        raise Conflict(f"recording {recording_id} keeps changing; try again")

    def correct(
        self,
        before: RecordingRow,
        corrections: Sequence[CorrectionRow],
        removed: Sequence[CorrectionRow],
        *,
        total: int,
        who: str | None = None,
    ) -> RecordingRow | None:
        """Write and remove corrections of the recording's lines, and return the recording as it is then.

        `before` is the recording as it was read before the lines were, `total` how many corrections it has then. One
        transaction writes all rows. `who` is the caller's name. Returns None and changes nothing if the
        recording has changed meanwhile.
        """
        from boto3.dynamodb.conditions import Attr

        now = self.timestamp
        stamp = {"corrected_at": now, **({"corrected_by": who} if who else {})}
        changes: RecordingChanges = {"corrected_at": now, "corrections": total or None, "changed_by": who}
        moved = {"updated_at": now, **change_of_row(before["recording_id"], now)}
        counted = {**changes, **moved, "version": before["version"] + 1}
        unchanged = Attr("version").eq(before["version"])
        written = write_all(
            self.table,
            [
                change_of(self.table, recording_key(before["recording_id"]), counted, unchanged),
                *(put_of(self.table, {**row, **stamp}) for row in corrections),
                *(deletion_of(self.table, row) for row in removed),
            ],
        )
        return self.get(before["recording_id"]) if written else None

    def end_derivation(self, row: DerivedRow, ended: DerivedRow) -> bool:
        """Write that what was derived is there, or as much of it as there will be: to its row and to the recording's.

        `ended` has the state, and what else changes of the row. One transaction writes both. Returns False and changes
        nothing if it has ended already, or if the recording wants something newer, or is being erased.

        Raises:
            StatusContended: others kept changing the recording.
        """
        from boto3.dynamodb.conditions import Attr

        recording_id, number = row["recording_id"], row["number"]
        told = {"insights": ended["state"], "insights_reason": ended.get("reason")}
        told["insights_code"] = ended.get("reason_code")
        mine = Attr("number").eq(number) & Attr("state").eq("pending")
        for attempt in range(_STATUS_ROUNDS):
            before = self.find(recording_id)
            if before is None or before["status"] == ERASING or before.get("derivations") != number:
                return False
            if before.get("insights") != "pending":
                return False
            changes = {**told, **self._changed(recording_id), "version": before["version"] + 1}
            writes = [
                change_of(self.table, derived_key(recording_id), ended, mine),
                change_of(self.table, recording_key(recording_id), changes, Attr("version").eq(before["version"])),
            ]
            if write_all(self.table, writes):
                return True
            self.sleep(0.02 * attempt)
        raise StatusContended(f"recording {recording_id} kept changing while its insights were written")

    def count_fail_over(self, recording_id: str, notice_id: str) -> None:
        """Add 1 to the recording's `fail_overs`, once per notification."""
        from boto3.dynamodb.conditions import Attr

        counted: dict[str, Any] = {"version": 1, "fail_overs": 1, "counted_fail_overs": {notice_id}}
        if_it_holds(
            self.table.update_item,
            Key=recording_key(recording_id),
            **update_of(self._changed(recording_id), add=counted),
            ConditionExpression=Attr(PARTITION).exists() & ~Attr("counted_fail_overs").contains(notice_id),
        )

    def settle(self, recording_id: str, *, sid: str | None = None) -> None:
        """Derive the recording's status from its media objects, and write it if it changed.

        Two parts may end at the same moment. The write is conditional on the version that was read before the media
        objects were: the second writer reads again.

        Raises:
            StatusContended: others kept changing the recording.
        """
        from boto3.dynamodb.conditions import Attr

        for attempt in range(_STATUS_ROUNDS):
            recording = self.find(recording_id)
            if recording is None or recording["status"] == ERASING:
                return
            changes = settled(recording, self.media_rows(recording_id), sid=sid)
            if not changes or self._write(recording_id, changes, Attr("version").eq(recording["version"])):
                return
            self.sleep(0.02 * attempt)
        raise StatusContended(f"recording {recording_id} kept changing while its status was derived")

    def lease(self, recording_id: str, seconds: int) -> RecordingRow | None:
        """Reserve changes of the recorder for this caller, for so many seconds at most.

        Returns the recording as it is now, or None if another caller holds the lease or there is no such recording.
        """
        from boto3.dynamodb.conditions import Attr

        lease = Attr("changing_until")
        reply = if_it_holds(
            self.table.update_item,
            Key=recording_key(recording_id),
            **update_of({"changing_until": self.seconds + seconds}),
            ConditionExpression=Attr(PARTITION).exists() & (lease.not_exists() | lease.lte(self.seconds)),
            ReturnValues="ALL_NEW",
        )
        return decode(reply["Attributes"]) if reply else None

    def end_lease(self, leased: RecordingRow) -> None:
        """End the lease, unless it has passed on to another caller."""
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.update_item,
            Key=recording_key(leased["recording_id"]),
            **update_of({"changing_until": None}),
            ConditionExpression=Attr("changing_until").eq(leased["changing_until"]),
        )

    def drop(self, recording_id: str) -> None:
        """Delete a recording that Agora never began."""
        from boto3.dynamodb.conditions import Attr

        never_began = Attr("status").eq("starting") & Attr("sid").not_exists()
        if_it_holds(self.table.delete_item, Key=recording_key(recording_id), ConditionExpression=never_began)

    def newest(self, status: str | None, count: int, *, before: Position | None = None) -> list[RecordingRow]:
        """Return up to `count` recordings, newest first, that stand before a position.

        They are those of one status or, if it is None, of all: a recording whose status changes meanwhile is there
        once.
        """
        from boto3.dynamodb.conditions import Key

        if status is None:
            index, among, moment = TIME_INDEX, Key(TIME_INDEX_HASH).eq(RECORDING), Key(TIME_INDEX_RANGE)
        else:
            index, among, moment = STATUS_INDEX, Key(STATUS_INDEX_HASH).eq(status), Key(STATUS_INDEX_RANGE)
        condition: ConditionBase = among & moment.lte(before[0]) if before else among
        query: dict[str, Any] = {"IndexName": index, "ScanIndexForward": False, "Limit": count + 1}
        found: list[RecordingRow] = []
        for page in pages(self.table, KeyConditionExpression=condition, **query):
            found += (row for row in page if before is None or position(row) < before)
            # The index does not sort recordings of the same moment: read on until that moment has passed.
            if len(found) > count and found[-1]["created_at"] != found[count - 1]["created_at"]:
                break
        return sorted(found, key=position, reverse=True)[:count]

    def oldest(self, status: str, count: int) -> list[RecordingRow]:
        """Return up to `count` recordings with a status, the oldest first."""
        from boto3.dynamodb.conditions import Key

        of_status = Key(STATUS_INDEX_HASH).eq(status)
        found = pages(self.table, IndexName=STATUS_INDEX, KeyConditionExpression=of_status, Limit=count)
        return list(islice((row for page in found for row in page), count))

    def oldest_first(self, before: str, *, after: str = "") -> Iterator[tuple[RecordingRow, str]]:
        """Yield all recordings that were created before a moment, the oldest first, each with its place.

        A place is a text that a later call may begin `after`: that one comes again. The index may lag behind.
        """
        from boto3.dynamodb.conditions import Key

        moment = Key(TIME_INDEX_RANGE)
        in_range = moment.between(after, max(after, before)) if after else moment.lte(before)
        condition = Key(TIME_INDEX_HASH).eq(RECORDING) & in_range
        for page in pages(self.table, IndexName=TIME_INDEX, KeyConditionExpression=condition):
            for row in page:
                yield row, row["created_at"]

    def mark_deletion(self, recording: RecordingRow, kind: str) -> RecordingRow | None:
        """Note that media or segments, the `kind`, are deleted from now on, and return the recording as it is then.

        Returns None if the recording has changed since it was read.
        """
        from boto3.dynamodb.conditions import Attr

        changed = self._changed(recording["recording_id"])
        reply = if_it_holds(
            self.table.update_item,
            Key=recording_key(recording["recording_id"]),
            # The same moment: an `updated_at` behind it tells of another change.
            **update_of(
                {**changed, f"{kind}_deleted_at": changed["updated_at"], f"{kind}_runs": 0}, add={"version": 1}
            ),
            ConditionExpression=Attr("version").eq(recording["version"]),
            ReturnValues="ALL_NEW",
        )
        return decode(reply["Attributes"]) if reply else None

    def note_deletion(self, recording_id: str, kind: str, *, runs: int | None) -> None:
        """Note the number of executions that delete media or segments; None: the deletion is over.

        The recording does not change by that, so neither does its version.
        """
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.update_item,
            Key=recording_key(recording_id),
            **update_of({f"{kind}_runs": runs}),
            ConditionExpression=Attr(f"{kind}_runs").exists(),
        )

    def media_rows(self, recording_id: str) -> list[MediaRow]:
        """Return the media objects of a recording."""
        from boto3.dynamodb.conditions import Key

        in_range = Key(PARTITION).eq(recording_id) & Key(SORT).begins_with(MEDIA_PREFIX)
        return rows(self.table, KeyConditionExpression=in_range, ConsistentRead=True)

    def _write(self, recording_id: str, changes: RecordingChanges, condition: "ConditionBase") -> RecordingRow | None:
        reply = if_it_holds(
            self.table.update_item,
            Key=recording_key(recording_id),
            **update_of({**changes, **self._changed(recording_id)}, add={"version": 1}),
            ConditionExpression=condition,
            ReturnValues="ALL_NEW",
        )
        return decode(reply["Attributes"]) if reply else None

    def _changed(self, recording_id: str) -> dict[str, str]:
        """Return what each write that adds to the version sets."""
        now = self.timestamp
        return {"updated_at": now, **change_of_row(recording_id, now)}

    def _put(self, row: Any, over: Any, *unchanged: str) -> "TransactWriteItemTypeDef":
        """Write a row where there was none, or over one whose attributes `unchanged` are as they were read."""
        from boto3.dynamodb.conditions import Attr

        condition: ConditionBase = Attr(PARTITION).not_exists()
        if over:
            first, *others = (Attr(name).eq(over[name]) for name in unchanged)
            condition = first
            for other in others:
                condition &= other
        return put_of(self.table, row, condition)


def position(row: RecordingRow) -> Position:
    """Return where a recording stands in the list; no two share a position."""
    return row["created_at"], row["recording_id"]
