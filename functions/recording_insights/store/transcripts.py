"""Pages of transcripts in the table, each with the corrections of its lines behind it.

A page is small, so that whoever shows some lines reads little more. A correction never changes the line itself: its row
lies behind the page, and the query that reads the page reads it as well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from recording_insights.model.insights import Utterance
from recording_insights.store.expressions import rows
from recording_insights.store.keys import PARTITION, SORT, correction_key, transcript_key
from recording_insights.store.numbers import encode
from recording_insights.store.rows import CorrectionRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ITEM_BYTES = 300_000
"""Our own limit per item. DynamoDB's limit is 400 KB, names and keys included."""
PAGE_BYTES = 64_000
"""Of a page with several lines: 16 read units."""

_KEY_BYTES = 1_000
MOST_LINES = 999_999
"""The number of the last line in a transcript that can be corrected."""


@dataclass
class StoredLines:
    """Lines of a transcript in order, each with its number, and the corrections of some by the number of the line."""

    lines: list[Utterance] = field(default_factory=list)
    corrections: dict[int, CorrectionRow] = field(default_factory=dict)


@dataclass(frozen=True)
class TranscriptStore:
    """Reads pages of transcripts; raises botocore's `ClientError` for faults of DynamoDB."""

    table: "Table"

    def read_pages(
        self, recording_id: str, media_id: str, number: int, pages: range, *, lines_before: int
    ) -> StoredLines:
        """Return some pages of a try's transcript, read consistently. `lines_before` is how many lines precede them."""
        from boto3.dynamodb.conditions import Key

        first = transcript_key(recording_id, media_id, number, pages[0])[SORT]
        last = correction_key(recording_id, media_id, number, pages[-1], MOST_LINES)[SORT]
        in_range = Key(PARTITION).eq(recording_id) & Key(SORT).between(first, last)
        found = StoredLines()
        for row in rows(self.table, KeyConditionExpression=in_range, ConsistentRead=True):
            if "line" in row:
                found.corrections[row["line"]] = row
            else:
                found.lines += numbered(row["utterances"], lines_before + len(found.lines))
        return found


def numbered(utterances: Iterable[Mapping[str, Any]], lines_before: int) -> Iterator[Utterance]:
    """Yield the lines of a page as it is stored, with their numbers."""
    for number, values in enumerate(utterances, start=lines_before + 1):
        yield replace(Utterance.from_map(values), number=number)


def transcript_pages(utterances: Iterable[Utterance]) -> Iterator[list[Utterance]]:
    """Yield utterances in pages of at most `PAGE_BYTES`; a longer one is alone, one too long for an item is split."""
    page: list[Utterance] = []
    room = PAGE_BYTES - _KEY_BYTES
    for utterance in utterances:
        for fitting in _split(utterance):
            size = item_bytes(encode(fitting.to_map())) + 1
            if page and size > room:
                yield page
                page, room = [], PAGE_BYTES - _KEY_BYTES
            page.append(fitting)
            room -= size
    if page:
        yield page


def stored_page(page: Sequence[Utterance]) -> list[dict[str, Any]]:
    """Return a page as its row holds it."""
    return [encode(spoken.to_map()) for spoken in page]


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
                yield replace(utterance, text=text, words=())
                text = fragment
            else:
                text = f"{text} {fragment}" if text else fragment
    yield replace(utterance, text=text, words=())
