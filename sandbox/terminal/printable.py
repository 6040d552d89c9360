"""Text from outside, for a terminal: what a vendor, a caller or a speaker wrote must not control it."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""C0 except tab and line feed, DEL, C1: an escape sequence cannot begin without one of them."""
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What changes the direction of writing makes a text read as another one."""


def printable(text: object) -> str:
    """Return the text without characters that control a terminal or the direction of writing."""
    return _DIRECTIONS.sub("", _CONTROLS.sub("", str(text)))
