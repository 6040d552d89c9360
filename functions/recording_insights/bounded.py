"""What others send, read and parsed within limits.

A few KB may unpack to gigabytes. JSON may parse to thirty times its size, or be nested deeper than Python can follow.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

LARGEST_REPLY = 32 << 20
"""In bytes, unpacked: of a vendor's answer, and of a reply in S3. The largest seen has 17 MB, for a day of speech."""
MOST_MARKS = 5_000_000
"""Of `{`, `[`, `:` and `,` in one JSON text. A day of speech has 2.5 million."""
MOST_BYTES_FOR_A_MARK = 130
"""What parsing allocates for each mark at most. With 5 bytes for each of the text, the memory of functions follows."""
DEEPEST = 100
"""Levels of one JSON text. The deepest reply seen has 12."""
CHUNK = 64 * 1024

_MARKS = "{[:,"


def read_at_most(chunks: Iterable[bytes], most: int = LARGEST_REPLY) -> bytes | None:
    """Return what the chunks hold together; None as soon as they hold more than `most` bytes."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def parse_bounded(text: str | bytes, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON like `json.loads`, within the limits.

    The text of each error is the second half of a sentence such as "The reply does not match its contract: it is not
    JSON".

    Raises:
        ValueError: it is no JSON or no UTF-8, is nested too deeply, or has too many values or a number of thousands of
            digits.
    """
    if _number_of_marks(text) > MOST_MARKS:
        raise ValueError("its JSON has too many values")
    try:
        value = json.loads(text, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError("it is not JSON") from None
    except ValueError:
        raise ValueError("one of its numbers has too many digits") from None
    if _is_too_deep(value):
        raise ValueError("its JSON is nested too deeply")
    return value


def _number_of_marks(text: str | bytes) -> int:
    if isinstance(text, str):
        return sum(map(text.count, _MARKS))
    return sum(text.count(mark) for mark in _MARKS.encode())


def _is_too_deep(value: Any) -> bool:
    """Whether a value has more than `DEEPEST` levels: what prints, copies or stores it calls itself for each."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
