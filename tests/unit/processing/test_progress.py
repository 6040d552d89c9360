"""What the states hand to each other, and how long a phase has lasted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from recording_insights.processing.progress import Progress

BEGAN = Progress("r", "m", "talk.mp4", "running", wait_seconds=7, attempt=3, waited_seconds=70)


def test_a_wait_is_counted() -> None:
    assert BEGAN.wait(12) == replace(BEGAN, outcome="running", wait_seconds=12, attempt=4, waited_seconds=82)


def test_a_new_phase_counts_from_zero() -> None:
    assert BEGAN.restart("submit") == Progress("r", "m", "talk.mp4", "submit")
    assert BEGAN.await_callback() == Progress("r", "m", "talk.mp4", "awaiting")


def test_one_that_is_parked_knows_its_place_and_for_how_long() -> None:
    parked = replace(BEGAN, faults=3).park(900, queue="PROVIDER#symbl", place="QUEUE#0#1")

    assert parked == replace(
        BEGAN, outcome="parked", wait_seconds=900, attempt=4, queue="PROVIDER#symbl", place="QUEUE#0#1"
    )


@pytest.mark.parametrize(("timed_out", "waited"), [(True, 70 + 900), (False, 70)])
def test_only_a_wait_that_nobody_ended_counts_as_waited(timed_out: bool, waited: int) -> None:
    """How long the others took, the clock tells."""
    parked = BEGAN.park(900, queue="PROVIDER#symbl", place="QUEUE#0#1")
    back = Progress.from_state({**parked.to_state(), "timed_out": timed_out}).unpark()

    assert back == replace(BEGAN, outcome="parked", wait_seconds=0, attempt=4, waited_seconds=waited)
    assert back.unpark() == back, "it counts once"


@pytest.mark.parametrize("done", [lambda p: p.wait(5), lambda p: p.restart("submit"), lambda p: p.end("succeeded")])
def test_a_state_that_succeeded_ends_a_row_of_faults(done: Callable[[Progress], Progress]) -> None:
    assert done(replace(BEGAN, faults=7)).faults == 0


def test_an_end_waits_for_nothing() -> None:
    assert BEGAN.end("failed", "no speech") == replace(BEGAN, outcome="failed", wait_seconds=0, reason="no speech")


@pytest.mark.parametrize(("clock", "seconds"), [(69, 70.0), (71, 71.0), (0, 70.0)])
def test_the_larger_of_the_clock_and_the_waits_counts(clock: int, seconds: float) -> None:
    now = datetime(2026, 3, 12, 0, clock // 60, clock % 60, tzinfo=UTC)
    assert BEGAN.elapsed_seconds("2026-03-12T00:00:00.000000Z", now) == seconds


@pytest.mark.parametrize(
    ("state", "transitions"),
    [
        ({}, 2),
        ({"outcome": "prepare"}, 2),
        ({"outcome": "succeeded"}, 2),
        ({"outcome": "failed"}, 2),
        ({"outcome": "running"}, 3),
        ({"outcome": "awaiting"}, 3),
        ({"outcome": "parked"}, 3),
        ({"outcome": "postponed"}, 3),
        ({"outcome": "running", "faults": 1}, 4),
    ],
)
def test_a_call_counts_itself_and_the_states_since_the_one_before(state: dict[str, Any], transitions: int) -> None:
    known = {"recording_id": "r", "media_id": "m", "key": "talk.mp4", "transitions": 10, "calls": 4, **state}
    entered = Progress.enter(known)

    assert entered.counted == {"transitions": 10 + transitions, "calls": 5}
    assert Progress.enter(known) == entered, "a repeated call has the same input, and counts once"
    assert entered.wait(5).restart("submit").end("failed").counted == entered.counted
