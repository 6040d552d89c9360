"""The words of a conversation, as a request gives them: lines of the form `[id] speaker: text` in the user's messages.

A line may stand for several utterances: `[id, id] speaker: text`. Other lines are instructions if there is one of this
form, else each of them is something that was said, without an id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LINE = re.compile(
    r"\s*\[(?P<ids>[^\]\s,]{1,64}(?:,\s*[^\]\s,]{1,64})*)\]\s*(?:(?P<speaker>[^:\n]{1,80}):(?:\s|$))?(?P<text>.*)"
)


@dataclass(frozen=True)
class Line:
    """What somebody said. `ids` are of the utterances, `speaker` is "" if nobody is named."""

    ids: tuple[str, ...]
    speaker: str
    text: str


def lines_of(request: Mapping[str, Any]) -> list[Line]:
    """Return the lines of all messages of the user."""
    texts = [
        block["text"]
        for message in request.get("messages") or []
        if message["role"] == "user"
        for block in message["content"]
        if "text" in block
    ]
    said = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    found = [match for line in said if (match := _LINE.fullmatch(line))]
    if not found:
        return [Line((), "", line) for line in said]
    return [
        Line(tuple(re.split(r",\s*", match["ids"])), (match["speaker"] or "").strip(), match["text"].strip())
        for match in found
        if match["text"].strip()
    ]


def system_of(request: Mapping[str, Any]) -> str:
    """Return the system prompt."""
    return "\n".join(block["text"] for block in request.get("system") or [] if "text" in block)
