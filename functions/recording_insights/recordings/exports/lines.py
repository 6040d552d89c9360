"""The lines of a transcript as texts that fit into one line of a file."""

import re
from collections.abc import Mapping
from typing import Any

Line = Mapping[str, Any]
"""An entry of `transcript` as the API's answer has it: `text`, and where known `speaker`, `start_ms` and others."""

NO_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""Escapes a text for HTML and for WebVTT, outside of attributes."""

_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters, halves of surrogate pairs and noncharacters: HTML, or UTF-8, has no place for them."""
_REORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that open or close a direction of writing. A marker of direction such as U+200F is none of them.

Source: https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
"""


def one_line(text: str) -> str:
    """Return a text as one line: blanks for line breaks of every kind, and U+FFFD for what is no character.

    Characters that reorder what follows are left out: they would reach beyond the text.
    """
    return _NOT_TEXT.sub("\ufffd", _REORDERS.sub("", " ".join(text.split())))


def name_of(line: Line) -> str:
    """Return the name of the speaker, or else the provider's label, `Speaker 1` for a mere number; empty if unknown."""
    if name := one_line(line.get("speaker_name") or ""):
        return name
    label = one_line(line.get("speaker") or "")
    return f"Speaker {label}" if label.isdecimal() else label


def clock(ms: int) -> str:
    """Return a time as `00:01:05`."""
    seconds = int(ms) // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
