"""The step of the sweep that tidies slots, queues and probers."""

from collections.abc import Mapping
from typing import Any

import pytest

from recording_insights.errors import ProviderBusy
from recording_insights.processing.turns import place_of
from recording_insights.store.rows import MediaRow
from recording_insights.sweep.step import Step
from recording_insights.sweep.turns import tidy_turns
from tests.unit.processing.test_turns import UNCONFIRMED, Place, media


@pytest.fixture
def place() -> Place:
    return Place()


def tidy(
    place: Place, *ended: int, changed: Mapping[int, Any] | None = None, seconds: float = 300, **more: Any
) -> Step:
    """Sweep once. Some media objects have ended, and some rows are other than they were."""

    def find(recording_id: str, media_id: str) -> MediaRow | None:
        number = int(media_id, 16)
        if number in gone:
            return None
        row = place.rows.get(f"{number}.mp4", media(number))
        return {**row, **({"status": "failed"} if number in ended else {}), **(changed or {}).get(number, {})}

    gone = more.pop("gone", ())
    providers = more.pop("providers", ["symbl"])
    arguments = {"after": "", "deadline": place.clock.deadline(seconds), **more}
    return tidy_turns(providers, turns=place.turns, find=find, **arguments)


def come(place: Place, *numbers: int) -> None:
    for number in numbers:
        place.comes(media(number))


def test_what_is_as_it_should_be_is_left_alone(place: Place) -> None:
    come(place, 1, 2, 3)
    before = place.table.scan()

    step = tidy(place, changed={1: {"status": "submitted", "slot": 0}})

    assert (step.counts, step.cursor) == ({}, None)
    assert place.table.scan() == before


@pytest.mark.parametrize("how", ["ended", "gone", "passed on"])
def test_the_slot_of_one_that_is_no_longer_there_goes_to_the_next(place: Place, how: str) -> None:
    come(place, 1, 2, 3)

    step = tidy(
        place,
        *([1] if how == "ended" else []),
        gone=[1] if how == "gone" else [],
        changed={1: {"provider": "deepgram"}} if how == "passed on" else {},
    )

    assert step.counts == {"freed": 1, "woken": 1}
    assert place.woken == ["3.mp4"]


def test_a_second_slot_of_one_media_object_is_freed(place: Place) -> None:
    come(place, 1)
    place.store.take_slot("symbl", 1, f"{1:032x} {1:020x}", place.clock.now().timestamp() + 3600)

    assert tidy(place, changed={1: {"status": "submitted", "slot": 1}}).counts == {"freed": 1}
    assert place.store.read("symbl").free(2, place.clock.now().timestamp()) == [0]


def test_those_who_have_ended_leave_the_queue_before_slots_are_handed_over(place: Place) -> None:
    come(place, 1, 2, 3, 4)
    place.store.free_slot("symbl", 0, f"{1:032x} {1:020x}")

    assert tidy(place, 3).counts == {"left_queue": 1, "woken": 1}
    assert place.woken == ["3.mp4", "4.mp4"], "the execution of the first ends at once"


def test_a_wake_up_that_got_lost_is_made_good(place: Place) -> None:
    """The function that called it ended before it woke it."""
    come(place, 1, 2, 3)
    place.store.free_slot("symbl", 0, f"{1:032x} {1:020x}")
    first = place.store.head("symbl")
    assert first
    place.store.hand_over("symbl", 0, first, place.clock.now().timestamp() + 3600, turns=1)

    assert tidy(place).counts == {"woken": 1}
    assert place.woken == ["3.mp4"]
    assert place.store.head("symbl") is None


def test_a_prober_that_has_ended_is_replaced_by_the_first_that_waits(place: Place) -> None:
    place.comes(media(1))
    place.fails(media(1))
    come(place, 2, 3)
    place.clock.elapsed = 10

    assert tidy(place, 1).counts == {"left_queue": 1, "probers": 1}
    assert place.woken == ["1.mp4", "2.mp4"], "the execution of the first ends at once"
    assert place.comes(media(2))


def test_a_prober_whose_try_is_long_overdue_is_replaced(place: Place) -> None:
    place.comes(media(1))
    place.fails(media(1), ProviderBusy("HTTP 429"))
    place.clock.elapsed = 10 + 901

    assert tidy(place).counts == {"probers": 1}
    assert place.woken == ["1.mp4"]


def test_without_anybody_in_the_queue_the_next_one_tries(place: Place) -> None:
    place.comes(media(1))
    place.fails(media(1))

    assert tidy(place, 1).counts == {"left_queue": 1, "probers": 1}
    assert place.comes(media(2))


def test_a_provider_that_nobody_has_come_to_try_yet_stays_as_it_is(place: Place) -> None:
    for _ in range(2):
        place.comes(media(1))
        place.turns.doubt(media(1), UNCONFIRMED)

    assert tidy(place).counts == {}
    assert place.store.read("symbl").health is not None


def test_the_next_sweep_goes_on_with_the_next_provider(place: Place) -> None:
    place.comes(media(1, provider="deepgram"))
    place.store.enqueue("symbl", place_of(media(2)), media(2))

    step = tidy(place, providers=["symbl", "deepgram"], seconds=1)
    assert (step.counts, step.cursor) == ({}, "")
    step = tidy(place, providers=["symbl", "deepgram"], after="deepgram")
    assert (step.counts, step.cursor) == ({"woken": 1}, None)
