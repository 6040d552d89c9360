"""How far the derivation of a conversation has come: small, and of JSON values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, Self, cast

from recording_insights.derive.models import Form
from recording_insights.model.derived import Statement, Usage


@dataclass(frozen=True)
class Task:
    """A call that is still to be made: for the pieces of its level from `first` up to, not including, `end`.

    `halvings` counts how often its part was cut in two. `again`: it was asked before, in vain.
    """

    first: int
    end: int
    halvings: int = 0
    again: bool = False


class Missing(NamedTuple):
    """A kind that is missing, with the code why; of a part, the numbers of its first and last line, from 1."""

    kind: str
    code: str
    first: int = 0
    last: int = 0


MOST_RANGES = 5
"""Of lines that are named for one kind. The others are counted."""


def texts_of(missing: Sequence[Missing], lines: int) -> list[str]:
    """Return a text for each kind and code: `kind: code`, or `kind: code (lines 1 to 8, 20 to 30 of 64)`."""
    ranges: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for each in missing:
        before = ranges.setdefault((each.kind, each.code), [])
        if before and each.first <= before[-1][1] + 1:  # parts overlap
            before[-1] = (before[-1][0], max(before[-1][1], each.last))
        else:
            before.append((each.first, each.last))
    return [f"{kind}: {code}{_named(found, lines)}" for (kind, code), found in ranges.items()]


def _named(ranges: Sequence[tuple[int, int]], lines: int) -> str:
    if not any(last for _, last in ranges):
        return ""
    named = ", ".join(f"{first} to {last}" for first, last in ranges[:MOST_RANGES] if last)
    more = f" and {len(ranges) - MOST_RANGES} more" if len(ranges) > MOST_RANGES else ""
    return f" (lines {named}{more} of {lines})"


@dataclass(frozen=True)
class Progress:
    """What was found so far, and what is to be done.

    `kinds` are asked for in the `form`. On level 0 the tasks are parts of the conversation. On each further level they
    are groups of `sentences`, the summaries of the level before it. `gathered` are the summaries of this level, which
    was split into so many `parts`.
    """

    kinds: Sequence[str]
    form: Form
    tasks: Sequence[Task] = ()
    level: int = 0
    parts: int = 0
    sentences: Sequence[Statement] = ()
    gathered: Sequence[Statement] = ()
    found: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    missing: Sequence[Missing] = ()
    usage: Usage = field(default_factory=Usage)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to ask."""
        return not self.tasks

    @property
    def note(self) -> str:
        """What comes next, for the log."""
        if self.is_over:
            return f"over after {self.usage.calls} calls"
        what = "summaries" if self.level else "parts of the conversation"
        again = ", again" if self.tasks[0].again else ""
        return f"{len(self.tasks)} of {self.parts} {what} to read{again}, {self.usage.calls} calls made"

    def to_map(self) -> dict[str, Any]:
        """Return a map of JSON values."""
        return {
            **{entry.name: getattr(self, entry.name) for entry in fields(self)},
            "kinds": list(self.kinds),
            "missing": [list(each) for each in self.missing],
            "tasks": [vars(task) for task in self.tasks],
            "sentences": _maps(self.sentences),
            "gathered": _maps(self.gathered),
            "found": {kind: _maps(statements) for kind, statements in self.found.items()},
            "dropped": dict(self.dropped),
            "usage": vars(self.usage),
        }

    @classmethod
    def from_map(cls, values: Mapping[str, Any]) -> Self:
        """Read a map of `to_map`."""
        return cls(
            kinds=tuple(values["kinds"]),
            form=cast(Form, values["form"]),
            tasks=tuple(Task(**task) for task in values["tasks"]),
            level=values["level"],
            parts=values["parts"],
            sentences=_statements(values["sentences"]),
            gathered=_statements(values["gathered"]),
            found={kind: _statements(statements) for kind, statements in values["found"].items()},
            dropped=dict(values["dropped"]),
            missing=tuple(Missing(*each) for each in values["missing"]),
            usage=Usage(**values["usage"]),
        )

    def without_first(self, *instead: Task, **changes: Any) -> Self:
        """Return the progress after its first task, in the place of which others may come."""
        return replace(self, tasks=(*instead, *self.tasks[1:]), **changes)


def _maps(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    return [{**statement.to_map(), "evidence": list(statement.evidence)} for statement in statements]


def _statements(maps: Sequence[Mapping[str, Any]]) -> tuple[Statement, ...]:
    return tuple(Statement.from_map({**values, "evidence": tuple(values["evidence"])}) for values in maps)
