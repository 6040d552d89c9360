"""Steps as a terminal and a log file show them."""

import io

from rich.console import Console

from cli.terminal.steps import LiveSteps
from cli.timeline.step import Step, folded


def test_without_a_terminal_each_step_that_ended_is_one_line() -> None:
    written = io.StringIO()
    with LiveSteps(Console(file=written, width=100)) as live:
        live.show([Step("Wait", "running", 1, "5 s")])
        for _ in range(3):
            live.show([Step("Wait", "done", 5, "5 s"), Step("Poll job", "failed", 1, "[refused]")])
    assert written.getvalue().splitlines() == ["  ✓ Wait               5 s", "  ✗ Poll job           [refused]"]


def test_a_terminal_shows_steps_of_one_name_as_one_line() -> None:
    written = io.StringIO()
    with LiveSteps(Console(file=written, width=100, force_terminal=True)) as live:
        live.show([Step("Wait", "done", 5, "5 s", times=3)])
    assert "Wait ×3" in written.getvalue()


def test_folding_adds_up_seconds_and_times() -> None:
    steps = [Step("Wait", "done", 5, "5 s"), Step("Poll job", "done", 1), Step("Wait", "running", 2, "7 s")]
    assert folded(steps) == [Step("Wait", "running", 7, "7 s", times=2), Step("Poll job", "done", 1)]


def test_steps_of_several_things_have_their_names_and_come_once() -> None:
    written = io.StringIO()
    first, second = Step("Submit", "done", 1, of="part 0"), Step("Submit", "done", 1, of="part 1")
    with LiveSteps(Console(file=written, width=100)) as live:
        live.show([first])
        live.show([first, Step("Wait", "running", 1, of="part 0"), second])
    assert [line.strip() for line in written.getvalue().splitlines()] == ["✓ Submit", "✓ part 1: Submit"]
