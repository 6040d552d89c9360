"""The budget of a run counts seconds of one machine."""

import pytest

from tests.machine_pace import REFERENCE_SECONDS, MachinePace, slowness


def test_a_machine_that_needs_twice_as_long_for_the_same_may_need_twice_the_budget() -> None:
    assert slowness([2 * REFERENCE_SECONDS, 90 * REFERENCE_SECONDS, REFERENCE_SECONDS]) == pytest.approx(2)
    assert slowness([]) == 1


def test_the_pace_is_measured_again_after_a_pause_only() -> None:
    pace = MachinePace()
    for _ in range(3):
        pace.measure()
    assert len(pace.samples) == 1
