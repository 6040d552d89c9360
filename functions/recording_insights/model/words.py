"""The words of a transcript as one object holds them, beside the lines in the table."""

import gzip
import json
from collections.abc import Sequence
from functools import partial
from io import BytesIO

from recording_insights.bounded import CHUNK, parse_bounded, read_at_most
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
    """Read the words of `packed`.

    Raises:
        ValueError: they are not. The words of a reply that could be read are shorter than the reply.
    """
    with gzip.GzipFile(fileobj=BytesIO(content)) as file:
        listed = read_at_most(iter(partial(file.read, CHUNK), b""))
    if listed is None:
        raise ValueError("there are too many words")
    return [[Word(*word) for word in line] for line in parse_bounded(listed)]
