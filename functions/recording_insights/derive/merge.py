"""Puts together what was found in the parts of a conversation. Parts overlap, so some is found twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from recording_insights.derive.facts import words_of
from recording_insights.model.derived import Statement

_ALIKE = 0.6
"""The share of words that two statements about one line have in common if they say the same."""
MOST_EVIDENCE = 500
"""Ids of a statement at most: what a whole day is summed up from could prove nothing by itself, and fills an item."""
_MORE = ("assignee", "due", "answer", "start_ms")
_TELL_APART = ("due", "answer", "start_ms")
"""Members by which what is said again much later is another statement: a new date, another answer, a second chapter."""


def merged(found: Iterable[Statement], places: Mapping[str, int], before: Sequence[Statement] = ()) -> list[Statement]:
    """Return statements of one kind in the order of the conversation, each once: those of `before`, and of one answer.

    Two are one if they say the same in the same words. One of `before` is also one that says nearly the same of a line
    that both cite: within an answer these are two, such as two tasks that one line names. Statements with different
    assignees are never one. Nor are those of different lines with different dates, answers or starts. `places` are
    those of the lines by id.
    """
    kept = [*before]
    words = [frozenset(words_of(statement.text)) for statement in before]
    by_key: dict[object, list[int]] = {}
    for number, statement in enumerate(before):
        for key in _keys(statement, words[number]):
            by_key.setdefault(key, []).append(number)
    for statement in found:
        of_this = frozenset(words_of(statement.text))
        keys = _keys(statement, of_this)
        candidates = dict.fromkeys(i for key in keys for i in by_key.get(key, ()))
        equal = [i for i in candidates if words[i] == of_this]
        alike = dict.fromkeys([*equal, *(i for i in candidates if i < len(before))])
        same = next((i for i in alike if _is_same(kept[i], words[i], statement, of_this)), len(kept))
        if same == len(kept):
            kept.append(statement)
            words.append(of_this)
        else:
            kept[same] = joined([kept[same], statement], places, kept[same].text)
        for key in keys:
            by_key.setdefault(key, []).append(same)
    return in_order(kept, places)


def in_order(statements: Iterable[Statement], places: Mapping[str, int]) -> list[Statement]:
    """Return statements in the order of the first line that proves each."""
    return sorted(statements, key=lambda statement: places.get(statement.evidence[0], 0))


def _keys(statement: Statement, words: frozenset[str]) -> list[object]:
    return [words, *statement.evidence]


def joined(statements: Sequence[Statement], places: Mapping[str, int], text: str) -> Statement:
    """Return one statement with the proof of several. Of their other fields the first one that has a value counts."""
    ids = sorted(
        {line for statement in statements for line in statement.evidence}, key=lambda line: places.get(line, 0)
    )
    more = {
        name: next((value for statement in statements if (value := getattr(statement, name)) is not None), None)
        for name in _MORE
    }
    return replace(statements[0], text=text, evidence=spread(ids), **more)


def spread(ids: Sequence[str], most: int = MOST_EVIDENCE) -> tuple[str, ...]:
    """Return all ids, or so many of them that are spread over all, with the first and the last one."""
    if len(ids) <= most:
        return tuple(ids)
    return tuple(ids[i * (len(ids) - 1) // (most - 1)] for i in range(most))


def _is_same(one: Statement, its_words: frozenset[str], other: Statement, other_words: frozenset[str]) -> bool:
    if one.assignee and other.assignee and one.assignee.casefold() != other.assignee.casefold():
        return False
    if set(one.evidence).isdisjoint(other.evidence) and any(_differ(one, other, name) for name in _TELL_APART):
        return False
    return len(its_words & other_words) >= _ALIKE * max(1, len(its_words | other_words))


def _differ(one: Statement, other: Statement, name: str) -> bool:
    values = (getattr(one, name), getattr(other, name))
    return None not in values and values[0] != values[1]
