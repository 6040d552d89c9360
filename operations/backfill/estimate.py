"""What a backfill costs and how long it takes: lengths times list prices, and the usual paces of the providers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.backfill.plan import Item
from recording_insights.model.prices import CALL, PROVIDERS, TRANSITION
from recording_insights.providers.registry import capabilities_of

AWS_OF_EACH = TRANSITION.of(11) + CALL.of(7)
"""Dollars for a file by hand that is converted, with a callback: docs/cost.md counts them."""
WITHOUT_SLOTS = 10
"""Media objects under way at a provider that has no slots."""


@dataclass(frozen=True)
class Share:
    """What one provider gets. `hours` and `dollars` are those of the media whose length is known.

    `dollars` is None if the provider's price is not known. `unknown_lengths` counts the media objects that may cost
    more. `seconds` is how long it takes with `at_once` jobs, None if the stage does not have the provider.
    """

    provider: str
    number: int
    hours: float
    unknown_lengths: int
    dollars: float | None
    prices_of: str | None
    at_once: int
    seconds: float | None


@dataclass(frozen=True)
class Estimate:
    """What is new, by provider, and the dollars of AWS at list prices."""

    number: int
    shares: Sequence[Share]
    aws: float

    @property
    def hours(self) -> float:
        return sum(share.hours for share in self.shares)

    @property
    def unknown_lengths(self) -> int:
        return sum(share.unknown_lengths for share in self.shares)

    @property
    def sentence(self) -> str:
        """Say it in one line, and what is not known of it."""
        objects = "1 media object" if self.number == 1 else f"{self.number} media objects"
        unknown = f", {self.unknown_lengths} more of unknown length" if self.unknown_lengths else ""
        parts = [f"Take in {objects}: {lasting(3600 * self.hours)} of media{unknown}."]
        parts += [_of_share(share) for share in self.shares]
        return " ".join([*parts, f"AWS costs about {dollars(self.aws)}."])


def estimate(items: Sequence[Item], standings: Mapping[str, Mapping[str, Any]], *, at_once: int | None) -> Estimate:
    """Estimate what is new. `standings` are the providers of the stage by name, as the API lists them."""
    by_provider: dict[str, list[Item]] = {}
    for item in items:
        by_provider.setdefault(item.provider, []).append(item)
    shares = [_share(name, of_one, standings.get(name), at_once) for name, of_one in by_provider.items()]
    return Estimate(len(items), shares, round(len(items) * AWS_OF_EACH, 6))


def _share(name: str, items: Sequence[Item], standing: Mapping[str, Any] | None, at_once: int | None) -> Share:
    lengths = [item.duration_ms for item in items if item.duration_ms is not None]
    seconds, price = sum(lengths) / 1000, PROVIDERS.get(name)
    slots = at_once or (standing or {}).get("slots") or WITHOUT_SLOTS
    pace = capabilities_of(name).pace if standing else None
    return Share(
        provider=name,
        number=len(items),
        hours=round(seconds / 3600, 4),
        unknown_lengths=len(items) - len(lengths),
        dollars=None if price is None else round(price.of(seconds), 6),
        prices_of=price.as_of if price else None,
        at_once=slots,
        seconds=None if pace is None else round(_makespan([pace.seconds_for(i.duration_ms) for i in items], slots)),
    )


def _makespan(seconds: Sequence[float], slots: int) -> float:
    """Return how long jobs take that run side by side: no less than the longest of them."""
    return max(sum(seconds) / slots, max(seconds))


def _of_share(share: Share) -> str:
    if share.dollars is None:
        price = "its price is not known"
    else:
        least = "at least " if share.unknown_lengths else ""
        price = f"{least}{dollars(share.dollars)} at list price of {share.prices_of}"
    takes = "" if share.seconds is None else f", about {lasting(share.seconds)} with {share.at_once} at once"
    return f"Provider {share.provider} gets {share.number}: {price}{takes}."


def dollars(amount: float) -> str:
    """Say an amount of US dollars, with the digits that it needs."""
    return f"${amount:,.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.4f}"


def lasting(seconds: float) -> str:
    """Say how long something takes, in the unit that fits."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
