"""Insights in the table: transcript pages and one item per insight, none near DynamoDB's limit.

A page holds as many utterances as fit, so a two-hour transcript is one or two items and costs about one write
unit per KB. Keys are numbered: a repeated save writes the same items again. How many count is on the media
object's item, which is written last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from recording_insights.errors import ItemTooLarge
from recording_insights.model.insights import LISTS, Insights, Utterance
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

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ITEM_BYTES = 300_000
"""Our own limit per item; DynamoDB's is 400 KB with names and keys."""

_KEY_BYTES = 1_000
_SCALARS = ("summary", "sentiment", "ratings")


@dataclass(frozen=True)
class Collection:
    """What the table holds of one recording: its item, its media objects by id, their insights by media id."""

    recording: Mapping[str, Any]
    media: Mapping[str, Mapping[str, Any]]
    insights: Mapping[str, Insights]


@dataclass(frozen=True)
class InsightStore:
    """Writes and reads the insights of media objects; raises botocore's `ClientError` for faults of DynamoDB."""

    table: "Table"

    def save(self, recording_id: str, media_id: str, insights: Insights) -> dict[str, int]:
        """Write all items of one media object and return how many there are of each kind, for its own item.

        Raises:
            ItemTooLarge: a single insight exceeds an item; utterances are split instead.
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
        """The whole item collection of a recording in one paged query; insights of finished media only."""
        recording: Mapping[str, Any] = {}
        media: dict[str, Mapping[str, Any]] = {}
        parts: dict[str, list[tuple[str, int, Mapping[str, Any]]]] = {}
        for item in self._items(recording_id):
            sort = str(item[SORT])
            if sort == RECORDING:
                recording = item
            elif sort.startswith(MEDIA_PREFIX):
                media[str(item["media_id"])] = item
            elif sort.startswith(TRANSCRIPT_PREFIX):
                _, media_id, number = sort.split("#")
                parts.setdefault(media_id, []).append(("transcript", int(number), item))
            elif sort.startswith(INSIGHT_PREFIX):
                _, media_id, kind, number = sort.split("#")
                parts.setdefault(media_id, []).append((kind, int(number), item))
        insights = {
            media_id: _assemble(parts.get(media_id, []), item)
            for media_id, item in media.items()
            if item["status"] == "done"
        }
        return Collection(recording, media, insights)

    def _items(self, recording_id: str) -> Iterator[Mapping[str, Any]]:
        from boto3.dynamodb.conditions import Key

        start: dict[str, Any] = {}
        while True:
            page = self.table.query(
                KeyConditionExpression=Key(PARTITION).eq(recording_id), ConsistentRead=True, **start
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def transcript_pages(utterances: Iterable[Utterance]) -> Iterator[list[dict[str, Any]]]:
    """Utterances as maps, in pages of at most `ITEM_BYTES`; an utterance that is too long for one is split."""
    page: list[dict[str, Any]] = []
    room = ITEM_BYTES - _KEY_BYTES
    for utterance in utterances:
        for piece in _split(utterance):
            values = piece.to_map()
            size = item_bytes(values) + 1
            if page and size > room:
                yield page
                page, room = [], ITEM_BYTES - _KEY_BYTES
            page.append(values)
            room -= size
    if page:
        yield page


def item_bytes(value: Any) -> int:
    """The size that DynamoDB counts for a value, rounded up where its rule is loose.

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
    piece = ""
    for word in words:
        for part in (word[i : i + longest] for i in range(0, max(len(word), 1), longest)):
            if piece and len(piece) + 1 + len(part) > longest:
                yield replace(utterance, text=piece)
                piece = part
            else:
                piece = f"{piece} {part}" if piece else part
    yield replace(utterance, text=piece)


def _entries(insights: Insights) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for kind in LISTS:
        for number, part in enumerate(getattr(insights, kind), start=1):
            yield kind, number, part.to_map()
    for kind in _SCALARS:
        value = getattr(insights, kind)
        if value is not None and value != {}:
            yield kind, 1, {"value": value}


def _assemble(parts: Sequence[tuple[str, int, Mapping[str, Any]]], media: Mapping[str, Any]) -> Insights:
    counts = media.get("counts", {})
    found: dict[str, Any] = {"transcript": [], **{kind: [] for kind in LISTS}}
    # Past 9,999 entries the order of the sort keys is not that of the numbers.
    for kind, number, item in sorted(parts, key=lambda part: part[1]):
        if number > int(counts.get(kind, 0)):
            continue  # left over from an earlier, longer save
        if kind == "transcript":
            found[kind] += [Utterance.from_map(values) for values in item["utterances"]]
        elif kind in LISTS:
            found[kind].append(LISTS[kind].from_map(item))
        else:
            found[kind] = item["value"]
    return Insights(**found, missing=tuple(media.get("missing", ())))
