"""The ways in which a workflow learns that a job is over, and a provider that stands for each of them."""

from collections.abc import Iterable
from typing import Literal

import pytest
from _pytest.mark.structures import ParameterSet

from recording_insights.providers.registry import capabilities_of

Way = Literal["AWS event", "delivery", "callback", "poll"]


def way_of(provider: str) -> Way:
    """How the end of this provider's jobs becomes known, by its capabilities."""
    capabilities = capabilities_of(provider)
    if capabilities.aws_service:
        return "AWS event"
    if capabilities.result_by == "delivery":
        return "delivery"
    return "poll" if capabilities.callback == "none" else "callback"


def one_of_each_way(providers: Iterable[str]) -> list[ParameterSet]:
    """These providers as parameters: the first of each way in every run, the others only in `make test-all`."""
    parameters: list[ParameterSet] = []
    met: set[Way] = set()
    for provider in providers:
        way = way_of(provider)
        parameters.append(pytest.param(provider, id=provider, marks=[pytest.mark.matrix] if way in met else []))
        met.add(way)
    return parameters
