"""Derives the insights of a conversation by the steps that the deployed function takes."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.insights.conversations import Conversation
from benchmarks.insights.endpoints import Endpoint
from recording_insights.derive.answer import read_answer
from recording_insights.derive.brief import Brief
from recording_insights.derive.model import Model
from recording_insights.derive.progress import Progress
from recording_insights.derive.steps import advance, begin, result
from recording_insights.errors import ProviderBusy, ProviderUnavailable
from recording_insights.model.derived import Derived


@dataclass
class Outcome:
    """What was derived, the texts of all answers by kind, and the system prompts that the model was given."""

    derived: Derived
    written: Mapping[str, Sequence[str]]
    prompts: frozenset[str]


@dataclass
class _Noted:
    """Notes the system prompts on their way to a model, and what it writes."""

    model: Model
    prompts: set[str] = field(default_factory=set)
    written: dict[str, list[str]] = field(default_factory=dict)

    def converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.prompts |= {block["text"] for block in request["system"]}
        reply = self.model.converse(request)
        for kind, entries in (read_answer(reply).value or {}).items():
            given = entries if isinstance(entries, list) else [entries]
            texts = [entry.get("text", entry.get("title")) for entry in given if isinstance(entry, dict)]
            self.written.setdefault(kind, []).extend(text for text in texts if text and isinstance(text, str))
        return reply


def derive(
    conversation: Conversation, brief: Brief, asked: Endpoint, sleep: Callable[[float], None] = time.sleep
) -> Outcome:
    """Derive all that is chosen for. A call that was throttled is made again after the pauses of the endpoint.

    Raises:
        ProviderBusy, ProviderUnavailable: the model does not answer for so long.
        ModelUnusable: it cannot be asked at all.
    """
    noted = _Noted(asked.model)
    progress = begin(conversation.lines, brief)
    pauses = iter(asked.pauses)
    while not progress.is_over:
        try:
            progress = advance(progress, conversation.lines, brief, noted)[0]
        except (ProviderBusy, ProviderUnavailable):
            if (seconds := next(pauses, None)) is None:
                raise
            sleep(seconds)
            continue
        pauses = iter(asked.pauses)
        # Between two steps the deployed function keeps the progress as JSON.
        progress = Progress.from_map(json.loads(json.dumps(progress.to_map())))
    return Outcome(result(progress, conversation.lines, brief), noted.written, frozenset(noted.prompts))
