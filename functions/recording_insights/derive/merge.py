"""Puts together what was found in the parts of a conversation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from recording_insights.model.derived import Statement


def merged(found: Iterable[Statement], places: Mapping[str, int]) -> list[Statement]:
    """Return statements of one kind in the order of the conversation, each once.

    `places` are those of the lines by id.
    """
    by_text: dict[str, Statement] = {}
    for statement in found:
        key = statement.text.casefold()
        by_text[key] = joined([by_text[key], statement], places, statement.text) if key in by_text else statement
    return sorted(by_text.values(), key=lambda statement: places.get(statement.evidence[0], 0))


def joined(statements: Sequence[Statement], places: Mapping[str, int], text: str) -> Statement:
    """Return one statement with the proof of several. Of their other fields the first one that has a value counts."""
    ids = dict.fromkeys(line for statement in statements for line in statement.evidence)
    first = statements[0]
    more = {
        name: next((value for statement in statements if (value := getattr(statement, name)) is not None), None)
        for name in ("assignee", "due", "answer", "start_ms")
    }
    return replace(first, text=text, evidence=tuple(sorted(ids, key=lambda line: places.get(line, 0))), **more)
