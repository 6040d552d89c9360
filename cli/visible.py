"""Text from outside, for a terminal: what a vendor, a caller or a speaker wrote is shown and not obeyed."""

import json
import re
from typing import Any

_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0 except tab and line feed, DEL, C1, what makes a text read as another, and halves of characters, which no output
can hold."""


def visible(text: object) -> str:
    """Return the text with each character that controls a terminal as `\\x1b`, or `\\u202e`."""
    return _CONTROLS.sub(lambda match: _escape(match[0]), str(text))


def visible_line(text: object) -> str:
    """Return the text as `visible` does, on one line."""
    return " ".join(visible(text).split())


def visible_json(value: Any, *, indent: int | None = 2) -> str:
    """Return a value as JSON that no terminal obeys: such characters are escaped as JSON escapes them."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
