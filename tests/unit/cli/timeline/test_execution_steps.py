"""The steps of an execution, from histories of real executions: one polled, one failed."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from rich.console import Console

from cli.terminal.steps import LiveSteps
from cli.timeline.execution_steps import steps_of
from cli.timeline.step import folded

History = list[dict[str, Any]]


@pytest.fixture
def history(captured_event: Callable[[str], Any]) -> History:
    """An execution that polled more than once."""
    return read(captured_event("execution_history"))


@pytest.fixture
def failed_history(captured_event: Callable[[str], Any]) -> History:
    """An execution whose "Submit recording" failed, was retried six times, and was caught."""
    return read(captured_event("execution_history_failed"))


def read(events: Any) -> History:
    return [{**event, "timestamp": datetime.fromisoformat(event["timestamp"])} for event in events]


def entered(history: History) -> list[str]:
    return [e["stateEnteredEventDetails"]["name"] for e in history if e["type"].endswith("StateEntered")]


class TestSteps:
    def test_a_loop_is_one_line_with_a_count(self, history: History) -> None:
        steps = folded(steps_of(history))
        assert [step.name for step in steps] == ["Submit recording", "Wait", "Poll job", "Save insights"]
        assert {step.name: step.times for step in steps} == {
            name: entered(history).count(name) for name in ("Submit recording", "Wait", "Poll job", "Save insights")
        }
        assert steps[2].times > 1
        assert {step.state for step in steps} == {"done"}
        assert steps[1].seconds == pytest.approx(sum(step.seconds for step in steps_of(history) if step.name == "Wait"))

    def test_every_visit_gets_a_line_however_rarely_the_history_is_read(self, history: History) -> None:
        polled = [i for i, name in enumerate(entered(history)) if name == "Wait"]
        assert len(polled) > 1
        again = [i for i, event in enumerate(history) if event["type"] == "WaitStateEntered"][1]
        every_event, once, twice = io.StringIO(), io.StringIO(), io.StringIO()
        for written, reads in (
            (every_event, range(1, len(history) + 1)),
            (once, [len(history)]),
            # The first of these is in the midst of the second wait, with a poll and a wait over.
            (twice, [again + 1, len(history)]),
        ):
            with LiveSteps(Console(file=written, width=100)) as live:
                for upto in reads:
                    live.show(steps_of(history[:upto]))
        assert once.getvalue() == twice.getvalue() == every_event.getvalue()
        names = [line[4:23].strip() for line in once.getvalue().splitlines()]
        assert names == [name for name in entered(history) if name in set(names)]

    def test_a_running_wait_says_when_the_next_poll_comes(self, history: History) -> None:
        upto = next(i for i, event in enumerate(history) if event["type"] == "WaitStateEntered") + 1
        wait = json.loads(history[upto - 1]["stateEnteredEventDetails"]["input"])["wait_seconds"]
        now = history[upto - 1]["timestamp"] + timedelta(seconds=2)
        step = steps_of(history[:upto], now)[-1]
        assert (step.name, step.state, step.seconds) == ("Wait", "running", 2.0)
        assert step.detail == f"{wait} s, next poll in {wait - 2} s"

    def test_a_failure_that_will_be_retried_is_shown(self, history: History) -> None:
        upto = next(i for i, event in enumerate(history) if event["type"] == "TaskScheduled") + 1
        failed = {
            "type": "TaskFailed",
            "timestamp": history[upto - 1]["timestamp"],
            "taskFailedEventDetails": {"error": "Lambda.TooManyRequestsException"},
        }
        [step] = steps_of([*history[:upto], failed])
        assert step.state == "running"
        assert step.detail == "failed, will be retried: Lambda.TooManyRequestsException"

    def test_a_task_that_fails_for_good_is_a_failed_step(self, failed_history: History) -> None:
        submit, report = steps_of(failed_history)
        assert (submit.name, submit.state) == ("Submit recording", "failed")
        assert submit.detail == (
            "GetParameterError: Secrets Manager refused recording-insights/local/assemblyai (tried 7 times)"
        )
        assert (report.name, report.state) == ("Report failure", "failed")

    def test_a_failed_step_is_printed_without_a_terminal(self, failed_history: History) -> None:
        written = io.StringIO()
        with LiveSteps(Console(file=written, width=80)) as live:
            for upto in range(1, len(failed_history) + 1):
                live.show(steps_of(failed_history[:upto]))
        submit, report = written.getvalue().splitlines()
        assert submit == (
            "  ✗ Submit recording   GetParameterError: Secrets Manager refused "
            "recording-insights/local/assemblyai (tried 7 times)"
        )
        assert report.startswith("  ✗ Report failure     Submit recording: GetParameterError: Secrets Manager refused")

    @pytest.mark.parametrize(
        ("cause", "detail"),
        [
            (None, "States.Timeout (tried once)"),
            ("no worker\nin time", "States.Timeout: no worker (tried once)"),
            ('{"errorType": "States.Timeout"}', 'States.Timeout: {"errorType": "States.Timeout"} (tried once)'),
        ],
    )
    def test_a_cause_may_be_plain_text_or_absent(self, history: History, cause: str | None, detail: str) -> None:
        scheduled = next(i for i, event in enumerate(history) if event["type"] == "TaskScheduled") + 1
        timed_out = {
            "type": "TaskTimedOut",
            "timestamp": history[scheduled - 1]["timestamp"],
            "taskTimedOutEventDetails": {"error": "States.Timeout", **({"cause": cause} if cause else {})},
        }
        left = next(event for event in history if event["type"] == "TaskStateExited")
        [step] = steps_of([*history[:scheduled], timed_out, left])
        assert (step.state, step.detail) == ("failed", detail)

    def test_a_task_that_succeeds_after_a_retry_is_done(self, history: History) -> None:
        scheduled = next(i for i, event in enumerate(history) if event["type"] == "TaskScheduled") + 1
        failed = {
            "type": "TaskFailed",
            "timestamp": history[scheduled - 1]["timestamp"],
            "taskFailedEventDetails": {"error": "ConnectionError"},
        }
        again = [*history[:scheduled], failed, history[scheduled - 1], *history[scheduled:]]
        assert steps_of(again) == steps_of(history)

    def test_a_job_that_the_provider_failed_is_a_failed_step(self, history: History) -> None:
        exits = [i for i, event in enumerate(history) if event["type"] == "TaskStateExited"]
        details = history[exits[0]]["stateExitedEventDetails"]
        output = {**json.loads(details["output"]), "outcome": "failed", "reason": "the audio has no speech"}
        history[exits[0]]["stateExitedEventDetails"] = {**details, "output": json.dumps(output)}
        [step] = steps_of(history[: exits[0] + 1])
        assert (step.state, step.detail) == ("failed", "the audio has no speech")

    def test_an_aborted_execution_leaves_no_step_running(self, history: History) -> None:
        upto = next(i for i, event in enumerate(history) if event["type"] == "WaitStateEntered") + 1
        aborted = {"type": "ExecutionAborted", "timestamp": history[upto - 1]["timestamp"] + timedelta(seconds=3)}
        step = steps_of([*history[:upto], aborted])[-1]
        assert (step.name, step.state, step.seconds) == ("Wait", "failed", 3.0)
        assert step.detail == "ExecutionAborted (tried once)"


def callback(history: History, *events: dict[str, Any], name: str = "Await callback") -> str:
    """The detail of a step that waits for a task token, with these events in it."""
    at = history[0]["timestamp"]
    given = json.dumps({"wait_seconds": 900})
    entered = {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name, "input": given}}
    left = {"type": "TaskStateExited", "stateExitedEventDetails": {"name": name, "output": "{}"}}
    [step] = steps_of([{**event, "timestamp": at} for event in (entered, *events, left)])
    assert step.state == "done"
    return step.detail


def test_the_wait_for_a_callback_says_how_it_ended(history: History) -> None:
    refused = {"type": "TaskFailed", "taskFailedEventDetails": {"error": "DynamoDB.ConditionalCheckFailedException"}}
    timed_out = {"type": "TaskFailed", "taskFailedEventDetails": {"error": "States.Timeout"}}
    assert callback(history, {"type": "TaskSucceeded"}) == "the provider called back"
    assert callback(history, refused) == "the provider had called back already"
    assert callback(history, timed_out) == "no callback in time"
    assert callback(history, {"type": "TaskTimedOut"}) == "no callback in time"


def test_the_wait_for_a_turn_says_how_it_ended(history: History) -> None:
    refused = {"type": "TaskFailed", "taskFailedEventDetails": {"error": "DynamoDB.ConditionalCheckFailedException"}}
    turn = partial(callback, history, name="Await turn")
    assert turn({"type": "TaskSucceeded"}) == "woken for its turn"
    assert turn(refused) == "its turn had come already"
    assert turn({"type": "TaskTimedOut"}) == "time to look again"
