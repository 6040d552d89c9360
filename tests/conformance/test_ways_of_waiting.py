from collections import Counter

from recording_insights.providers.registry import PROVIDERS
from tests.ways_of_waiting import each_provider, representatives, way_of_waiting


def test_every_way_of_waiting_has_one_provider_that_is_always_tested() -> None:
    assert Counter(map(way_of_waiting, representatives())) == Counter({way_of_waiting(name) for name in PROVIDERS})


def test_the_others_are_marked() -> None:
    always = {case.values[0] for case in each_provider(PROVIDERS) if not case.marks}

    assert always == representatives()
