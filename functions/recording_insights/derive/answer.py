"""Reads what a model answers: JSON, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recording_insights.bounded import parse_bounded
from recording_insights.derive.prompt import ANSWER

LONGEST_ANSWER = 400_000
"""In characters. No model is let write a tenth of it: what is longer is no answer to what was asked."""

Fault = Literal["cut", "filtered", "unreadable"]
"""Why an answer is none: it ends in the middle, something kept it back, or it is no JSON object."""

_CUT = frozenset({"max_tokens", "model_context_window_exceeded"})
_FILTERED = frozenset({"content_filtered", "guardrail_intervened", "refusal"})


@dataclass(frozen=True)
class Read:
    """What was read: `value` or `fault`, and the tokens that the model counts."""

    value: Mapping[str, Any] | None
    fault: Fault | None
    tokens_in: int
    tokens_out: int


def read_answer(reply: Mapping[str, Any]) -> Read:
    """Read an answer of Converse."""
    value, fault = _value_of(reply)
    usage = reply.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    return Read(value, fault, _count(usage.get("inputTokens")), _count(usage.get("outputTokens")))


def _value_of(reply: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Fault | None]:
    reason = reply.get("stopReason")
    if reason in _CUT:
        return None, "cut"
    if reason in _FILTERED:
        return None, "filtered"
    value = _given_to_tool(blocks := _blocks(reply)) or _json_of(_text(blocks))
    return (value, None) if value is not None else (None, "unreadable")


def _blocks(reply: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        content = reply["output"]["message"]["content"]
    except (KeyError, TypeError):
        return []
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _given_to_tool(blocks: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    uses = [block["toolUse"] for block in blocks if isinstance(block.get("toolUse"), Mapping)]
    given = next((use.get("input") for use in uses if use.get("name") == ANSWER), None)
    return given if isinstance(given, Mapping) and len(str(given)) <= LONGEST_ANSWER else None


def _text(blocks: list[Mapping[str, Any]]) -> str:
    """The text that is meant for the reader: what a model says to itself is in blocks of another kind."""
    return "".join(block["text"] for block in blocks if isinstance(block.get("text"), str))


def _json_of(text: str) -> Mapping[str, Any] | None:
    """The object in a text. Words around it are left out: some models cannot do without."""
    first, last = text.find("{"), text.rfind("}")
    if not 0 <= first < last or last - first > LONGEST_ANSWER:
        return None
    try:
        value = parse_bounded(text[first : last + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
