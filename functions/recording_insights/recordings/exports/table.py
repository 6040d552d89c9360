"""The transcript as CSV.

Source: https://www.rfc-editor.org/rfc/rfc4180
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from recording_insights.recordings.exports.lines import Line, one_line
from recording_insights.recordings.exports.sections import chapters_of

CHAPTER = "chapter"
"""The last column, if the conversation has chapters: the one that a line is in."""
COLUMNS = ("start_ms", "end_ms", "speaker", "speaker_name", "text", "sentiment", "confidence")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Spreadsheets take a text that begins so for a formula, the wide ones too.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


def write_csv(answer: Mapping[str, Any]) -> str:
    """Return one record for each line, below a header. A text that a spreadsheet would run has a `'` before it."""
    chapters = sorted((each.start_ms, each.text) for each in chapters_of(answer) if each.start_ms is not None)
    columns = (*COLUMNS, CHAPTER) if chapters else COLUMNS

    def record(line: Line) -> list[Any]:
        return [line.get(column) for column in COLUMNS] + ([_chapter_at(line, chapters)] if chapters else [])

    records = [columns, *map(record, answer["transcript"])]
    return "".join(",".join(map(_field, record)) + "\r\n" for record in records)


def _chapter_at(line: Line, chapters: Sequence[tuple[int, str]]) -> str | None:
    start_ms = line.get("start_ms")
    begun = 0 if start_ms is None else bisect_right(chapters, start_ms, key=lambda chapter: chapter[0])
    return chapters[begun - 1][1] if begun else None


def _field(value: Any) -> str:
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = one_line(value)
    if text.startswith(_FORMULA):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text
