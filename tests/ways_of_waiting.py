"""How the end of a provider's job reaches us. One provider for each way is always tested, the others nightly.

The choice follows from `capabilities`, so a provider with a new way of waiting is always tested.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import pytest

from recording_insights.providers.registry import PROVIDERS, capabilities_of, receives_webhooks

ParameterSet = Any
"""What `pytest.param` returns. Pytest does not export its type."""


def way_of_waiting(provider: str) -> Hashable:
    """Return what differs between ways: polls alone, a webhook, a result that the vendor sends, an event of AWS."""
    capabilities = capabilities_of(provider)
    on_aws = capabilities.aws_service is not None
    return capabilities.callback, capabilities.result_by, receives_webhooks(provider), on_aws


def representatives() -> frozenset[str]:
    """Return the first provider of each way of waiting, in the order of the registry."""
    first: dict[Hashable, str] = {}
    for name in PROVIDERS:
        first.setdefault(way_of_waiting(name), name)
    return frozenset(first.values())


def each(cases: Iterable[tuple[str, ...]], *, always: Callable[..., bool] = lambda *case: True) -> list[ParameterSet]:
    """Return a parameter for each case, which begins with a provider.

    A case has the mark `matrix` unless its provider represents a way of waiting and `always` is true for the case.
    """
    chosen = representatives()
    return [
        pytest.param(*case, marks=() if case[0] in chosen and always(*case) else pytest.mark.matrix) for case in cases
    ]


def each_provider(names: Iterable[str]) -> list[ParameterSet]:
    """Return a parameter for each provider, with the mark `matrix` unless it represents a way of waiting."""
    return each((name,) for name in names)
