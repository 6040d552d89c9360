"""Insights in the table: transcript pages and one item per insight, each below DynamoDB's limit.

A page holds as many utterances as fit: a transcript of two hours takes one or two items and about one write unit per
KB. Keys are numbered, so a repeated save writes the same items again. The media object's row is written last and holds
the number of valid items.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from recording_insights.errors import ItemTooLarge, NotFound
from recording_insights.model.insights import LISTS, Insights, Utterance
from recording_insights.model.tries import SHOWN_ATTRIBUTES
from recording_insights.store.erasures import erased, refuse_erasing
from recording_insights.store.expressions import rows
from recording_insights.store.keys import (
    INSIGHT_PREFIX,
    MEDIA_PREFIX,
    PARTITION,
    RECEIPT,
    RECORDING,
    SORT,
    TRANSCRIPT_PREFIX,
    TRY_PREFIX,
    insight_key,
    transcript_key,
)
from recording_insights.store.numbers import encode
from recording_insights.store.rows import MediaRow, ReceiptRow, RecordingRow, TryRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ITEM_BYTES = 300_000
"""Our own limit per item. DynamoDB's limit is 400 KB, names and keys included."""

_KEY_BYTES = 1_000
_SCALARS = ("summary", "sentiment", "language", "ratings")

_Entry = tuple[str, int, Mapping[str, Any]]
"""(kind, place, row) of a transcript page or an insight."""
_Try = tuple[str, int]
"""(media id, number) of a try."""
BEFORE_TRIES = -1
"""In place of the number of a try, for pages and insights of earlier versions."""


@dataclass(frozen=True)
class Collection:
    """All rows of one recording: `media` by media id, and `insights` by media id for media objects that are done.

    `recording` is empty if there is no such recording. `receipt` is there if it was erased.
    """

    recording: RecordingRow
    media: Mapping[str, MediaRow]
    insights: Mapping[str, Insights]
    receipt: ReceiptRow | None = None

    def refuse_absent(self, recording_id: str) -> None:
        """Raise an error if there is nothing to read.

        Raises:
            NotFound: there is no such recording.
            RecordingErased: it was erased, or is being erased.
        """
        if self.receipt:
            raise erased(self.receipt)
        if not self.recording:
            raise NotFound(f"no recording {recording_id}")
        refuse_erasing(self.recording)


@dataclass(frozen=True)
class InsightStore:
    """Writes and reads the insights of media objects; raises botocore's `ClientError` for faults of DynamoDB."""

    table: "Table"

    def save(self, recording_id: str, media_id: str, number: int, insights: Insights) -> dict[str, int]:
        """Write all items of one try of a media object, and return how many of each kind for its row.

        Raises:
            ItemTooLarge: a single insight exceeds the size of an item. (Utterances are split instead.)
        """
        counts: dict[str, int] = {}
        with self.table.batch_writer() as batch:
            for place, page in enumerate(transcript_pages(insights.transcript), start=1):
                batch.put_item(Item={**transcript_key(recording_id, media_id, number, place), "utterances": page})
                counts["transcript"] = place
            for kind, place, values in _entries(insights):
                if item_bytes(values) > ITEM_BYTES - _KEY_BYTES:
                    raise ItemTooLarge(f"{kind} {place} is over {ITEM_BYTES} bytes")
                batch.put_item(Item={**insight_key(recording_id, media_id, number, kind, place), **values})
                counts[kind] = place
        return counts

    def read(self, recording_id: str) -> Collection:
        """Return all rows of a recording, by one paged query, each media object as the try that is shown left it."""
        from boto3.dynamodb.conditions import Key

        recording: RecordingRow = {}
        receipt: ReceiptRow | None = None
        media: dict[str, MediaRow] = {}
        tries: dict[_Try, TryRow] = {}
        entries: dict[_Try, list[_Entry]] = {}
        for row in rows(self.table, KeyConditionExpression=Key(PARTITION).eq(recording_id), ConsistentRead=True):
            sort = row[SORT]
            if sort == RECORDING:
                recording = row
            elif sort == RECEIPT:
                receipt = row
            elif sort.startswith(MEDIA_PREFIX):
                media[row["media_id"]] = row
            elif sort.startswith(TRY_PREFIX):
                tries[row["media_id"], row["number"]] = row
            elif sort.startswith((TRANSCRIPT_PREFIX, INSIGHT_PREFIX)):
                of_try, entry = _entry_of(row)
                entries.setdefault(of_try, []).append(entry)
        shown = {media_id: _as_shown(row, tries) for media_id, row in media.items()}
        insights = {
            media_id: _assemble(_entries_shown(row, entries), row)
            for media_id, row in shown.items()
            if row["status"] == "done"
        }
        return Collection(recording, shown, insights, receipt)


def transcript_pages(utterances: Iterable[Utterance]) -> Iterator[list[dict[str, Any]]]:
    """Yield utterances as rows hold them, in pages of at most `ITEM_BYTES`; splits an utterance too long for a page."""
    page: list[dict[str, Any]] = []
    room = ITEM_BYTES - _KEY_BYTES
    for utterance in utterances:
        for fitting in _split(utterance):
            values = encode(fitting.to_map())
            size = item_bytes(values) + 1
            if page and size > room:
                yield page
                page, room = [], ITEM_BYTES - _KEY_BYTES
            page.append(values)
            room -= size
    if page:
        yield page


def item_bytes(value: Any) -> int:
    """Return the size that DynamoDB counts for an encoded value, rounded up where its rule is loose.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    match value:
        case bool() | None:
            return 1
        case str():
            return len(value.encode())
        case int() | Decimal():
            return len(str(value)) // 2 + 2
        case Mapping():
            return 3 + sum(1 + len(name.encode()) + item_bytes(part) for name, part in value.items())
        case Sequence():
            return 3 + sum(1 + item_bytes(part) for part in value)
        case _:
            raise TypeError(f"no size known for {type(value).__name__}")


def _split(utterance: Utterance) -> Iterator[Utterance]:
    limit = ITEM_BYTES // 2
    if len(utterance.text.encode()) <= limit:
        yield utterance
        return
    words = utterance.text.split(" ")
    longest = limit // 4  # characters; one takes at most four bytes
    text = ""
    for word in words:
        for fragment in (word[i : i + longest] for i in range(0, max(len(word), 1), longest)):
            if text and len(text) + 1 + len(fragment) > longest:
                yield replace(utterance, text=text)
                text = fragment
            else:
                text = f"{text} {fragment}" if text else fragment
    yield replace(utterance, text=text)


def _entries(insights: Insights) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield (kind, place, encoded values) of every insight; places count from 1 within a kind."""
    for kind in LISTS:
        for place, part in enumerate(getattr(insights, kind), start=1):
            yield kind, place, encode(part.to_map())
    for kind in _SCALARS:
        value = getattr(insights, kind)
        if value is not None and value != {}:
            yield kind, 1, encode({"value": value})


def _entry_of(row: Mapping[str, Any]) -> tuple[_Try, _Entry]:
    """Return the try of a transcript page or an insight, and its (kind, place, row)."""
    _, media_id, *middle, place = row[SORT].split("#")
    number = int(middle.pop(0)) if middle and middle[0].isdecimal() else BEFORE_TRIES
    return (media_id, number), (middle[0] if middle else "transcript", int(place), row)


def _as_shown(row: MediaRow, tries: Mapping[_Try, TryRow]) -> MediaRow:
    """Return a media object as the try left it whose insights are shown while a newer try is at work."""
    if row["status"] == "done" or "shown_try" not in row:
        return row
    shown = tries.get((row["media_id"], row["shown_try"]))
    if shown is None:
        return row
    kept: Any = {name: value for name, value in row.items() if name not in SHOWN_ATTRIBUTES}
    kept |= {name: value for name, value in shown.items() if name in SHOWN_ATTRIBUTES}
    return cast(MediaRow, {**kept, "status": "done"})


def _entries_shown(row: MediaRow, entries: Mapping[_Try, Sequence[_Entry]]) -> Sequence[_Entry]:
    """Return the entries of the try that is shown. Those of an earlier version have no number of a try."""
    media_id = row["media_id"]
    of_try = entries.get((media_id, row.get("shown_try", BEFORE_TRIES)))
    return entries.get((media_id, BEFORE_TRIES), ()) if of_try is None else of_try


def _assemble(entries: Sequence[_Entry], media: MediaRow) -> Insights:
    counts = media.get("counts", {})
    found: dict[str, Any] = {"transcript": [], **{kind: [] for kind in LISTS}}
    # Past 9,999 entries the order of the sort keys is not that of the numbers.
    for kind, place, row in sorted(entries, key=lambda entry: entry[1]):
        if place > counts.get(kind, 0):
            continue  # left over from an earlier, longer save
        if kind == "transcript":
            found[kind] += [Utterance.from_map(values) for values in row["utterances"]]
        elif kind in LISTS:
            found[kind].append(LISTS[kind].from_map(row))
        else:
            found[kind] = row["value"]
    return Insights(**found, missing=tuple(media.get("missing", ())))
