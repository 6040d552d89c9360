"""Parts of a conversation that fit into a request. Nothing is cut: each word is in a part, some are in two."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recording_insights.derive.lines import Line, shown_speaker, shown_text

PART_TOKENS = 20_000
"""Of a part at most, by `tokens_of`. A model finds less in the middle of a longer text than in a part of this size."""
PIECE_TOKENS = 4_000
"""Of a piece of a line at most: a line that is longer is shown as several, all with its id."""
OVERLAP = 4
"""Pieces at the end of a part that the next one begins with, so that a question and its answer are in one of them."""
_TOKENS_OF_HEADER = 10
_WIDE = re.compile(r"[^\u0000-\u024f\u2000-\u206f]")


class Piece(NamedTuple):
    """What a model sees of a line, mostly all of it. `line` is the place of the line in the conversation, from 0."""

    line: int
    speaker: str
    text: str


def tokens_of(text: str) -> int:
    """Return a cautious bound: a token for 3 Latin characters, and for each character of other scripts.

    Models have a token for 4 characters of English, for 2 to 3 of other European languages, for 1 to 2 of Chinese.
    """
    if text.isascii():
        return -(-len(text) // 3)
    wide = len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // 3)


def pieces_of(lines: Sequence[Line]) -> list[Piece]:
    """Return the pieces of all lines, in order. Lines in which nobody says anything have none."""
    speakers = {name: shown_speaker(name) for name in {line.speaker for line in lines}}
    return [
        Piece(number, speakers[line.speaker], text)
        for number, line in enumerate(lines)
        for text in _short_enough(shown_text(line.text))
    ]


def parts_of(
    weights: Sequence[int], turns: Sequence[str], budget: int, overlap: int = OVERLAP
) -> list[tuple[int, int]]:
    """Return the parts of a sequence, each as the places of its first piece and of the one after its last.

    `weights` are the tokens of each piece, `turns` whose it is: a part ends where the speaker changes, if that is
    near. No part weighs more than `budget` if no piece does.
    """
    parts: list[tuple[int, int]] = []
    begin, end = 0, 0
    while end < len(weights):
        end = _end_of_part(weights, turns, begin, end, budget)
        parts.append((begin, end))
        begin = _begin_of_next(weights, end, max(begin + 1, end - overlap), budget)
    return parts


def weights_of(pieces: Sequence[Piece]) -> list[int]:
    """Return the tokens of each piece with its header."""
    speakers = {name: tokens_of(name) for name in {piece.speaker for piece in pieces}}
    return [_TOKENS_OF_HEADER + speakers[piece.speaker] + tokens_of(piece.text) for piece in pieces]


def _end_of_part(weights: Sequence[int], turns: Sequence[str], begin: int, covered: int, budget: int) -> int:
    """Where a part ends that begins at `begin` and has to reach beyond `covered`."""
    end, weight = begin, 0
    while end < len(weights) and (end <= covered or weight + weights[end] <= budget):
        weight += weights[end]
        end += 1
    if end == len(weights):
        return end
    given_up = 0
    for turn in range(end, covered, -1):
        if turns[turn] != turns[turn - 1]:
            return turn
        given_up += weights[turn - 1]
        if given_up > budget // 8:
            break
    return end


def _begin_of_next(weights: Sequence[int], end: int, begin: int, budget: int) -> int:
    """Where the next part begins: what is in two parts is an eighth of a part at most."""
    while begin < end and sum(weights[begin:end]) > budget // 8:
        begin += 1
    return min(begin, end)


def _short_enough(text: str) -> Iterator[str]:
    """The text, or pieces of it that end between words if there are any."""
    while tokens_of(text) > PIECE_TOKENS:
        most = PIECE_TOKENS
        space = text.rfind(" ", most // 2, most)
        yield text[: space if space > 0 else most].strip()
        text = text[space if space > 0 else most :].strip()
    if text:
        yield text
