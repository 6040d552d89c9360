"""A provider that takes nothing for hours while recordings come all the time: all are done afterwards, untouched."""

from functools import partial
from typing import Any

import pytest

from recording_insights.store.turns import TurnStore
from tests.conformance.conftest import Travel
from tests.conformance.journey import Journey
from tests.conformance.test_counts import CALLS_BACK, POLLED, mp4
from tests.conformance.test_faults import calls_until_accepted

HOUR, EVERY = 3600, 600
MOST_TRANSITIONS, MEAN_TRANSITIONS = 30, 18
"""Of one recording, and on average, however long the provider takes nothing. Eight are without an outage."""
FAULTS: dict[str, dict[str, Any]] = {
    "away": {"status": 503},
    "drops": {"drop_connection": True},
    "out of credit": {"status": 402},
    "the key is wrong": {"status": 401},
}


def outage(journey: Journey, fault: dict[str, Any], hours: float) -> int:
    """A file by hand comes every ten minutes, from an hour before the outage to an hour after it. Return how many."""
    number = 0
    for moment in range(0, int((hours + 2) * HOUR), EVERY):
        journey.at(moment, partial(journey.arrive, f"uploads/{number}.mp4", mp4(number)))
        number += 1
    fails = [{"call": call, "times": 1_000_000, **fault} for call in calls_until_accepted(journey)]
    journey.at(HOUR - 1, partial(journey.dials, fail_next=fails))
    journey.at((hours + 1) * HOUR - 1, partial(journey.dials, fail_next=[]))
    journey.go()
    return number


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("provider", "fault", "hours"),
    [
        (POLLED, "away", 3),
        pytest.param(POLLED, "away", 24, marks=pytest.mark.matrix),
        pytest.param(CALLS_BACK, "away", 24, marks=pytest.mark.matrix),
        pytest.param(CALLS_BACK, "drops", 6, marks=pytest.mark.matrix),
        pytest.param(POLLED, "out of credit", 8, marks=pytest.mark.matrix),
        pytest.param(CALLS_BACK, "out of credit", 8, marks=pytest.mark.matrix),
        pytest.param(POLLED, "the key is wrong", 10, marks=pytest.mark.matrix),
        pytest.param(CALLS_BACK, "the key is wrong", 10, marks=pytest.mark.matrix),
    ],
)
def test_all_are_done_afterwards_and_each_is_paid_for_once(
    travel: Travel, provider: str, fault: str, hours: float
) -> None:
    journey = travel(provider, slots=50)
    number = outage(journey, FAULTS[fault], hours)

    statuses = [row["status"] for row in journey.store.recordings.newest(None, number + 1)]
    assert statuses == ["done"] * number
    assert journey.paid == number
    transitions = [row["transitions"] for row in journey.media_rows()]
    assert max(transitions) <= MOST_TRANSITIONS
    assert sum(transitions) <= MEAN_TRANSITIONS * number
    standing = TurnStore(journey.table, journey.clock.now).read(provider)
    assert standing.health is None
    assert len(standing.free(50, journey.clock.now().timestamp())) == 50
