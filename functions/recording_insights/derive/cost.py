"""What the calls of a model cost, before and after."""

from collections.abc import Iterable, Sequence

from recording_insights.derive.brief import Brief
from recording_insights.derive.models import foundation_model, is_of_geography
from recording_insights.derive.prompt import rules
from recording_insights.derive.split import tokens_of
from recording_insights.model.derived import SINGLE
from recording_insights.model.prices import MODELS

_ANSWERED = {"title": 60, "short_summary": 150, "summary": 500, "topics": 300, "questions": 800, "action_items": 800}
_ANSWERED_OTHERS = 400
"""Tokens of a kind in the answer about a full part: more than most have."""
_SUMMARY_TOKENS = 600
_CENTS = 100
_MILLION = 1_000_000


def price_of(brief: Brief) -> tuple[float, float] | None:
    """Return US dollars for a million tokens, in and out; None if the price of the model is not known."""
    if brief.price:
        return brief.price
    name = foundation_model(brief.model)
    price = MODELS.get(name)
    if price is None:
        return None
    factor = price.geography if is_of_geography(brief.model) else 1
    return price.tokens_in.of(_MILLION) * factor, price.tokens_out.of(_MILLION) * factor


def cents_of(brief: Brief, tokens_in: int, tokens_out: int) -> float | None:
    """Return US cents for tokens; None if the price of the model is not known."""
    price = price_of(brief)
    return None if price is None else (tokens_in * price[0] + tokens_out * price[1]) * _CENTS / _MILLION


def cents_of_call(brief: Brief, kinds: Sequence[str], tokens: int) -> float | None:
    """Estimate the US cents of a call that asks for these kinds in so many tokens of lines."""
    return cents_of(brief, tokens + tokens_of(rules(kinds, brief, "plain")), _answered(kinds))


def cents_of_all(brief: Brief, kinds: Sequence[str], parts: Sequence[int]) -> float | None:
    """Estimate the US cents of all calls for these kinds. `parts` are the tokens of each part of the conversation."""
    singles = [kind for kind in kinds if kind in SINGLE]
    if len(parts) < 2 or not singles:
        return _sum(cents_of_call(brief, kinds, tokens) for tokens in parts)
    of_part = [*(kind for kind in kinds if kind not in SINGLE), "summary"]
    reads = _sum(cents_of_call(brief, of_part, tokens) for tokens in parts)
    return _sum((reads, cents_of_call(brief, singles, _SUMMARY_TOKENS * len(parts))))


def _answered(kinds: Iterable[str]) -> int:
    return sum(_ANSWERED.get(kind, _ANSWERED_OTHERS) for kind in kinds)


def _sum(cents: Iterable[float | None]) -> float | None:
    total = 0.0
    for some in cents:
        if some is None:
            return None
        total += some
    return total
