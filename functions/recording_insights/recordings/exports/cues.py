"""Captions of a transcript: what is on the screen, and when.

Words are shown when they are spoken, where the provider gives their times. Otherwise the words of a line share its time
in proportion to their characters. A caption has at most two lines of 42 characters, and takes 1 to 7 seconds.
Source: https://partnerhelp.netflixstudios.com/hc/en-us/articles/217350977 (42 characters, 2 lines, 7 s)
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from recording_insights.recordings.exports.lines import Line, name_of, one_line

WIDTH = 42
"""Most characters in a line of a caption."""
MOST_LINES = 2
LEAST_MS, MOST_MS = 1_000, 7_000
MS_PER_CHARACTER = 60
"""Of a line without an end: about 17 characters a second, the speed at which captions are read."""

_SENTENCE_ENDS = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*$")
_WORD = re.compile(r"[^\s。！？]+[。！？]*|[。！？]+")
"""Chinese and Japanese have no blanks: their sentences end a word."""


class Cue(NamedTuple):
    """A caption: its lines are on the screen from a start to an end. `name` is who speaks, empty if unknown."""

    start_ms: int
    end_ms: int
    name: str
    lines: Sequence[str]


class _Word(NamedTuple):
    text: str
    start_ms: float
    end_ms: float


class _Timed(NamedTuple):
    """A line of the transcript with its time, and with the words as the provider has them."""

    start_ms: float
    end_ms: float
    name: str
    text: str
    words: Sequence[Mapping[str, Any]] = ()


def cues_of(transcript: Sequence[Line], *, shows_names: bool) -> list[Cue]:
    """Return the captions of a transcript, sorted by their start.

    `shows_names` puts `Name: ` before the first words of each line. Captions of speakers who talk at once overlap, and
    so may a caption that is shown for a second because it is shorter.
    """
    cues = (cue for line in _timed(transcript) for cue in _captions(line, shows_names))
    return sorted(cues, key=lambda cue: cue.start_ms)


def _timed(transcript: Sequence[Line]) -> Iterator[_Timed]:
    """Yield the lines with their times.

    Lines whose time is unknown share the gap between their neighbours, in proportion to their characters. Where there
    is no gap, and behind the last known time, each takes as long as it takes to read.
    """
    waiting: list[tuple[str, str]] = []
    end_ms: float = 0
    for line in transcript:
        start = line.get("start_ms")
        name, text = name_of(line), one_line(line["text"])
        if start is None:
            waiting.append((name, text))
            continue
        yield from _placed(waiting, end_ms, start)
        waiting.clear()
        end = line.get("end_ms")
        until = start + len(text) * MS_PER_CHARACTER if end is None else max(start, end)
        yield _Timed(start, until, name, text, line.get("words", ()))
        end_ms = max(end_ms, start if end is None else end)
    yield from _placed(waiting, end_ms, None)


def _placed(lines: Iterable[tuple[str, str]], from_ms: float, until_ms: float | None) -> Iterator[_Timed]:
    lines = list(lines)
    characters = sum(len(text) for _, text in lines)
    pace: float = MS_PER_CHARACTER
    if characters and until_ms is not None and until_ms > from_ms:
        pace = min(pace, (until_ms - from_ms) / characters)
    at = from_ms
    for name, text in lines:
        yield _Timed(at, at + len(text) * pace, name, text)
        at += len(text) * pace


def _captions(line: _Timed, shows_names: bool) -> Iterator[Cue]:
    """Yield the captions of one line of the transcript, one after the other."""
    name = [_Word(word, line.start_ms, line.start_ms) for word in _words(f"{line.name}:")]
    words = _spread(line)
    at = line.start_ms
    for part in _parts([*name, *words] if words and line.name and shows_names else words):
        start = max(at, part.words[0].start_ms)
        end = min(max(part.words[-1].end_ms, start + LEAST_MS), start + MOST_MS)
        yield Cue(round(start), round(end), line.name, part.lines)
        at = end


def _spread(line: _Timed) -> list[_Word]:
    """Return the words of a line, each with its own time or with its share of the line's."""
    words = list(_words(line.text))
    if spans := _spans(line):
        places = [0, *accumulate(map(len, words))]
        return [
            _Word(word, spans[first][0], spans[last - 1][1])
            for word, (first, last) in zip(words, pairwise(places), strict=True)
        ]
    pace = (line.end_ms - line.start_ms) / max(sum(map(len, words)), 1)
    spread, at = [], line.start_ms
    for word in words:
        spread.append(_Word(word, at, at + len(word) * pace))
        at += len(word) * pace
    return spread


def _spans(line: _Timed) -> list[tuple[float, float]]:
    """Return when each character of a line begins and ends; blanks do not count.

    Empty if the provider's words do not make the line, as where somebody has corrected it.
    """
    texts = ["".join(one_line(word["text"]).split()) for word in line.words]
    if "".join(texts) != "".join(line.text.split()):
        return []
    spans = []
    for word, text in zip(line.words, texts, strict=True):
        start = word["start_ms"]
        pace = (word.get("end_ms", start) - start) / max(len(text), 1)
        spans += [(start + place * pace, start + (place + 1) * pace) for place in range(len(text))]
    return spans


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text; cuts a word that is longer than a line, but never between a letter and its accent."""
    for word in _WORD.findall(text):
        while len(word) > WIDTH:
            cut = WIDTH
            while cut > 1 and unicodedata.category(word[cut])[0] == "M":
                cut -= 1
            yield word[:cut]
            word = word[cut:]
        yield word


class _Part:
    """The words of one caption; `rows` and `column` are where the last line ends."""

    def __init__(self) -> None:
        self.words: list[_Word] = []
        self.rows, self.column = 0, WIDTH

    def has_room(self, words: Sequence[_Word]) -> bool:
        """Whether the words fit into the lines and into the time, or the caption has none yet."""
        if not self.words:
            return True
        if words[-1].end_ms - self.words[0].start_ms > MOST_MS:
            return False
        rows, column = self.rows, self.column
        for word in words:
            rows, column = _place(rows, column, word)
            if rows > MOST_LINES:
                return False
        return True

    def add(self, word: _Word) -> None:
        """Put a word behind the others."""
        self.rows, self.column = _place(self.rows, self.column, word)
        self.words.append(word)

    @property
    def lines(self) -> list[str]:
        """The lines of the caption."""
        rows, column, lines = 0, WIDTH, []
        for word in self.words:
            before = rows
            rows, column = _place(rows, column, word)
            if rows > before:
                lines.append(word.text)
            else:
                lines[-1] += f" {word.text}"
        return lines


def _place(rows: int, column: int, word: _Word) -> tuple[int, int]:
    """Return the number of lines and the length of the last one with a word more."""
    longer = column + 1 + len(word.text)
    return (rows, longer) if longer <= WIDTH else (rows + 1, len(word.text))


def _parts(words: Sequence[_Word]) -> Iterator[_Part]:
    """Yield the words of each caption. A sentence begins a new caption if it does not fit into the present one."""
    part = _Part()
    for sentence in _sentences(words):
        if not part.has_room(sentence):
            yield part
            part = _Part()
        for word in sentence:
            if not part.has_room([word]):
                yield part
                part = _Part()
            part.add(word)
    if part.words:
        yield part


def _sentences(words: Sequence[_Word]) -> Iterator[list[_Word]]:
    sentence: list[_Word] = []
    for word in words:
        sentence.append(word)
        if _SENTENCE_ENDS.search(word.text):
            yield sentence
            sentence = []
    if sentence:
        yield sentence
