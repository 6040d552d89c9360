"""Damaged inputs: strategies of Hypothesis that change a file of the corpus in a few places.

A damage is a small tuple, so that Hypothesis can shrink a failure to the one change that matters.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"

_DEEP = "a deep nest of "
"""With a number behind it: stands for that many lists, one in the other, which `json.dumps` cannot write."""
_RAW = "as written: "
"""Stands for the rest of the text without quotes, for what `json.dumps` does not write."""
_LONG = "a long text of "
"""With a number behind it: stands for a text of that many letters."""
_NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    0.5,
    1e-320,
    -1e308,
    2**53,
    2**63,
    10**40,
    -(10**40),
    f"{_RAW}1e999",
    f"{_RAW}NaN",
)
_TEXTS = (
    *("", " ", "7", "-3.5", "1e400", "nan", f"{_LONG}5000", "Infinity", "٣", "null", "true"),
    *("\x00", "\ud83d", "\udc4b", "\\ud83d\udc4b", "é\u0301", "\u202e", "a\u2028b", "👋🏽", f"{_LONG}20000", "…" * 300),
    *("2026-03-12T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *("https://example.org/a?X-Amz-Signature=5ec0de", "https://" * 300, "\n\n", "<html>", "../..", "a b/c?d#e%"),
)
_OTHERS: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], [None], [{}], [1, "a", None], {"": ""}, {"a": {"b": [None]}}),
    *(f"{_DEEP}{depth}" for depth in (33, 400)),
    *(f'{_RAW}"\\ud83d"', f"{_RAW}-0"),
)
_UNREADABLE = (f"{_DEEP}990", f"{_DEEP}20000", f"{_RAW}{'7' * 5000}", f"{_RAW}")
"""Rare: most parsers refuse a document with one of these."""
_READABLE = (
    st.sampled_from(_NUMBERS),
    st.sampled_from(_TEXTS),
    st.sampled_from(_OTHERS),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
)
_VALUES = st.one_of(*_READABLE * 5, st.sampled_from(_UNREADABLE))

MOST_VALUES = 10_000
"""Bound on what a repetition or a copy adds to a document."""
_PLACE = st.integers(0, 5000)
_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("set"), _PLACE, _VALUES),
        st.tuples(st.just("drop"), _PLACE, st.none()),
        st.tuples(st.just("wrap"), _PLACE, st.sampled_from(["list", "map"])),
        st.tuples(st.just("repeat"), _PLACE, st.sampled_from([2, 3, 300])),
        st.tuples(st.just("copy"), _PLACE, _PLACE),
        st.tuples(st.just("reverse"), _PLACE, st.none()),
        st.tuples(st.just("rename"), _PLACE, st.sampled_from(_TEXTS[:20])),
    ),
    max_size=5,
)
_CUTS = st.lists(
    st.one_of(
        st.tuples(st.just("cut"), st.integers(0, 1 << 16), st.integers(1, 4000)),
        st.tuples(st.just("end"), st.integers(0, 1 << 16), st.none()),
        st.tuples(st.just("set"), st.integers(0, 1 << 16), st.binary(min_size=1, max_size=9)),
        st.tuples(
            st.just("set"),
            st.integers(0, 200),
            st.sampled_from([b"\xff\xff\xff\xff", bytes(4), bytes(8), b"\x7f\xff\xff\xff", b"\x80", b"\0\0\0\1"]),
        ),
        st.tuples(st.just("insert"), st.integers(0, 1 << 16), st.binary(min_size=1, max_size=300)),
        st.tuples(st.just("repeat"), st.integers(0, 1 << 16), st.integers(1, 400)),
        st.tuples(st.just("flip"), st.integers(0, 1 << 16), st.integers(0, 7)),
    ),
    max_size=5,
)


def files(pattern: str) -> list[Path]:
    """Return the files of the corpus that match a pattern, in a fixed order; there must be one."""
    found = sorted(CORPUS.glob(pattern))
    assert found, pattern
    return found


def json_of(path: Path) -> Any:
    """Parse a file of the corpus."""
    return json.loads(path.read_text())


class _Seeds:
    """The files that are damaged, with a short text for the reports of Hypothesis, which names a seed by its number."""

    def __init__(self, *seeds: Any) -> None:
        self.seeds = seeds
        self.numbers = st.integers(0, len(seeds) - 1)

    def __repr__(self) -> str:
        return "seeds"

    def written(self, number: int, changes: list[Any], ascii_only: bool) -> bytes:
        return _written(self.seeds[number], changes, ascii_only)

    def parsed(self, number: int, changes: list[Any]) -> Any:
        try:
            return json.loads(self.written(number, changes, False))
        except (ValueError, RecursionError):
            return deepcopy(self.seeds[number])

    def cut(self, number: int, cuts: list[Any]) -> bytes:
        return _cut(self.seeds[number], cuts)


def damaged_json(*seeds: Any) -> st.SearchStrategy[bytes]:
    """Bytes of JSON documents: one of the seeds with values dropped, replaced, nested or repeated.

    Now and then the bytes are damaged as well, or are no JSON at all.
    """
    of = _Seeds(*seeds)
    whole = st.builds(of.written, of.numbers, _CHANGES, st.booleans())
    return st.one_of(*[whole] * 10, st.builds(_cut, whole, _CUTS), st.binary(max_size=40))


def damaged_value(*seeds: Any) -> st.SearchStrategy[Any]:
    """Like `damaged_json`, as plain values that JSON can hold; without what Python's parser refuses."""
    of = _Seeds(*seeds)
    return st.builds(of.parsed, of.numbers, _CHANGES)


def damaged_bytes(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """One of the seeds with bytes changed, cut out, inserted or repeated."""
    of = _Seeds(*seeds)
    return st.builds(of.cut, of.numbers, _CUTS)


def _written(seed: Any, changes: list[Any], ascii_only: bool) -> bytes:
    document = [deepcopy(seed)]
    for kind, place, how in changes:
        holders = list(_places(document))
        if not holders:
            break
        # Hypothesis prefers small numbers, and the first place is the whole document.
        holder, name = holders[(place + 1) % len(holders)]
        _change(document, holder, name, kind, how)
    text = json.dumps(document[0] if document else None, ensure_ascii=ascii_only)
    return _unquoted(text).encode(errors="surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the holder of each value in a document, and the value's name or index in it, from the outside in."""
    todo = [value]
    while todo:
        holder = todo.pop()
        for name, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            yield holder, name
            if isinstance(inner, dict | list):
                todo.append(inner)


def _size(value: Any) -> int:
    return sum(1 for _ in _places([value]))


def _change(document: list[Any], holder: Any, name: Any, kind: str, how: Any) -> None:
    value = holder[name]
    if kind == "set":
        holder[name] = deepcopy(how)
    elif kind == "drop":
        del holder[name]
    elif kind == "wrap":
        holder[name] = [value] if how == "list" else {"value": value}
    elif kind == "repeat" and isinstance(value, list) and _size(value) * how < MOST_VALUES:
        holder[name] = [deepcopy(entry) for _ in range(how) for entry in value]
    elif kind == "copy":
        places = list(_places(document))
        other, other_name = places[how % len(places)]
        if _size(other[other_name]) < MOST_VALUES // 10:
            holder[name] = deepcopy(other[other_name])
    elif kind == "reverse" and isinstance(value, list):
        value.reverse()
    elif kind == "rename" and isinstance(holder, dict):
        holder[how] = holder.pop(name)


def _unquoted(text: str) -> str:
    """Put what they stand for in the place of the marks."""
    for mark in (_DEEP, _LONG, _RAW):
        text, *rest = text.split(f'"{mark}')
        for piece in rest:
            content, after = _split(piece)
            text += _meaning(mark, content) + after
    return text


def _meaning(mark: str, content: str) -> str:
    if mark == _RAW:
        return content
    return "[" * int(content) + "]" * int(content) if mark == _DEEP else f'"{"x" * int(content)}"'


def _split(piece: str) -> tuple[str, str]:
    """Split what follows a mark at the quote that ends the text; the first part without JSON's escapes."""
    at = 0
    while piece[at] != '"':
        at += 2 if piece[at] == "\\" else 1
    return str(json.loads(f'"{piece[:at]}"')), piece[at + 1 :]


def _cut(data: bytes, cuts: list[Any]) -> bytes:
    for kind, place, how in cuts:
        at = place % (len(data) + 1)
        if kind == "cut":
            data = data[:at] + data[at + how :]
        elif kind == "end":
            data = data[:at]
        elif kind == "set":
            data = data[:at] + how + data[at + len(how) :]
        elif kind == "insert":
            data = data[:at] + how + data[at:]
        elif kind == "repeat" and len(data) < 1 << 17:
            data = data[:at] + data[at : at + 188] * how + data[at:]
        elif kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << how]) + data[at + 1 :]
    return data
