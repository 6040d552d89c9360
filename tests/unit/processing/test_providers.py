"""What an operator sees of providers, and what a change of slots or a pause does to those who wait."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.processing.providers import change_provider, describe_provider, list_providers, queue_of
from recording_insights.store.media import MediaStore
from tests.unit.processing.test_turns import Place, media

WEEK = 7 * 24 * 3600


@pytest.fixture
def place() -> Place:
    return Place()


def change(place: Place, name: str = "symbl", **body: Any) -> dict[str, Any]:
    return change_provider(name, body, names=["marsview", "symbl"], turns=place.turns, who="night-shift")


def test_slots_and_queue_are_shown(place: Place) -> None:
    for number in (1, 2, 3, 4):
        place.comes(media(number))
    answer = list_providers(["marsview", "symbl"], turns=place.turns, prefixes={"legal/": ("symbl",)})
    assert answer["prefixes"] == {"legal/": ["symbl"]}
    marsview, symbl = answer["providers"]

    assert symbl == {
        "provider": "symbl",
        "paused": False,
        "slots": 2,
        "slots_used": 2,
        "health": "closed",
        "queued": 2,
        "oldest_queued_at": media(3)["waiting_since"],
    }
    assert (marsview["slots"], marsview["queued"], marsview["oldest_queued_at"]) == (None, 0, None)


def test_health_is_open_until_its_next_try_and_half_open_then(place: Place) -> None:
    place.comes(media(1))
    place.fails(media(1))
    opened = describe_provider("symbl", turns=place.turns)
    assert (opened["health"], opened["reason_code"]) == ("open", "provider_unavailable")
    place.clock.elapsed += 10
    assert describe_provider("symbl", turns=place.turns)["health"] == "half_open"


def test_a_provider_that_is_paused_for_a_week_goes_on_in_order(place: Place) -> None:
    change(place, paused=True)
    assert not any(place.comes(media(number)) for number in (1, 2, 3))
    place.clock.elapsed += WEEK
    assert (place.woken, place.turns.has_room("symbl")) == ([], False)

    changed = change(place, paused=False)

    assert (changed["paused"], changed["changed_by"], changed["queued"]) == (False, "night-shift", 1)
    assert place.woken == ["1.mp4", "2.mp4"]


def test_more_slots_wake_more_and_fewer_wait_until_jobs_have_ended(place: Place) -> None:
    for number in (1, 2, 3, 4):
        place.comes(media(number))
    assert change(place, slots=3)["slots"] == 3
    assert place.woken == ["3.mp4"]
    place.comes(media(3))
    change(place, slots=1)
    place.ends(media(1))
    place.ends(media(2))
    assert place.woken == ["3.mp4"]
    assert change(place, slots=None)["slots"] == 2
    assert place.woken == ["3.mp4", "4.mp4"]


def test_all_who_wait_at_a_provider_without_slots_go_on_after_a_pause(place: Place) -> None:
    place = Place(slots=None)
    change(place, paused=True)
    waiting = [media(number) for number in range(1, 61)]
    assert not any(place.comes(row) for row in waiting)

    change(place, paused=False)
    gone: list[str] = []
    while len(gone) < len(place.woken):
        key = place.woken[len(gone)]
        row = place.rows[key]
        turn = place.turns.take(row)
        assert turn.goes
        place.turns.succeed(row, turn)
        gone.append(key)
    assert gone == [row["key"] for row in waiting]


def test_waves_go_on_if_the_provider_accepts_nobody_of_one() -> None:
    place = Place(slots=None)
    change(place, paused=True)
    for number in range(60):
        place.comes(media(number))
    change(place, paused=False)
    assert len(place.woken) == 25

    for number in range(25):
        place.turns.give_back(place.rows[f"{number}.mp4"])

    assert len(place.woken) == 60


def test_the_oldest_may_be_a_retry_although_first_tries_go_first(place: Place) -> None:
    for row in (media(1), media(2), media(4), media(3, retry=True)):
        place.comes(row)
    assert describe_provider("symbl", turns=place.turns)["oldest_queued_at"] == media(3)["waiting_since"]


def test_a_change_of_slots_says_nothing_of_the_health(place: Place) -> None:
    place.comes(media(1))
    place.fails(media(1))
    place.store.leave("symbl", place.rows["1.mp4"]["queue_place"])  # it is just trying

    assert change(place, slots=5)["health"] == "open"
    assert change(place, paused=False)["health"] == "closed", "after a pause, whoever comes next tries"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"paused": "yes"}, "paused"),
        ({"slots": 0}, "slots"),
        ({"slots": -1}, "slots"),
        ({"slots": 10**9}, "slots"),
        ({"slots": True}, "slots"),
        ({"slot": 1}, "slot"),
    ],
)
def test_a_change_that_is_wrong_names_the_field_and_changes_nothing(place: Place, body: Any, field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        change(place, **body)
    assert place.table.scan()["Items"] == []


def test_an_unknown_provider_is_answered_with_those_that_there_are(place: Place) -> None:
    with pytest.raises(NotFound, match="no provider gladia; it has marsview, symbl"):
        change(place, "gladia", paused=True)


def test_who_waits_learns_its_place_and_when_its_turn_is_expected(place: Place) -> None:
    for number in (1, 2, 3, 4):
        place.comes(media(number))
    store = MediaStore(place.table, place.clock.now)
    given: Any = {"turns": place.store, "limits": place.turns.limits, "store": store}
    second: Any = {**place.rows["4.mp4"], "status": "waiting", "duration_ms": 600_000}

    submitted: Any = {**second, "status": "submitted"}

    found = queue_of(second, **given)

    assert found["queue_position"] == 2
    # A job of ten minutes takes 165 s at the built-in pace, and two slots serve two in that time.
    assert (found["expected_turn_at"][:19], queue_of(submitted, **given)) == (
        f"{place.clock.now():%Y-%m-%dT%H}:02:45",
        {},
    )
    change(place, paused=True)
    assert queue_of(second, **given) == {"queue_position": 2}
