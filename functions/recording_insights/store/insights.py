"""Insights in the table: transcript pages and one item per insight, each below DynamoDB's limit.

A page holds as many utterances as fit: a transcript of two hours takes two or three items and about one write unit per
KB. Keys are numbered, so a repeated save writes the same items again. The media object's row is written last and holds
the number of valid items.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from recording_insights.errors import ItemTooLarge, NotFound
from recording_insights.model.derived import Statement
from recording_insights.model.insights import LISTS, Insights, Word
from recording_insights.model.outline import outline_of
from recording_insights.model.tries import SHOWN_ATTRIBUTES
from recording_insights.store.erasures import erased, refuse_erasing
from recording_insights.store.expressions import rows
from recording_insights.store.keys import (
    DERIVED,
    INSIGHT_PREFIX,
    MEDIA_PREFIX,
    PARTITION,
    RECEIPT,
    RECORDING,
    SORT,
    STATEMENT_PREFIX,
    TRANSCRIPT_PREFIX,
    TRY_PREFIX,
    insight_key,
    transcript_key,
)
from recording_insights.store.numbers import encode
from recording_insights.store.rows import (
    CorrectionRow,
    DerivedRow,
    MediaRow,
    Outline,
    ReceiptRow,
    RecordingRow,
    StatementRow,
    TryRow,
)
from recording_insights.store.transcripts import (
    ITEM_BYTES,
    TranscriptStore,
    item_bytes,
    numbered,
    stored_page,
    transcript_pages,
)
from recording_insights.store.tries import TryStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEY_BYTES = 1_000
_LARGEST_OUTLINE = 50_000
"""Bytes. The outline of a transcript of a day and a night is smaller."""
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

    `recording` is empty if there is no such recording. `receipt` is there if it was erased. `corrections` are those of
    the tries that are shown, by media id and by the number of the line. `derived` is empty if nothing was derived, and
    `statements` are those of its digest by kind, in order.
    """

    recording: RecordingRow
    media: Mapping[str, MediaRow]
    insights: Mapping[str, Insights]
    corrections: Mapping[str, Mapping[int, CorrectionRow]] = field(default_factory=dict)
    receipt: ReceiptRow | None = None
    derived: DerivedRow = field(default_factory=DerivedRow)
    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict)

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


class Saved(NamedTuple):
    """What the row of a media object says of its insights: how many items there are of each kind, and the outline.

    The outline is None if it is too large for the row. `words` are those of each line.
    """

    counts: dict[str, int]
    outline: Outline | None
    words: Sequence[Sequence[Word]]


@dataclass(frozen=True)
class InsightStore:
    """Writes and reads the insights of media objects; raises botocore's `ClientError` for faults of DynamoDB."""

    table: "Table"

    @property
    def transcripts(self) -> TranscriptStore:
        """The pages of transcripts, in the same table."""
        return TranscriptStore(self.table)

    def save(self, recording_id: str, media_id: str, number: int, insights: Insights) -> Saved:
        """Write all items of one try of a media object, and return what its row says of them.

        Raises:
            ItemTooLarge: a single insight exceeds the size of an item. (Utterances are split instead.)
        """
        counts: dict[str, int] = {}
        pages = list(transcript_pages(insights.transcript))
        with self.table.batch_writer() as batch:
            for place, page in enumerate(pages, start=1):
                key = transcript_key(recording_id, media_id, number, place)
                batch.put_item(Item={**key, "utterances": stored_page(page)})
                counts["transcript"] = place
            for kind, place, values in _entries(insights):
                if item_bytes(values) > ITEM_BYTES - _KEY_BYTES:
                    raise ItemTooLarge(f"{kind} {place} is over {ITEM_BYTES} bytes")
                batch.put_item(Item={**insight_key(recording_id, media_id, number, kind, place), **values})
                counts[kind] = place
        outline = outline_of(pages)
        fits = item_bytes(outline) <= _LARGEST_OUTLINE
        return Saved(counts, outline if fits else None, [spoken.words for page in pages for spoken in page])

    def read(self, recording_id: str) -> Collection:
        """Return all rows of a recording, by one paged query, each media object as the try that is shown left it."""
        from boto3.dynamodb.conditions import Key

        found = _Found()
        for row in rows(self.table, KeyConditionExpression=Key(PARTITION).eq(recording_id), ConsistentRead=True):
            found.add(row)
        return found.collection

    def read_outlines(self, recording_id: str) -> Collection:
        """Return the rows of a recording without the transcripts, which the `outline` of each media object describes.

        The insights have no lines.
        """
        from boto3.dynamodb.conditions import Key

        found = _Found()
        in_range = Key(PARTITION).eq(recording_id) & Key(SORT).between(DERIVED, f"{STATEMENT_PREFIX}~")
        for row in rows(self.table, KeyConditionExpression=in_range, ConsistentRead=True):
            found.add(row)
        if any(map(_shows_earlier_try, found.media.values())):
            for earlier in TryStore(self.table).of(recording_id):
                found.add(earlier)
        return found.collection


class _Found:
    """The rows of a recording that were read, in any order."""

    def __init__(self) -> None:
        self.recording: RecordingRow = {}
        self.receipt: ReceiptRow | None = None
        self.media: dict[str, MediaRow] = {}
        self.tries: dict[_Try, TryRow] = {}
        self.entries: dict[_Try, list[_Entry]] = {}
        self.corrections: dict[_Try, dict[int, CorrectionRow]] = {}
        self.derived: DerivedRow = {}
        self.statements: list[StatementRow] = []

    def add(self, row: Any) -> None:
        sort = row[SORT]
        if sort in (RECORDING, RECEIPT, DERIVED):
            setattr(self, sort.lower(), row)
        elif sort.startswith(STATEMENT_PREFIX):
            self.statements.append(row)
        elif sort.startswith(MEDIA_PREFIX):
            self.media[row["media_id"]] = row
        elif sort.startswith(TRY_PREFIX):
            self.tries[row["media_id"], row["number"]] = row
        elif sort.startswith(TRANSCRIPT_PREFIX) and "line" in row:
            _, media_id, number, *_ = sort.split("#")
            self.corrections.setdefault((media_id, int(number)), {})[row["line"]] = row
        elif sort.startswith((TRANSCRIPT_PREFIX, INSIGHT_PREFIX)):
            of_try, entry = _entry_of(row)
            self.entries.setdefault(of_try, []).append(entry)

    @property
    def collection(self) -> Collection:
        shown = {media_id: _as_shown(row, self.tries) for media_id, row in self.media.items()}
        done = {media_id: row for media_id, row in shown.items() if row["status"] == "done"}
        return Collection(
            self.recording,
            shown,
            {media_id: _assemble(_entries_shown(row, self.entries), row) for media_id, row in done.items()},
            {
                media_id: corrections
                for media_id, row in done.items()
                if (corrections := self.corrections.get((media_id, number_shown(row))))
            },
            self.receipt,
            self.derived,
            _statements_of(self.derived, self.statements),
        )


def number_shown(row: MediaRow) -> int:
    """Return the number of the try whose insights are shown; 0 for those that an earlier version saved."""
    return row.get("shown_try", 0)


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


def _statements_of(derived: DerivedRow, rows_of_statements: Iterable[StatementRow]) -> dict[str, list[Statement]]:
    """Return the statements by kind, in order, that the row `derived` counts: others are about to be deleted."""
    counts = derived.get("counts", {})
    counted = []
    for row in rows_of_statements:
        _, digest, kind, number = row["sk"].split("#")
        if digest == derived.get("digest") and int(number) <= counts.get(kind, 0):
            counted.append((int(number), kind, Statement.from_map(row)))
    found: dict[str, list[Statement]] = {}
    for _, kind, statement in sorted(counted, key=lambda entry: entry[0]):
        found.setdefault(kind, []).append(statement)
    return found


def _shows_earlier_try(row: MediaRow) -> bool:
    return row["status"] != "done" and "shown_try" in row


def _as_shown(row: MediaRow, tries: Mapping[_Try, TryRow]) -> MediaRow:
    """Return a media object as the try left it whose insights are shown while a newer try is at work."""
    if not _shows_earlier_try(row):
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
            found[kind] += numbered(row["utterances"], len(found[kind]))
        elif kind in LISTS:
            found[kind].append(LISTS[kind].from_map(row))
        else:
            found[kind] = row["value"]
    return Insights(**found, missing=tuple(media.get("missing", ())))
