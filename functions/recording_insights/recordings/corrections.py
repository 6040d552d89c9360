"""Correct lines of a transcript: beside the lines, which stay as the provider delivered them.

A correction belongs to the try whose line it corrects. Another try has other lines: the corrections of before stay in
the table with the lines that they are of, and are shown again if these are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.recordings.request import LONGEST_NAME, printable
from recording_insights.recordings.shown_line import CORRECTABLE, LinePlace, line_id
from recording_insights.store.insights import Collection, InsightStore, number_shown
from recording_insights.store.keys import correction_key
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import CorrectionRow, RecordingRow
from recording_insights.store.transcripts import StoredLines
from recording_insights.validation import Reader, checked, list_of, object_of

MOST_AT_ONCE = 50
"""DynamoDB writes up to 100 rows at once."""
MOST_CORRECTIONS = 5_000
"""Of a recording, those of earlier tries included."""
LONGEST_LINE = 10_000
LARGEST_BODY = 1 << 20
_ROUNDS = 10


def _is_line(value: Any) -> bool:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_LINE:
        return False
    # Half of a surrogate pair is no text: the table could not hold it.
    return not any("\ud800" <= character <= "\udfff" for character in value)


_line_text = checked(
    _is_line,
    f"must be a text of 1 to {LONGEST_LINE} characters",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_LINE, "pattern": r"\S"},
)
CORRECTION: Mapping[str, Reader[Any]] = {
    "id": line_id,
    "text": _line_text,
    "speaker": printable(LONGEST_NAME, "a speaker"),
    "was": checked(lambda value: isinstance(value, str), "must be a text", {"type": "string"}),
}
"""The fields of a correction. One without `text` and `speaker` removes what was corrected before."""
CORRECTIONS: Mapping[str, Reader[Any]] = {
    "corrections": list_of(object_of(CORRECTION, required=["id"]), most=MOST_AT_ONCE, of="corrections")
}
"""The fields of the request."""


def correct_transcript(
    recording_id: str,
    fields: Mapping[str, Any],
    *,
    recordings: RecordingStore,
    insights: InsightStore,
    who: str | None = None,
) -> RecordingRow:
    """Correct lines of a transcript, all or none, and return the recording as it is then.

    A correction replaces the one that the line had. `was` is the text that the caller read. `who` is the caller's name,
    for the rows.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased, or is being erased.
        InvalidRequest: names the field that is wrong, or the line that does not exist.
        Conflict: a line reads otherwise than the caller says, another try is shown since, there are too many
            corrections, or the recording keeps changing.
    """
    wanted = object_of(CORRECTIONS, required=["corrections"])("", fields)["corrections"]
    _check_distinct(wanted)
    for _ in range(_ROUNDS):
        collection = insights.read_outlines(recording_id)
        collection.refuse_absent(recording_id)
        changes = _changes(wanted, _Lines(recording_id, insights, collection))
        if not changes.written and not changes.removed:
            return collection.recording
        total = collection.recording.get("corrections", 0) + changes.added - len(changes.removed)
        if total > MOST_CORRECTIONS:
            raise Conflict(f"a recording may have {MOST_CORRECTIONS} corrected lines; this would make {total}")
        corrected = recordings.correct(collection.recording, changes.written, changes.removed, total=total, who=who)
        if corrected:
            return corrected
    raise Conflict(f"recording {recording_id} keeps changing; try again")


class _Changes(NamedTuple):
    """The rows to write and to remove; `added` of those to write are new."""

    written: list[CorrectionRow]
    removed: list[CorrectionRow]
    added: int


def _changes(wanted: Sequence[Mapping[str, Any]], lines: "_Lines") -> _Changes:
    written: list[CorrectionRow] = []
    removed: list[CorrectionRow] = []
    added = 0
    for number, correction in enumerate(wanted):
        before, row = lines.find(f"corrections[{number}]", correction)
        values = {name: correction[name] for name in CORRECTABLE if name in correction}
        if values:
            written.append(cast(CorrectionRow, {**row, **values}))
            added += before is None
        elif before is not None:
            removed.append(row)
    return _Changes(written, removed, added)


def _check_distinct(wanted: Sequence[Mapping[str, Any]]) -> None:
    places = [LinePlace.of_id(correction["id"]) for correction in wanted]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise InvalidRequest(f"corrections[{number}].id", "is the id of a line that is named before")


@dataclass
class _Lines:
    """The lines that corrections name, each read with its page once."""

    recording_id: str
    insights: InsightStore
    collection: Collection

    def __post_init__(self) -> None:
        self._pages: dict[tuple[str, int], StoredLines] = {}
        self._whole: Collection | None = None

    def find(self, path: str, correction: Mapping[str, Any]) -> tuple[CorrectionRow | None, CorrectionRow]:
        """Return the correction that the line has, if any, and the key and number of its row.

        Raises:
            InvalidRequest, Conflict: as `correct_transcript` says.
        """
        place = LinePlace.of_id(correction["id"])
        media = self.collection.media.get(place.media_id)
        if media is None or place.media_id not in self.collection.insights:
            raise InvalidRequest(f"{path}.id", "there is no such line")
        if number_shown(media) != place.number_of_try:
            raise Conflict(f"{path}.id: the media object was transcribed again since; read its insights again")
        page, stored = self._page_of(place)
        line = next((spoken for spoken in stored.lines if spoken.number == place.line), None)
        if line is None:
            raise InvalidRequest(f"{path}.id", "there is no such line")
        before = stored.corrections.get(place.line)
        text = (before or {}).get("text", line.text)
        if correction.get("was", text) != text:
            raise Conflict(f"{path}.was: the line reads otherwise now; read it again")
        row: Any = {**correction_key(self.recording_id, *place[:2], page, place.line), "line": place.line}
        return before, row

    def _page_of(self, place: LinePlace) -> tuple[int, StoredLines]:
        """Return the page of a line, from 1, and what it has; no lines if there is no such page."""
        media = self.collection.media[place.media_id]
        if "outline" not in media:
            return 1, self._whole_of(place.media_id)
        lines_before = 0
        for page, lines in enumerate(media["outline"]["lines"], start=1):
            if place.line <= lines_before + lines:
                key = place.media_id, page
                if key not in self._pages:
                    self._pages[key] = self.insights.transcripts.read_pages(
                        self.recording_id, *place[:2], range(page, page + 1), lines_before=lines_before
                    )
                return page, self._pages[key]
            lines_before += lines
        return 1, StoredLines()

    def _whole_of(self, media_id: str) -> StoredLines:
        """Return the transcript of a media object that an earlier version saved, without an outline."""
        if self._whole is None:
            self._whole = self.insights.read(self.recording_id)
        transcript = self._whole.insights[media_id].transcript if media_id in self._whole.insights else ()
        return StoredLines([*transcript], {**self._whole.corrections.get(media_id, {})})
