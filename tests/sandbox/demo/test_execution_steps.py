"""The demo's timeline and cost, from the history of a real execution that polled more than once."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from sandbox.demo.execution_cost import cost_of
from sandbox.demo.execution_steps import LiveTimeline, Step, folded, steps_of

History = list[dict[str, Any]]


@pytest.fixture
def history(captured_event: Callable[[str], Any]) -> History:
    events: Any = captured_event("execution_history")
    return [{**event, "timestamp": datetime.fromisoformat(event["timestamp"])} for event in events]


def entered(history: History) -> list[str]:
    return [e["stateEnteredEventDetails"]["name"] for e in history if e["type"].endswith("StateEntered")]


class TestTimeline:
    def test_a_loop_is_one_line_with_a_count(self, history: History) -> None:
        steps = folded(steps_of(history))
        assert [step.name for step in steps] == ["Submit recording", "Wait", "Poll job", "Save insights"]
        assert {step.name: step.times for step in steps} == {
            name: entered(history).count(name) for name in ("Submit recording", "Wait", "Poll job", "Save insights")
        }
        assert steps[2].times > 1
        assert {step.state for step in steps} == {"done"}
        assert steps[1].seconds == pytest.approx(sum(step.seconds for step in steps_of(history) if step.name == "Wait"))

    def test_however_seldom_one_looks_the_lines_follow_the_visits(self, history: History) -> None:
        polled = [i for i, name in enumerate(entered(history)) if name == "Wait"]
        assert len(polled) > 1
        again = [i for i, event in enumerate(history) if event["type"] == "WaitStateEntered"][1]
        every_look, one_look, two_looks = io.StringIO(), io.StringIO(), io.StringIO()
        for written, looks in (
            (every_look, range(1, len(history) + 1)),
            (one_look, [len(history)]),
            # The first of these is in the midst of the second wait, with a poll and a wait over.
            (two_looks, [again + 1, len(history)]),
        ):
            with LiveTimeline(Console(file=written, width=100)) as timeline:
                for upto in looks:
                    timeline.show(steps_of(history[:upto]))
        assert one_look.getvalue() == two_looks.getvalue() == every_look.getvalue()
        names = [line[4:23].strip() for line in one_look.getvalue().splitlines()]
        assert names == [name for name in entered(history) if name in set(names)]

    def test_the_present_wait_says_when_the_next_poll_comes(self, history: History) -> None:
        upto = next(i for i, event in enumerate(history) if event["type"] == "WaitStateEntered") + 1
        wait = json.loads(history[upto - 1]["stateEnteredEventDetails"]["input"])["wait_seconds"]
        now = history[upto - 1]["timestamp"] + timedelta(seconds=2)
        step = steps_of(history[:upto], now)[-1]
        assert (step.name, step.state, step.seconds) == ("Wait", "running", 2.0)
        assert step.detail == f"{wait} s, next poll in {wait - 2} s"

    def test_a_fault_that_will_be_repeated_is_shown(self, history: History) -> None:
        upto = next(i for i, event in enumerate(history) if event["type"] == "TaskScheduled") + 1
        failed = {
            "type": "TaskFailed",
            "timestamp": history[upto - 1]["timestamp"],
            "taskFailedEventDetails": {"error": "Lambda.TooManyRequestsException"},
        }
        [step] = steps_of([*history[:upto], failed])
        assert step.state == "running"
        assert step.detail == "fault, will be repeated: Lambda.TooManyRequestsException"

    def test_without_a_terminal_each_change_is_one_line(self) -> None:
        written = io.StringIO()
        with LiveTimeline(Console(file=written, width=100)) as timeline:
            timeline.show([Step("Wait", "running", 1, "5 s")])
            for _ in range(3):
                timeline.show([Step("Wait", "done", 5, "5 s"), Step("Poll job", "failed", 1, "[refused]")])
        assert written.getvalue().splitlines() == ["  ✓ Wait               5 s", "  ✗ Poll job           [refused]"]

    def test_a_terminal_gets_a_picture(self) -> None:
        written = io.StringIO()
        with LiveTimeline(Console(file=written, width=100, force_terminal=True)) as timeline:
            timeline.show([Step("Wait", "done", 5, "5 s", times=3)])
        assert "Wait ×3" in written.getvalue()


class TestCost:
    def test_transitions_and_calls_are_counted(self, history: History) -> None:
        cost = cost_of(history, {})
        assert cost.transitions == len(entered(history))
        assert cost.invocations == sum(event["type"] == "TaskScheduled" for event in history)
        assert cost.step_functions == pytest.approx(cost.transitions * 0.000025)

    def test_memory_is_paid_for_the_time_of_the_call(self, history: History) -> None:
        half = cost_of(history, dict.fromkeys(entered(history), 512))
        whole = cost_of(history, dict.fromkeys(entered(history), 1024))
        busy = sum(
            (done["timestamp"] - scheduled["timestamp"]).total_seconds()
            for scheduled, done in zip(
                [e for e in history if e["type"] == "TaskScheduled"],
                [e for e in history if e["type"] == "TaskSucceeded"],
                strict=True,
            )
        )
        assert whole.gb_seconds == pytest.approx(busy)
        assert half.gb_seconds == pytest.approx(busy / 2)
        assert whole.total == pytest.approx(whole.step_functions + whole.functions)

    def test_failed_calls_cost_too(self, history: History) -> None:
        again = [dict(event) for event in history if event["type"] in ("TaskScheduled", "TaskSucceeded")][:2]
        again[1]["type"] = "TaskFailed"
        assert cost_of([*again, *history], {}).invocations == cost_of(history, {}).invocations + 1
