"""What must hold whatever the input is."""

import builtins
import json
import re
from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from recording_insights.model.insights import LISTS, Insights
from recording_insights.providers.toolkit.json import parse_json

DEEPEST = 32
"""DynamoDB's limit of nested maps and lists."""
_CLASSES = [name for name, value in vars(builtins).items() if isinstance(value, type) and name[0].isupper()]
_PYTHON = re.compile(
    rf"\b({'|'.join(_CLASSES)}|NoneType|JSONDecodeError)\b|<class |object at 0x|\bsys\.|Traceback|'dict'"
)
_SPAN = ("start_ms", "end_ms")


def assert_in_words(error: Exception, given: bytes = b"") -> None:
    """Check that the text of an error can be stored and is no text of Python's, unless it was in the input."""
    text = str(error)
    assert text.strip()
    found = _PYTHON.search(text)
    assert not found or found[0].encode() in given, text
    text.encode()


def assert_valid(insights: Insights, reply: bytes) -> None:
    """Check the types, the order of times, and that what was said is in the reply."""
    for entry in (*insights.transcript, *insights.emotions, *insights.entities):
        start, end = (getattr(entry, name) for name in _SPAN)
        assert type(start) in (int, type(None)), start
        assert type(end) in (int, type(None)), end
        assert start is None or start >= 0, entry
        assert None in (start, end) or start <= end, entry
    assert_in_range([(insights.sentiment, 1), *((spoken.sentiment, 1) for spoken in insights.transcript)])
    confidences = [spoken.confidence for spoken in insights.transcript] + [
        *(each.confidence for each in insights.emotions),
        *(each.confidence for each in insights.entities),
    ]
    assert_in_range([(number, 2**53) for number in (*confidences, *(topic.score for topic in insights.topics))])
    parts = [part for kind in LISTS for part in getattr(insights, kind)]
    for text in (insights.summary, insights.language, *insights.missing, *_texts_of(parts)):
        assert text is None or (isinstance(text, str) and text), repr(text)
    said = set(_pieces(parse_json(reply)))
    for spoken in insights.transcript:
        assert isinstance(spoken.text, str)
        assert isinstance(spoken.speaker, str | None)
        unsaid = [piece for piece in _pieces(spoken.text) if not _is_of(said, piece)]
        assert not unsaid, f"{spoken.text[:200]!r} is not in the reply: {unsaid[:5]}"


def assert_in_range(numbers: list[tuple[Any, float]]) -> None:
    """Check that each value is None, or a number whose absolute value does not exceed the limit beside it."""
    for number, largest in numbers:
        assert number is None or (type(number) in (int, float) and abs(number) <= largest), number


def assert_storable(item: Any) -> int:
    """Check that DynamoDB takes an item; returns about how many bytes the item has."""
    wire = TypeSerializer().serialize(item)
    assert _depth(wire) <= DEEPEST, "DynamoDB refuses an item with so many levels"
    return len(json.dumps(wire, ensure_ascii=False, default=_size_of).encode())


def _size_of(value: Any) -> Any:
    return list(value) if isinstance(value, set) else bytes(value).hex()


def _depth(item: Any) -> int:
    """The levels of maps and lists in an item in DynamoDB's wire form, without the item itself."""
    depth, level = -1, [item]
    while level := [inner for value in level for inner in _inside(value)]:
        depth += 1
    return depth


def _inside(value: Any) -> list[Any]:
    """The values in a map or list, with one more that stands for the map or list itself."""
    nothing: dict[str, Any] = {}
    if "M" in value:
        return [*value["M"].values(), nothing]
    return [*value["L"], nothing] if "L" in value else []


def _texts_of(parts: list[Any]) -> Iterator[Any]:
    for part in parts:
        yield from (value for name, value in part.to_map().items() if name not in (*_SPAN, "score", "confidence"))


def _is_of(said: set[str], piece: str) -> bool:
    """Whether a piece is said, or two pieces are without a space between them: punctuation can be a letter, too."""
    return piece in said or any(piece[:at] in said and piece[at:] in said for at in range(1, min(len(piece), 99)))


def _pieces(value: Any) -> Iterator[str]:
    """Yield the words and marks of every text and number in a document."""
    todo = [value]
    while todo:
        match todo.pop():
            case dict() as found:
                todo += found.values()
            case list() as found:
                todo += found
            case bool() | None:
                continue
            case found:
                yield from re.findall(r"\w+|[^\w\s]", str(found))
