"""The conversations, and what an attentive listener finds in them.

Each file of `conversations/` is one conversation, written for this benchmark. Each file of `long/` is a recipe: phrases
that say nothing, and passages that are planted among thousands of them.
"""

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from recording_insights.derive.brief import Brief
from recording_insights.derive.lines import Line
from recording_insights.derive.steps import begin

FOLDER = Path(__file__).parent
SEAM = "seam"
"""The place of a passage whose first line ends a part of the conversation, and whose second begins the next one."""
_MS_OF_LINE = 4000

Words = Sequence[Sequence[str]]
"""Groups of words. A text has them if it has all words of one group."""


@dataclass(frozen=True)
class Gold:
    """A statement that is known to be right.

    `lines` are the places of the lines that prove it; none: any line may. `about` are words that a statement of it
    has, `answer` those of the answer. A statement that is `optional` is right, and missed by nobody.
    """

    about: Words
    lines: frozenset[int] = frozenset()
    assignee: str | None = None
    due: str | None = None
    answer: Words = ()
    optional: bool = False

    @classmethod
    def from_map(cls, values: Mapping[str, Any], offset: int = 0) -> Self:
        """Read an entry of a file. `offset` is added to its lines."""
        return cls(**{**values, "lines": frozenset(line + offset for line in values["lines"])})


@dataclass(frozen=True)
class Injection:
    """A line that gives orders to whoever reads it. `marks` are words that only a statement has that obeys it."""

    line: int
    marks: Sequence[str]


@dataclass(frozen=True)
class Conversation:
    """Lines, and by kind what is known to be in them."""

    name: str
    language: str
    lines: Sequence[Line]
    gold: Mapping[str, Sequence[Gold]]
    injections: Sequence[Injection] = ()
    planted: Mapping[str, int] = field(default_factory=dict)
    """In a long conversation, the place of the first line of each passage by its name."""


def conversations(model: str) -> list[Conversation]:
    """Return all conversations by name, the long ones at the end.

    The `model` decides into which parts the product splits a long one, and so where its seams are.
    """
    short = [_short(path) for path in sorted((FOLDER / "conversations").glob("*.json"))]
    return [*short, *(_long(path, model) for path in sorted((FOLDER / "long").glob("*.json")))]


def _short(path: Path) -> Conversation:
    given = json.loads(path.read_text())
    return Conversation(
        path.stem,
        given["language"],
        [_line(number, **line) for number, line in enumerate(given["lines"])],
        _gold(given["gold"]),
        [Injection(**injection) for injection in given.get("injections", [])],
    )


def _line(number: int, speaker: str, text: str, start_ms: int) -> Line:
    return Line(f"line-{number}", speaker, text, start_ms)


def _gold(given: Mapping[str, Sequence[Mapping[str, Any]]], offset: int = 0) -> dict[str, list[Gold]]:
    return {kind: [Gold.from_map(entry, offset) for entry in entries] for kind, entries in given.items()}


def _long(path: Path, model: str) -> Conversation:
    """Make a long conversation. The same recipe and model always make the same one."""
    recipe = json.loads(path.read_text())
    lines, planted, seam = _filler(recipe), dict[str, int](), 0
    gold: dict[str, list[Gold]] = {}
    # Passages at seams come last: the others move the seams a little.
    for passage in sorted(recipe["passages"], key=lambda passage: passage["at"] == SEAM):
        at, said = passage["at"], passage["lines"]
        if at == SEAM:
            first = seam = next(line - 1 for line in _seams(lines, model) if line - 1 > seam + len(said))
        else:
            first = round(at * (len(lines) - len(said)))
        planted[passage["name"]] = first
        for number, line in enumerate(said, start=first):
            lines[number] = replace(lines[number], speaker=line["speaker"], text=line["text"])
        for kind, entries in _gold(passage["gold"], first).items():
            gold.setdefault(kind, []).extend(entries)
    return Conversation(path.stem, recipe["language"], lines, gold, planted=planted)


def _filler(recipe: Mapping[str, Any]) -> list[Line]:
    draw = random.Random(recipe["seed"])  # noqa: S311 - the same lines in each run
    speakers = itertools.cycle(recipe["speakers"])
    return [
        _line(
            number,
            next(speakers),
            " ".join(draw.choice(phrases) for phrases in recipe["phrases"]),
            number * _MS_OF_LINE,
        )
        for number in range(recipe["count"])
    ]


def _seams(lines: Sequence[Line], model: str) -> list[int]:
    """Where the product begins a new part of these lines: the place of the first line after each end of a part."""
    parts = begin(lines, Brief(model, kinds=("title",))).tasks
    return [part.end for part in parts[:-1]]
