"""Insights in the table: transcript pages and one item per insight, each below DynamoDB's limit.

A page holds as many utterances as fit: a transcript of two hours takes one or two items and about one write unit per
KB. Keys are numbered, so a repeated save writes the same items again. The media object's row is written last and holds
the number of valid items.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from recording_insights.errors import ItemTooLarge
from recording_insights.model.insights import LISTS, Insights, Utterance
from recording_insights.store.expressions import rows
from recording_insights.store.keys import (
    INSIGHT_PREFIX,
    MEDIA_PREFIX,
    PARTITION,
    RECORDING,
    SORT,
    TRANSCRIPT_PREFIX,
    insight_key,
    transcript_key,
)
from recording_insights.store.numbers import encode
from recording_insights.store.rows import MediaRow, RecordingRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ITEM_BYTES = 300_000
"""Our own limit per item. DynamoDB's limit is 400 KB, names and keys included."""

_KEY_BYTES = 1_000
_SCALARS = ("summary", "sentiment", "language", "ratings")

_Entry = tuple[str, int, Mapping[str, Any]]
"""(kind, number, row) of a transcript page or an insight."""


@dataclass(frozen=True)
class Collection:
    """All rows of one recording: `media` by media id, and `insights` by media id for media objects that are done.

    `recording` is empty if there is no such recording.
    """

    recording: RecordingRow
    media: Mapping[str, MediaRow]
    insights: Mapping[str, Insights]


@dataclass(frozen=True)
class InsightStore:
    """Writes and reads the insights of media objects; raises botocore's `ClientError` for faults of DynamoDB."""

    table: "Table"

    def save(self, recording_id: str, media_id: str, insights: Insights) -> dict[str, int]:
        """Write all items of one media object, and return the number of each kind for its row.

        Raises:
            ItemTooLarge: a single insight exceeds the size of an item. (Utterances are split instead.)
        """
        counts: dict[str, int] = {}
        with self.table.batch_writer() as batch:
            for number, page in enumerate(transcript_pages(insights.transcript), start=1):
                batch.put_item(Item={**transcript_key(recording_id, media_id, number), "utterances": page})
                counts["transcript"] = number
            for kind, number, values in _entries(insights):
                if item_bytes(values) > ITEM_BYTES - _KEY_BYTES:
                    raise ItemTooLarge(f"{kind} {number} is over {ITEM_BYTES} bytes")
                batch.put_item(Item={**insight_key(recording_id, media_id, kind, number), **values})
                counts[kind] = number
        return counts

    def read(self, recording_id: str) -> Collection:
        """Return all rows of a recording, by one paged query."""
        from boto3.dynamodb.conditions import Key

        recording: RecordingRow = {}
        media: dict[str, MediaRow] = {}
        entries: dict[str, list[_Entry]] = {}
        for row in rows(self.table, KeyConditionExpression=Key(PARTITION).eq(recording_id), ConsistentRead=True):
            sort = row[SORT]
            if sort == RECORDING:
                recording = row
            elif sort.startswith(MEDIA_PREFIX):
                media[row["media_id"]] = row
            elif sort.startswith((TRANSCRIPT_PREFIX, INSIGHT_PREFIX)):
                media_id, entry = _entry_of(row)
                entries.setdefault(media_id, []).append(entry)
        insights = {
            media_id: _assemble(entries.get(media_id, []), row)
            for media_id, row in media.items()
            if row["status"] == "done"
        }
        return Collection(recording, media, insights)


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
    """Yield (kind, number, encoded values) of every insight; numbers count from 1 within a kind."""
    for kind in LISTS:
        for number, part in enumerate(getattr(insights, kind), start=1):
            yield kind, number, encode(part.to_map())
    for kind in _SCALARS:
        value = getattr(insights, kind)
        if value is not None and value != {}:
            yield kind, 1, encode({"value": value})


def _entry_of(row: Mapping[str, Any]) -> tuple[str, _Entry]:
    """Return the media id of a transcript page or an insight, and its (kind, number, row)."""
    _, media_id, *kind, number = row[SORT].split("#")
    return media_id, (kind[0] if kind else "transcript", int(number), row)


def _assemble(entries: Sequence[_Entry], media: MediaRow) -> Insights:
    counts = media.get("counts", {})
    found: dict[str, Any] = {"transcript": [], **{kind: [] for kind in LISTS}}
    # Past 9,999 entries the order of the sort keys is not that of the numbers.
    for kind, number, row in sorted(entries, key=lambda entry: entry[1]):
        if number > counts.get(kind, 0):
            continue  # left over from an earlier, longer save
        if kind == "transcript":
            found[kind] += [Utterance.from_map(values) for values in row["utterances"]]
        elif kind in LISTS:
            found[kind].append(LISTS[kind].from_map(row))
        else:
            found[kind] = row["value"]
    return Insights(**found, missing=tuple(media.get("missing", ())))
