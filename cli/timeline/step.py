"""A step of something that runs, and what a list of them says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

State = Literal["running", "done", "failed"]


@dataclass
class Step:
    """One line of the display.

    `seconds` is the time spent in the step so far, `times` how often it was entered. `of` names what the step belongs
    to. It is shown where steps of several things are side by side.
    """

    name: str
    state: State
    seconds: float = 0.0
    detail: str = ""
    times: int = 1
    of: str = ""


Identity = tuple[str, str, int]
"""What a step belongs to, its name, and which of the steps with this name it is, from 0."""


def identified(steps: Sequence[Step]) -> Iterator[tuple[Identity, Step]]:
    """Yield each step with its identity, which stays the same while the step changes."""
    seen: Counter[tuple[str, str]] = Counter()
    for step in steps:
        named = (step.of, step.name)
        yield (*named, seen[named]), step
        seen[named] += 1


def folded(steps: Sequence[Step]) -> list[Step]:
    """Merge steps of the same name to one line: the last one's state and detail, the seconds and times of all."""
    lines: dict[tuple[str, str], Step] = {}
    for step in steps:
        before = lines.get((step.of, step.name))
        if before:
            step = replace(step, seconds=before.seconds + step.seconds, times=before.times + step.times)
        lines[step.of, step.name] = step
    return list(lines.values())
