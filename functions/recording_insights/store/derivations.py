"""What a model derives from recordings, in the table: one row of each recording, and one for each statement.

The row says what is derived at present, or what was. Its `number` counts what the recording has wanted so far: every
write is conditional on it, so that work for an older transcript undoes nothing of a newer one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from recording_insights.model.derived import BEDROCK, Derived, Statement
from recording_insights.model.moments import utc_text
from recording_insights.model.status import ERASING
from recording_insights.store.expressions import if_it_holds, pages, read, update_of
from recording_insights.store.keys import PARTITION, SORT, STATEMENT_PREFIX, derived_key, statement_key
from recording_insights.store.numbers import encode
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import DerivedRow, MediaRow

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table

_USED = ("calls", "tokens_in", "tokens_out", "cents")


class Observer(Protocol):
    """Is told what has happened to derivations, once it is written."""

    def waits(self, row: DerivedRow, code: str) -> None:
        """It waits for what time or an operator can mend."""

    def ended(self, row: DerivedRow) -> None:
        """It is done, or partial."""


class _Nobody:
    def waits(self, row: DerivedRow, code: str) -> None: ...
    def ended(self, row: DerivedRow) -> None: ...


@dataclass(frozen=True)
class DerivationStore:
    """`table` is the boto3 resource of the insights table; all methods may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    observer: Observer = _Nobody()  # noqa: RUF009

    @property
    def recordings(self) -> RecordingStore:
        """The recordings, in the same table."""
        return RecordingStore(self.table, self.now)

    @property
    def timestamp(self) -> str:
        """The present moment as rows hold it."""
        return utc_text(self.now())

    def find(self, recording_id: str) -> DerivedRow | None:
        """Return what is derived from a recording, or was, read consistently; None if nothing ever was."""
        row: DerivedRow | None = read(self.table, derived_key(recording_id))
        return row

    def begin(self, recording_id: str, **given: Any) -> DerivedRow | None:
        """Write that something is derived from now on, over what was derived before, and return the row.

        `given` has at least the `number` and the `digest`. Returns None and writes nothing if the row is as new.
        """
        from boto3.dynamodb.conditions import Attr

        row = cast(
            DerivedRow,
            {
                **derived_key(recording_id),
                "recording_id": recording_id,
                "media_id": holder_id(given["digest"], given["number"]),
                "provider": BEDROCK,
                "waiting_since": self.timestamp,
                "state": "pending",
                **{name: value for name, value in given.items() if value is not None},
            },
        )
        is_newer = Attr(PARTITION).not_exists() | Attr("number").lte(row["number"] - 1)
        put = if_it_holds(self.table.put_item, Item=encode(row), ConditionExpression=is_newer)
        return None if put is None else row

    def wait(self, row: DerivedRow, code: str, reason: str, place: str) -> None:
        """Write why it waits, and its place in the queue; nothing if it has ended or is not the newest."""
        changed = self._change(row, reason=reason, reason_code=code, queue_place=place)
        if changed:
            self.observer.waits(row, code)

    def go_on(self, row: DerivedRow) -> None:
        """Write that it does not wait any more."""
        if row.keys() & {"queue_place", "reason", "reason_code"}:
            self._change(row, reason=None, reason_code=None, queue_place=None)

    def save(self, row: DerivedRow, derived: Derived, state: str, **why: str | None) -> bool:
        """Write what was derived, and the state: to its own row and to the recording's, in one transaction.

        `why` may have a `reason` and a `reason_code`. Before that go the statements, and behind it those of earlier
        transcripts: a repeated call does the same. Returns False if another one is newer, or has ended it before, or if
        the recording is being erased.

        Raises:
            StatusContended: others kept changing the recording.
        """
        recording_id, digest = row["recording_id"], row["digest"]
        counts = {kind: len(found) for kind, found in derived.found.items() if found}
        with self.table.batch_writer() as batch:
            for kind, place, statement in _numbered(derived.found):
                key = statement_key(recording_id, digest, kind, place)
                batch.put_item(Item={**key, **encode(statement.to_map())})
        used = {name: getattr(derived.usage, name) for name in _USED}
        ended: Any = {
            "state": state,
            "ended_at": self.timestamp,
            "queue_place": None,
            "reason": why.get("reason"),
            "reason_code": why.get("reason_code"),
            "counts": counts or None,
            "dropped": {kind: number for kind, number in derived.dropped.items() if number} or None,
            "missing": list(derived.missing) or None,
            **used,
        }
        is_saved = self.recordings.end_derivation(row, ended)
        if is_saved:
            now = cast(DerivedRow, {**row, **ended})
            self.observer.ended(now)
            self.forget_others(now)
        return is_saved

    def forget_others(self, row: DerivedRow) -> None:
        """Delete the statements that do not belong to what was derived last, which `row` describes."""
        from boto3.dynamodb.conditions import Key

        recording_id, digest, counts = row["recording_id"], row["digest"], row.get("counts") or {}
        valid = {
            statement_key(recording_id, digest, kind, place)[SORT]
            for kind, number in counts.items()
            for place in range(1, number + 1)
        }
        of_statements = Key(PARTITION).eq(recording_id) & Key(SORT).begins_with(STATEMENT_PREFIX)
        for page in pages(self.table, KeyConditionExpression=of_statements, ConsistentRead=True):
            with self.table.batch_writer() as batch:
                for sort in (found[SORT] for found in page if found[SORT] not in valid):
                    batch.delete_item(Key={PARTITION: recording_id, SORT: sort})

    def find_turn(self, recording_id: str, media_id: str) -> MediaRow | None:
        """Return the holder of a turn at the model as a media object is one; None if its work is over."""
        row = self.find(recording_id)
        if row is None or row["media_id"] != media_id or row["state"] != "pending":
            return None
        recording = self.recordings.find(recording_id)
        return turn_of(row) if recording and recording["status"] != ERASING else None

    def _change(self, row: DerivedRow, **changes: Any) -> bool:
        from boto3.dynamodb.conditions import Attr

        mine: ConditionBase = Attr("number").eq(row["number"]) & Attr("state").eq("pending")
        key = derived_key(row["recording_id"])
        reply = if_it_holds(self.table.update_item, Key=key, **update_of(changes), ConditionExpression=mine)
        return reply is not None


def holder_id(digest: str, number: int) -> str:
    """Return what stands in the place of a media id where turns are taken: no two executions share it."""
    return f"{digest}-{number}"


def turn_of(row: DerivedRow) -> MediaRow:
    """Return what takes a turn at the model, as the row of a media object that waits at its provider."""
    named = ("recording_id", "media_id", "provider", "waiting_since", "queue_place")
    return cast(MediaRow, {"key": "", **{name: value for name, value in row.items() if name in named}})


def _numbered(found: Mapping[str, Sequence[Statement]]) -> Iterator[tuple[str, int, Statement]]:
    for kind, statements in found.items():
        for place, statement in enumerate(statements, start=1):
            yield kind, place, statement
