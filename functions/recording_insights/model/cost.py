"""What a recording costs: list prices times the counts that its media objects' rows have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recording_insights.model.prices import CALL, PROVIDERS, TRANSITION, Price
from recording_insights.model.tries import number_of_try
from recording_insights.store.rows import DerivedRow, MediaRow, TryRow

LEAVES_OUT = (
    "the time of functions",
    "reads and writes of DynamoDB, S3 and Secrets Manager",
    "API Gateway, EventBridge, SQS, storage and logs",
    "the watch of the recorder, requests to the API, and Agora",
    "the events of a track's playlist but the first",
    "retries after faults of AWS, and calls that changed nothing",
    "what a model derived before the last time",
    "options of a provider at an extra price, its discounts, and what it does not charge for a job that failed",
)
"""What no cost includes. The page docs/cost.md says more."""
_DIGITS = 6


@dataclass(frozen=True)
class MediaCost:
    """The counts of one media object; `transitions` and `calls` are None in rows of earlier versions.

    `paid` has the provider and the seconds of audio of each job that was paid for; None if they are not known.
    """

    transitions: int | None
    calls: int | None
    paid: Sequence[tuple[str, float | None]]

    @classmethod
    def of(cls, row: MediaRow, tries: Iterable[TryRow]) -> "MediaCost":
        """Count for a media object with its earlier tries."""
        if "other_calls" not in row:
            return cls(None, None, tuple(_paid(row, tries)))
        transitions = _number_in(row, "transitions", "transitions_before")
        calls = _number_in(row, "calls", "calls_before", "other_calls")
        return cls(transitions, calls, tuple(_paid(row, tries)))

    @classmethod
    def of_try(cls, row: MediaRow) -> "MediaCost":
        """Count for the present try alone: what each try costs at its end adds up to what its media object costs.

        The executions before that of a retry belong to the tries before it.
        """
        if number_of_try(row) == 0 or "other_calls" not in row:
            return cls.of(row, ())
        return cls(_number_in(row, "transitions"), _number_in(row, "calls"), tuple(_paid(row, ())))

    @property
    def known(self) -> float:
        """Dollars for AWS and the providers, without what is not known."""
        return (self.aws or 0) + (self.provider or 0)

    @property
    def aws(self) -> float | None:
        """Dollars for AWS."""
        if self.transitions is None or self.calls is None:
            return None
        return TRANSITION.of(self.transitions) + CALL.of(self.calls)

    @property
    def provider(self) -> float | None:
        """Dollars for the providers; None if a price or a length is not known."""
        return _sum(_dollars(name, seconds) for name, seconds in self.paid)

    @property
    def seconds(self) -> float | None:
        """Seconds of audio that providers were paid for."""
        return _sum(seconds for _, seconds in self.paid)

    def public(self) -> dict[str, Any]:
        """Return the cost and the counts as the API shows them for a media object."""
        return {
            "aws": _rounded(self.aws),
            "provider": _rounded(self.provider),
            "transitions": self.transitions,
            "calls": self.calls,
            "provider_seconds": None if self.seconds is None else round(self.seconds, 3),
        }


def cost_of_recording(costs: Sequence[MediaCost], derived: DerivedRow | None = None) -> dict[str, Any]:
    """Return the cost of a recording as the API shows it: that of its media objects, and what it leaves out.

    `derived` says what a model was asked when insights were derived the last time.
    """
    used = [TRANSITION, CALL, *(price for cost in costs for name, _ in cost.paid if (price := _price_of(name)))]
    return {
        "currency": "USD",
        "aws": _rounded(_sum(cost.aws for cost in costs)),
        "provider": _rounded(_sum(cost.provider for cost in costs)),
        "model": _rounded(_dollars_of_model(derived)),
        "prices_of": min(price.as_of for price in used),
        "leaves_out": list(LEAVES_OUT),
    }


def _dollars_of_model(derived: DerivedRow | None) -> float | None:
    """Return what the calls of the model cost; 0 without calls, None if the price is not known."""
    if derived is None or not derived.get("calls"):
        return 0.0
    cents = derived.get("cents")
    return cents / 100 if isinstance(cents, int | float) else None


def _paid(row: MediaRow, tries: Iterable[TryRow]) -> Iterator[tuple[str, float | None]]:
    """Yield provider and seconds of each job that a provider accepted. A job that a later try took over counts once."""
    for each in tries:
        if "submitted_at" in each and each.get("job_number", each["number"]) == each["number"]:
            yield each["provider"], _seconds(each.get("paid_ms"))
    for given_up in row.get("given_up", ()):
        yield given_up["provider"], None  # earlier versions did not keep whether it was accepted
    number = number_of_try(row)
    # A row whose last try failed may show an earlier one, which is among the tries.
    is_present = row.get("status") != "done" or row.get("shown_try", number) == number
    if is_present and "submitted_at" in row and row.get("job_number", number) == number:
        yield row["provider"], _seconds(row.get("duration_ms"))


def _number_in(row: Mapping[str, Any], *names: str) -> int | None:
    """Return the sum of attributes; None if somebody has changed one by hand into something else."""
    values = [row.get(name, 0) for name in names]
    return sum(values) if all(isinstance(value, int) for value in values) else None


def _seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, int) else None


def _price_of(provider: str) -> Price | None:
    return PROVIDERS.get(provider)


def _dollars(provider: str, seconds: float | None) -> float | None:
    price = _price_of(provider)
    return None if price is None or seconds is None else price.of(seconds)


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum, or None if one of the values is not known."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _rounded(dollars: float | None) -> float | None:
    return None if dollars is None else round(dollars, _DIGITS)
