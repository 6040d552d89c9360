"""What recordings cost, summed up from what the API says of each: by provider, by day, and for an hour of media."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SURE = {
    "aws": "counted: the transitions and calls of the media objects, at list price",
    "provider": "computed: the length of the media of each job, at list price",
    "model": "reported: the tokens that the model counted, at list price",
}
"""How sure each part of a cost is."""
UNKNOWN = {
    "aws": "not known: an earlier version of the stack began it and counted nothing",
    "provider": "not known: the provider's price, or the length of the media",
    "model": "not known: the price of the model",
}
DIGITS = 6


@dataclass
class Sum:
    """Dollars of `known` amounts; `unknown` counts the amounts that are not known and therefore not in it."""

    dollars: float = 0.0
    known: int = 0
    unknown: int = 0

    def add(self, amount: float | None) -> None:
        """Add an amount of dollars; None is one that is not known."""
        if amount is None:
            self.unknown += 1
        else:
            self.known += 1
            self.dollars = round(self.dollars + amount, DIGITS)

    @property
    def amount(self) -> float | None:
        """The dollars; None if every amount is unknown."""
        return None if self.unknown and not self.known else self.dollars


@dataclass
class Group:
    """What belongs together. `hours` is the length of the media whose length is known.

    `unknown_lengths` counts the others. The provider's part and its hours are those of media objects, the model's of
    recordings.
    """

    name: str
    recordings: int = 0
    media: int = 0
    hours: float = 0.0
    unknown_lengths: int = 0
    aws: Sum = field(default_factory=Sum)
    provider: Sum = field(default_factory=Sum)
    model: Sum = field(default_factory=Sum)

    def add(self, media: Mapping[str, Any]) -> None:
        """Add a media object as the API shows it."""
        cost = media.get("cost") or {}
        self.media += 1
        self.aws.add(cost.get("aws"))
        self.provider.add(cost.get("provider"))
        length = media.get("duration_ms")
        if isinstance(length, int | float):
            self.hours = round(self.hours + length / 3_600_000, DIGITS)
        else:
            self.unknown_lengths += 1

    @property
    def total(self) -> float:
        """Dollars of all that is known."""
        return round(self.aws.dollars + self.provider.dollars + self.model.dollars, DIGITS)

    @property
    def has_unknown(self) -> bool:
        return bool(self.aws.unknown or self.provider.unknown or self.model.unknown)

    @property
    def per_hour(self) -> float | None:
        """Dollars for an hour of media; None if a part of the cost or a length is not known."""
        if self.has_unknown or self.unknown_lengths or not self.hours:
            return None
        return round(self.total / self.hours, DIGITS)

    @property
    def data(self) -> dict[str, Any]:
        """The group as JSON: dollars that are null if nothing is known, and how many amounts are unknown."""
        parts = {name: getattr(self, name) for name in ("aws", "provider", "model")}
        plain = {name: value for name, value in asdict(self).items() if name not in parts}
        return {
            **plain,
            **{name: part.amount for name, part in parts.items()},
            "unknown": {name: part.unknown for name, part in parts.items() if part.unknown},
            "total_known": self.total,
            "per_hour": self.per_hour,
        }


@dataclass
class Costs:
    """The sums of many recordings: of all, by provider and by day. `without_price` are providers of unknown amounts."""

    all: Group = field(default_factory=lambda: Group("all"))
    by_provider: dict[str, Group] = field(default_factory=dict)
    by_day: dict[str, Group] = field(default_factory=dict)
    without_price: set[str] = field(default_factory=set)
    gone: int = 0

    @classmethod
    def of(cls, recordings: Iterable[Mapping[str, Any] | None]) -> "Costs":
        """Sum up recordings as GET /recordings/{recording_id} returns them; None is one that was erased meanwhile."""
        costs = cls()
        for recording in recordings:
            costs.add(recording)
        return costs

    def add(self, recording: Mapping[str, Any] | None) -> None:
        """Add a recording."""
        if recording is None:
            self.gone += 1
            return
        name = str(recording["created_at"])[:10]
        day = self.by_day.setdefault(name, Group(name))
        providers = []
        for media in recording["media"]:
            at = provider_of(media)
            group = self.by_provider.setdefault(at, Group(at))
            providers.append(group)
            for each in (self.all, day, group):
                each.add(media)
            if (media.get("cost") or {}).get("provider") is None:
                self.without_price.add(at)
        for each in {id(group): group for group in (self.all, day, *providers)}.values():
            each.recordings += 1
        for each in (self.all, day):
            each.model.add((recording.get("cost") or {}).get("model"))

    @property
    def data(self) -> dict[str, Any]:
        """The sums as JSON."""
        return {
            "currency": "USD",
            "all": self.all.data,
            "by_provider": [self.by_provider[name].data for name in sorted(self.by_provider)],
            "by_day": [self.by_day[name].data for name in sorted(self.by_day)],
            "unknown_at": sorted(self.without_price),
            "erased_meanwhile": self.gone,
        }


def provider_of(media: Mapping[str, Any]) -> str:
    """Return the provider of a media object, or all that had a job of it: their costs are known together only."""
    tries = [each for each in media.get("tries", ()) if "submitted_at" in each]
    names = [str(each["provider"]) for each in (*tries, media) if each.get("provider")]
    return " + ".join(dict.fromkeys(names)) or "none"


def parts_of(cost: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a recording's cost: `part`, `dollars` or None, and how `sure` it is."""
    return [
        {"part": name, "dollars": cost.get(name), "sure": (SURE if cost.get(name) is not None else UNKNOWN)[name]}
        for name in SURE
    ]
