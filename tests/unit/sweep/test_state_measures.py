"""What a sweep measures of open recordings and of providers, and of what it made good."""

from typing import Any

import pytest

from recording_insights.store.recordings import RecordingStore
from recording_insights.sweep.state_measures import measure_found, measure_state
from tests.unit.measured import measured
from tests.unit.processing.test_turns import Place, media


def test_slots_queue_and_health_of_each_provider(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place()
    for number in (1, 2, 3):
        place.comes(media(number))
    recordings = RecordingStore(place.table, place.clock.now)
    measure_state(["symbl"], recordings=recordings, turns=place.store)
    first = measured(capsys.readouterr().out)
    place.fails(media(1))
    measure_state(["symbl"], recordings=recordings, turns=place.store)

    of_symbl = {name: value for name, value, dimensions in first if dimensions == {"provider": "symbl"}}
    assert of_symbl == {"SlotsUsed": 2, "QueueLength": 1, "ProviderClosed": 0}
    assert ("ProviderClosed", 1, {"provider": "symbl"}) in measured(capsys.readouterr().out)


def test_only_what_was_lost_before_counts_as_made_good(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Any = {"media": {"admitted": 2, "left_alone": 5}, "rows": {"ended": 1, "unfinished": 3}, "unfinished": []}
    measure_found(counts)
    assert measured(capsys.readouterr().out) == [
        ("SweepFound", 2, {"step": "media"}),
        ("SweepFound", 0, {"step": "rows"}),
    ]
