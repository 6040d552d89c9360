"""What is to be derived from a conversation, by which model, and for how much."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recording_insights.model.derived import KINDS


@dataclass(frozen=True)
class Brief:
    """What is wanted of a conversation.

    `model` is the id or the ARN of a model or an inference profile. `language` is a BCP 47 tag; None: the language of
    the conversation. `prompt` is the operator's own instruction. `max_cents` bounds the list price in US cents, if the
    price is known. `guardrail` is `id:version`. `price` is in US dollars for a million tokens, in and out; None: that
    of the table.
    """

    model: str
    kinds: Sequence[str]
    language: str | None = None
    prompt: str = ""
    max_cents: float | None = None
    guardrail: str | None = None
    price: tuple[float, float] | None = None


def default_kinds(providers: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds that not all of these providers return by themselves, in the order of `KINDS`.

    Without any provider these are all kinds.
    """
    from recording_insights.providers.registry import PROVIDERS

    known = [PROVIDERS[name].finds for name in set(providers) if name in PROVIDERS]
    found = frozenset.intersection(*known) if known else frozenset()
    return tuple(kind for kind in KINDS if kind not in found)
