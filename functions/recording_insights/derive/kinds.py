"""The kinds of statements: what the prompt asks for, and the form in which the answer has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recording_insights.model.derived import KINDS


@dataclass(frozen=True)
class Kind:
    """A kind of statement.

    `text` names the member of the answer that has the text, of `longest` characters at most. `more` are members that a
    statement may have beside it. An answer has `most` statements; the only one of a title is no list.
    """

    asks: str
    longest: int
    most: int
    text: str = "text"
    more: tuple[str, ...] = ()

    @property
    def is_one(self) -> bool:
        """Whether an answer has one statement instead of a list."""
        return self.most == 1


_WHO_AND_WHEN = ("assignee", "due")
_OF_KIND: Mapping[str, Kind] = {
    "title": Kind("a title of the whole, 3 to 8 words", 200, 1),
    "short_summary": Kind("the whole in 1 or 2 sentences, one entry for each sentence", 4000, 3),
    "summary": Kind("the whole in 3 to 8 sentences in order, one entry for each sentence", 8000, 12),
    "topics": Kind("up to 8 subjects that were talked about, 1 to 4 words each", 100, 20),
    "chapters": Kind(
        "the parts in order, each with a heading of 2 to 8 words and the id of the line with which it begins",
        200,
        30,
        text="title",
    ),
    "action_items": Kind(
        "each task that somebody takes on or is given, with assignee (who does it) and due (until when) if they are "
        "said, in the words of the lines",
        1000,
        60,
        more=_WHO_AND_WHEN,
    ),
    "questions": Kind(
        "each question that is asked about a matter, with its answer if one is given", 1000, 60, more=("answer",)
    ),
    "follow_ups": Kind(
        "each point to talk about again, or that stays open, with assignee and due if they are said",
        1000,
        60,
        more=_WHO_AND_WHEN,
    ),
    "decisions": Kind("each decision that is made", 1000, 60),
}
_DESCRIPTIONS = {
    "evidence": "ids of the lines that prove it",
    "assignee": "who does it, a name from the lines",
    "due": "until when, as it was said",
    "answer": "the answer that was given",
}
LONGEST_MEMBER = {"assignee": 100, "due": 100, "answer": 2000}
"""In characters, the members beside the text."""


def kind_of(name: str) -> Kind:
    """Return a kind by its name."""
    return _OF_KIND[name]


def asked(kinds: Iterable[str]) -> str:
    """Return the part of a prompt that asks for kinds."""
    return "\n".join(f"* {kind}: {_OF_KIND[kind].asks}." for kind in KINDS if kind in set(kinds))


def schema_of(kinds: Iterable[str]) -> dict[str, Any]:
    """Return the JSON schema of an answer with these kinds: closed, and of the keywords that every model takes.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html ("Schema validation")
    """
    wanted = [kind for kind in KINDS if kind in set(kinds)]
    return _object({kind: _schema(_OF_KIND[kind]) for kind in wanted}, wanted)


def _schema(kind: Kind) -> dict[str, Any]:
    members: dict[str, Any] = {
        kind.text: {"type": "string"},
        "evidence": {"type": "array", "items": {"type": "string"}, "description": _DESCRIPTIONS["evidence"]},
    }
    required = list(members)
    members |= {name: {"type": "string", "description": _DESCRIPTIONS[name]} for name in kind.more}
    statement = _object(members, required)
    return statement if kind.is_one else {"type": "array", "items": statement}


def _object(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": required, "additionalProperties": False}
