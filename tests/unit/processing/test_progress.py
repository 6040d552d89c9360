"""What the states hand to each other, and how long a phase has lasted."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from recording_insights.processing.progress import Progress

BEGAN = Progress("r", "m", "talk.mp4", "running", wait_seconds=7, attempt=3, waited_seconds=70)


def test_a_wait_is_counted() -> None:
    assert BEGAN.wait(12) == replace(BEGAN, outcome="running", wait_seconds=12, attempt=4, waited_seconds=82)


def test_a_new_phase_counts_from_zero() -> None:
    assert BEGAN.restart("submit") == Progress("r", "m", "talk.mp4", "submit")
    assert BEGAN.await_callback() == Progress("r", "m", "talk.mp4", "awaiting")


def test_an_end_waits_for_nothing() -> None:
    assert BEGAN.end("failed", "no speech") == replace(BEGAN, outcome="failed", wait_seconds=0, reason="no speech")


@pytest.mark.parametrize(("clock", "seconds"), [(69, 70.0), (71, 71.0), (0, 70.0)])
def test_the_larger_of_the_clock_and_the_waits_counts(clock: int, seconds: float) -> None:
    now = datetime(2026, 3, 12, 0, clock // 60, clock % 60, tzinfo=UTC)
    assert BEGAN.elapsed_seconds("2026-03-12T00:00:00.000000Z", now) == seconds
