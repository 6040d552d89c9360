"""Which events follow from a change of a row. The table's stream tells of each change, with the row before and after.

The stream repeats a change after a fault. The events that follow from it then have the same ids.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recording_insights.errors import ChangeUnreadable
from recording_insights.model.moments import utc_text
from recording_insights.model.status import ERASING, FINAL, READY
from recording_insights.model.tries import number_of_try
from recording_insights.notices.events import Event, event_id
from recording_insights.store.keys import MEDIA_PREFIX, PARTITION, RECEIPT, RECORDING, SORT
from recording_insights.store.numbers import decode

Row = Mapping[str, Any]
FindRecording = Callable[[str], Row | None]
"""Gives the row of a recording, which has its `reference` and `metadata`; None if it was erased."""
Told = tuple[str, Mapping[str, Any]]
"""The type and the data of an event."""

_RUNNING = ("recording", "stopping")
_OF_DERIVED = ("insights", "insights_code")
_OF_READY = ("recording_id", "status", "version", *_OF_DERIVED)
_OF_RECORDING = (*_OF_READY, "stage", "reason_code", "ended_by", "complete_at", "media_counts")
_OF_MEDIA = ("recording_id", "media_id", "status", "part", "provider", "stage", "reason_code", "duration_ms")
READ_ATTRIBUTES = frozenset(
    {
        *(PARTITION, SORT, "reference", "metadata", "insight_counts", "speakers", "corrected_at"),
        *("upload_expires_at", "try_number", "shown_try", "given_up", "receipt_id", *_OF_RECORDING, *_OF_MEDIA),
    }
)
"""The attributes of rows that events follow from. A row may have 400 KB, but these are small."""


@dataclass(frozen=True)
class Change:
    """A change of a row: `old` is empty if the row is new, `new` is empty if it was deleted.

    `id` is the same each time that the stream tells of the change. `time` is in ISO 8601, UTC.
    """

    id: str
    time: str
    recording_id: str
    sort: str
    old: Row
    new: Row

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Change":
        """Read a record of the stream.

        Raises:
            ChangeUnreadable: it has no id, no key or no moment, or a value that DynamoDB does not have.
        """
        from boto3.dynamodb.types import TypeDeserializer

        deserialize = TypeDeserializer().deserialize

        def row(name: str) -> Row:
            return {key: decode(deserialize(value)) for key, value in _read(changed.get(name, {})).items()}

        try:
            changed = record["dynamodb"]
            at = datetime.fromtimestamp(float(changed["ApproximateCreationDateTime"]), UTC)
            partition, sort = (str(changed["Keys"][name]["S"]) for name in (PARTITION, SORT))
            return cls(str(record["eventID"]), utc_text(at), partition, sort, row("OldImage"), row("NewImage"))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ChangeUnreadable(f"a record of the stream cannot be read: {error!r}") from error

    @property
    def is_of_media(self) -> bool:
        """Whether the row is that of a media object, which does not have the words of the caller."""
        return self.sort.startswith(MEDIA_PREFIX)

    def became(self, *statuses: str) -> bool:
        """Whether the row has one of these statuses, and had another one before."""
        status = self.new.get("status")
        return status in statuses and status != self.old.get("status")

    def began(self, name: str) -> bool:
        """Whether the row has an attribute that it did not have before."""
        return name in self.new and name not in self.old


def trimmed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a stream without what no event follows from. It never raises."""
    changed = record.get("dynamodb")
    changed = changed if isinstance(changed, Mapping) else {}
    images = {name: _read(changed[name]) for name in ("OldImage", "NewImage") if name in changed}
    known = {name: changed[name] for name in ("ApproximateCreationDateTime", "Keys") if name in changed}
    return {**{name: record[name] for name in ("eventID", "eventName") if name in record}, "dynamodb": known | images}


def _read(image: Any) -> dict[str, Any]:
    return {name: image[name] for name in READ_ATTRIBUTES if name in image} if isinstance(image, Mapping) else {}


def events_of(change: Change, find: FindRecording) -> list[Event]:
    """Return the events that follow from a change, in the order in which they happened.

    `find` is called for media objects only. An erase stops the recorder and ends the media objects, without an event.
    """
    told = list(_told(change))
    if not told:
        return []
    named = find(change.recording_id) if change.is_of_media else change.new
    if named is None or named.get("status") == ERASING:
        return []
    return [
        Event(
            # One change may say the same of a recording for two reasons.
            event_id(change.id, name, str(data.get("cause", ""))),
            name,
            change.time,
            {**data, "recording_id": change.recording_id},
            named.get("reference"),
            named.get("metadata") or {},
        )
        for name, data in told
    ]


def _told(change: Change) -> Iterable[Told]:
    if not change.new:
        return ()
    if change.sort == RECORDING:
        return _of_recording(change)
    if change.is_of_media:
        return _of_media(change)
    if change.sort == RECEIPT and not change.old:
        return [("recording.erased", _chosen(change.new, "recording_id", "receipt_id"))]
    return ()


def _of_recording(change: Change) -> Iterator[Told]:
    old, new = change.old, change.new
    data = _chosen(new, *_OF_RECORDING)
    is_start = old.get("status") == "starting" and "upload_expires_at" not in old
    if is_start and change.became("recording", "processing"):
        # A file may arrive before the watch has seen that the recorder runs.
        yield "recording.started", data
    if _has_ended(change):
        yield "recording.ended", data
    if change.became(*READY, "empty"):
        yield "recording.completed", data
    if change.became("failed"):
        yield "recording.failed", data
    counts = dict(new.get("insight_counts", {}))
    has_transcript = bool(counts.pop("transcript", 0))
    if (change.became(*READY) and has_transcript) or _is_to_be_derived(change):
        yield "transcript.ready", _chosen(new, *_OF_READY)
    if change.became(*READY) and counts:
        yield "insights.ready", {**_chosen(new, *_OF_READY), "counts": counts}
    for cause, name in (("correction", "corrected_at"), ("speakers", "speakers")):
        if old and _has_insights(new) and new.get(name) != old.get(name):
            yield "insights.updated", {**_chosen(new, *_OF_READY), "cause": cause}
    if new.get("insights") in READY and new["insights"] != old.get("insights"):
        yield "insights.updated", {**_chosen(new, *_OF_READY), "cause": "derived"}


def _is_to_be_derived(change: Change) -> bool:
    """Whether a model is to read the transcript from now on: with its status, or because the recorder has left."""
    return change.new.get("insights") == "pending" and change.old.get("insights") != "pending"


def _has_ended(change: Change) -> bool:
    """Whether the recorder has ended: the row says who ended it or, without that, that nothing will ever come."""
    was_running = change.old.get("status") in _RUNNING and "ended_by" not in change.old
    return (bool(change.old) and change.began("ended_by")) or (was_running and change.became("failed", "empty"))


def _has_insights(row: Row) -> bool:
    """Whether there are insights. The rows of earlier versions do not count them."""
    return bool(row.get("insight_counts")) or row.get("status") in READY


def _of_media(change: Change) -> Iterator[Told]:
    old, new = change.old, change.new
    data: dict[str, Any] = {**_chosen(new, *_OF_MEDIA), "try_number": number_of_try(new)}  # type: ignore[arg-type]
    if change.became(*FINAL):
        yield f"media.{new['status']}", data
    if "shown_try" in old and new.get("shown_try", old["shown_try"]) != old["shown_try"]:
        yield "insights.updated", {**_chosen(new, "recording_id", "media_id"), "cause": "try"}


def _chosen(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}
