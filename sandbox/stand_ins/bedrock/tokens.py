"""The tokens of a text: a quarter of its characters, rounded up.

That is the vendors' rule of thumb for English. Real models count otherwise, most of all other scripts.
"""

import json
from collections.abc import Mapping
from typing import Any

CHARACTERS_PER_TOKEN = 4


def tokens_of(text: str) -> int:
    """Return the tokens of a text."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def input_tokens(request: Mapping[str, Any]) -> int:
    """Return the tokens of a Converse request: system, messages, tools and output schema."""
    texts = [block.get("text", "") for block in request.get("system") or []]
    for message in request.get("messages") or []:
        for block in message["content"]:
            texts.append(block["text"] if "text" in block else json.dumps(block))
    for part in ("toolConfig", "outputConfig"):
        if part in request:
            texts.append(json.dumps(request[part]))
    return sum(tokens_of(text) for text in texts)
