"""Each price has a date and a source, and each provider a price or an explicit "not known"."""

from datetime import UTC, date, datetime

import pytest

from recording_insights.model.prices import AWS, CALL, PROVIDERS, TRANSITION, Price
from recording_insights.providers.registry import PROVIDERS as REGISTRY


@pytest.mark.parametrize("price", [*AWS.values(), *filter(None, PROVIDERS.values())])
def test_a_price_has_a_date_and_a_source(price: Price) -> None:
    assert date(2026, 1, 1) <= date.fromisoformat(price.as_of) <= datetime.now(UTC).date()
    assert price.source.startswith("https://")
    assert price.dollars > 0


def test_every_provider_has_a_price_or_says_that_it_is_not_known() -> None:
    assert set(PROVIDERS) == set(REGISTRY)


def test_a_price_is_per_unit() -> None:
    assert TRANSITION.of(7) == pytest.approx(0.000175)
    assert CALL.of(5) == pytest.approx(0.000001)
    assemblyai = PROVIDERS["assemblyai"]
    assert assemblyai
    assert assemblyai.of(3600) == pytest.approx(0.21)
