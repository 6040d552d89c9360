"""The words of a transcript as one object holds them, beside the lines in the table."""

import gzip
import json
from collections.abc import Sequence

from recording_insights.model.insights import Word

Words = Sequence[Sequence[Word]]
"""The words of each line, in the order of the stored lines. A line whose words have no times has none."""


def packed(words: Words) -> bytes:
    """Return the words as compressed JSON: for each line a list of `[text, start_ms, end_ms, confidence]`.

    The same words give the same bytes.
    """
    listed = [[[word.text, word.start_ms, word.end_ms, word.confidence] for word in line] for line in words]
    return gzip.compress(json.dumps(listed, separators=(",", ":")).encode(), mtime=0)


def unpacked(content: bytes) -> Words:
    """Read the words of `packed`."""
    return [[Word(*word) for word in line] for line in json.loads(gzip.decompress(content))]
