"""The transcript as CSV.

Source: https://www.rfc-editor.org/rfc/rfc4180
"""

from collections.abc import Mapping
from typing import Any

from recording_insights.recordings.exports.lines import one_line

COLUMNS = ("start_ms", "end_ms", "speaker", "speaker_name", "text", "sentiment", "confidence")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Spreadsheets take a text that begins so for a formula, the wide ones too.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


def write_csv(answer: Mapping[str, Any]) -> str:
    """Return one record for each line, below a header. A text that a spreadsheet would run has a `'` before it."""
    records = [COLUMNS, *([line.get(column) for column in COLUMNS] for line in answer["transcript"])]
    return "".join(",".join(map(_field, record)) + "\r\n" for record in records)


def _field(value: Any) -> str:
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = one_line(value)
    if text.startswith(_FORMULA):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text
