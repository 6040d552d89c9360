"""A clock that is an hour off, ours or the vendor's: each media object is done once, and no wait is absurd."""

from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest

from recording_insights.providers.registry import PROVIDERS
from recording_insights.store.turns import TurnStore
from routes import stop_recording
from tests.conformance.conftest import Travel
from tests.conformance.journey import CHANNEL
from tests.conformance.scene import TASKS, Scene
from tests.conformance.test_counts import CALLS_BACK, POLLED, ended, mp4
from tests.conformance.test_faults import calls_until_accepted
from tests.conformance.test_turns import most_at_once
from tests.unit.fakes import FakeClock
from tests.ways_of_waiting import each

HOUR = 3600
STATES = ("Submit recording", "Poll job", "Save insights")
CASES = [(name, hours, state) for name in PROVIDERS for hours in ("1", "-1") for state in STATES]
STEPS = each(CASES, always=lambda name, *_: name == POLLED)


def step(clock: FakeClock, hours: int) -> None:
    """Set our clock forward or back. The time that a wait takes stays what it is."""
    clock.start += timedelta(hours=hours)


def steps_before(scene: Scene, patch: pytest.MonkeyPatch, state: str, hours: int) -> list[int]:
    """Set our clock just before the first call of a state's function; return the waits that follow, in seconds."""
    original, waits, pass_time = TASKS[state].handler, list[int](), scene._pass_time

    def handler(event: Any, context: Any) -> Any:
        if not stepped:
            stepped.append(True)
            step(scene.clock, hours)
        return original(event, context)

    def wait(seconds: int) -> None:
        waits.append(seconds)
        pass_time(seconds)

    stepped = list[bool]()
    patch.setattr(TASKS[state], "handler", handler)
    patch.setattr(scene, "_pass_time", wait)
    return waits


@pytest.mark.parametrize(("provider", "hours", "state"), STEPS)
def test_it_is_done_once(scene: Scene, monkeypatch: pytest.MonkeyPatch, hours: str, state: str) -> None:
    waits = steps_before(scene, monkeypatch, state, int(hours))

    assert scene.run() == "done", scene.row
    assert scene.paid == 1
    assert all(0 < seconds <= HOUR for seconds in waits), waits
    assert len(waits) <= 3
    learned = [item for (pk, _), item in scene.table.items.items() if pk.startswith("PACE#")]
    assert all(0.01 < float(item["ratio"]["N"]) < 2 * HOUR for item in learned), learned


@pytest.mark.parametrize(("provider", "hours"), [(POLLED, 1), (POLLED, -1), (CALLS_BACK, -1)])
def test_a_job_that_never_ends_ends_within_an_hour_of_the_ceiling(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    waits = steps_before(scene, monkeypatch, "Poll job", hours)
    scene.dials(job_never_ends=True)

    assert scene.run() == "failed"
    assert scene.row["reason_code"] == "no_result"
    assert abs(scene.clock.elapsed - 4 * HOUR) <= 1.1 * HOUR
    assert min(waits) >= 5


@pytest.mark.parametrize("provider", [POLLED])
@pytest.mark.parametrize("hours", [1, -1])
def test_a_vendors_clock_does_not_change_for_how_long_it_wants_us_to_wait(scene: Scene, hours: int) -> None:
    date = scene.clock.now() + timedelta(hours=hours)
    headers = {
        "Date": format_datetime(date, usegmt=True),
        "Retry-After": format_datetime(date + timedelta(seconds=40), usegmt=True),
    }
    scene.dials(fail_next=[{"call": call, "status": 429, "headers": headers} for call in calls_until_accepted(scene)])

    assert scene.run() == "done"
    first, *_ = scene.parked
    assert scene.clock.elapsed < HOUR
    assert first["reason_code"] == "provider_busy"


@pytest.mark.parametrize(("provider", "hours"), [(POLLED, 1), (POLLED, -1), (CALLS_BACK, -1)])
def test_who_waits_for_a_turn_gets_it(
    travel: Travel, monkeypatch: pytest.MonkeyPatch, provider: str, hours: int
) -> None:
    journey = travel(provider, slots=1)
    at_once = most_at_once(journey, monkeypatch)
    row = journey.record()
    for part in range(4):
        journey.at(10, partial(journey.arrive, f"{row['prefix']}{row['sid']}_{CHANNEL}_{part}.mp4", mp4(part)))
    journey.at(12, partial(step, journey.clock, hours))
    journey.at(20, partial(journey.ask, stop_recording, row["recording_id"]))
    journey.go()

    assert ended(journey, row["recording_id"])["media_counts"] == {"done": 4}
    assert (journey.paid, at_once()) == (4, 1)
    assert len(TurnStore(journey.table, journey.clock.now).read(provider).free(1, journey.clock.now().timestamp())) == 1


@pytest.mark.parametrize("hours", [1, -1])
def test_a_provider_that_was_away_is_tried_again(travel: Travel, hours: int) -> None:
    journey = travel(POLLED, slots=2)
    fails = [{"call": call, "times": 1_000_000, "status": 503} for call in calls_until_accepted(journey)]
    journey.dials(fail_next=fails)
    for number in range(4):
        journey.at(number, partial(journey.arrive, f"uploads/{number}.mp4", mp4(number)))
    journey.at(600, partial(step, journey.clock, hours))
    journey.at(700, partial(journey.dials, fail_next=[]))
    journey.go()

    assert [row["status"] for row in journey.media_rows()] == ["done"] * 4
    assert journey.paid == 4
    assert journey.clock.elapsed <= HOUR
