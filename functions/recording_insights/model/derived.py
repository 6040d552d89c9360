"""What a model found in a whole conversation, each statement with the lines that prove it.

It lies beside what the providers found in the media objects, and never replaces it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

BEDROCK = "bedrock"
"""The name of Amazon Bedrock where turns are taken, beside the names of the providers."""
State = Literal["pending", "done", "partial"]
"""Of what is derived from a recording. A recording without a state has nothing derived: it is off."""

SINGLE = ("title", "short_summary", "summary")
"""The kinds that a conversation has once."""
LISTED = ("topics", "chapters", "action_items", "questions", "follow_ups", "decisions")
"""The kinds that a conversation has any number of times."""
KINDS = (*SINGLE, *LISTED)


@dataclass(frozen=True)
class Statement:
    """One statement with its proof.

    `evidence` has the ids of lines as `GET …/insights` gives them, at least one, in the order of the conversation.
    `assignee` and `due` are those of action items and follow-ups, `answer` that of a question, `start_ms` that of a
    chapter: milliseconds from the begin of the recording.
    """

    text: str
    evidence: Sequence[str]
    assignee: str | None = None
    due: str | None = None
    answer: str | None = None
    start_ms: int | None = None

    def to_map(self) -> dict[str, Any]:
        """Return a map of the fields that have a value."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def from_map(cls, values: Mapping[str, Any]) -> Self:
        """Read a map of `to_map`; other keys are ignored."""
        return cls(**{name: value for name, value in values.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Usage:
    """What the calls of the model used. `cents` is in US cents by list prices; None if the model's are not known."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cents: float | None = 0.0


@dataclass(frozen=True)
class Derived:
    """What was derived from a conversation.

    `found` has statements by kind; the kinds of `SINGLE` have one each. `dropped` counts by kind the statements whose
    proof did not hold. `missing` says what was wanted and is not there, each with the reason.
    """

    found: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    missing: Sequence[str] = ()
    usage: Usage = Usage()
