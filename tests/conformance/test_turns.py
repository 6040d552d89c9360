"""Media objects of one moment at a provider that takes one job at a time: they are done one after the other."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from recording_insights.processing.turns import Turns
from recording_insights.store.turns import TurnStore
from routes import stop_recording
from tests.conformance.conftest import Travel
from tests.conformance.counts import Counts
from tests.conformance.journey import CHANNEL, Journey
from tests.conformance.test_counts import CALLS_BACK, POLLED, ended, mp4

TRANSITIONS_OF_A_TURN, CALLS_OF_A_TURN = 3, 1
"""What a media object that waits for its turn may cost more."""


def of_one_moment(journey: Journey, number: int) -> Counts:
    """Record a mix in MP4s that all arrive in the same moment, and return what they cost."""
    row = journey.record()
    for part in range(number):
        key = f"{row['prefix']}{row['sid']}_{CHANNEL}_{part}.mp4"
        journey.at(10, partial(journey.arrive, key, mp4(part)))
    journey.at(20, partial(journey.ask, stop_recording, row["recording_id"]))
    journey.go()
    assert ended(journey, row["recording_id"])["media_counts"] == {"done": number}
    return journey.count("media")


def most_at_once(journey: Journey, patch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Watch how many slots are taken at the end of each call that takes or gives back one."""
    seen = [0]

    def watch(method: str) -> None:
        original = getattr(Turns, method)

        def call(self: Any, *args: Any, **given: Any) -> Any:
            result = original(self, *args, **given)
            slots = self.store.read(journey.name).slots.values()
            seen.append(sum("holder" in slot for slot in slots))
            return result

        patch.setattr(Turns, method, call)

    watch("take")
    watch("give_back")
    return lambda: max(seen)


@pytest.mark.parametrize("number", [2, 6])
@pytest.mark.parametrize("provider", [POLLED, CALLS_BACK])
def test_what_does_not_fit_is_woken_when_a_job_has_ended(
    travel: Travel, monkeypatch: pytest.MonkeyPatch, provider: str, number: int
) -> None:
    journey = travel(provider, slots=1)
    at_once = most_at_once(journey, monkeypatch)

    of_one_moment(journey, number)

    assert (journey.paid, at_once()) == (number, 1)
    if provider == POLLED:
        # By a callback, a job of this process ends before the next media object comes.
        assert journey.entered.count("Await turn") == number - 1
    assert not list(TurnStore(journey.table).waiting(provider))


def test_a_turn_costs_three_transitions_and_one_call(travel: Travel) -> None:
    free = of_one_moment(travel(POLLED, slots=6), 6)
    parked = of_one_moment(travel(POLLED, slots=1), 6)

    assert parked.transitions - free.transitions == 5 * TRANSITIONS_OF_A_TURN
    assert parked.calls - free.calls == 5 * CALLS_OF_A_TURN
