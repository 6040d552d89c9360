"""The wait scale: it multiplies waits and retry intervals, it acts at once, and it leaves time-outs alone."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ministack import app  # type: ignore[import-untyped]
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from sandbox.cloud.emulator.waits import apply_wait_scale_at_once, retry_as_documented
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function, task
from tests.sandbox.cloud.machines import create_machine, ended, entered, next_token, start, waiting_for_token

THOUSAND_SECONDS = {"Wait": {"Type": "Wait", "Seconds": 1000, "End": True}}


@pytest.fixture(autouse=True)
def unscaled(emulator: LocalStack) -> Iterator[None]:
    emulator.set_wait_scale(1)
    yield
    emulator.set_wait_scale(0)


@pytest.mark.parametrize("scale", [0.0001, 0])
def test_a_change_of_the_scale_ends_the_waits_under_way(emulator: LocalStack, scale: float) -> None:
    machine = create_machine(emulator, THOUSAND_SECONDS)
    executions = [start(emulator, machine) for _ in range(3)]
    for execution in executions:
        entered(emulator, execution, "Wait")
    emulator.set_wait_scale(scale)
    assert {ended(emulator, execution)["status"] for execution in executions} == {"SUCCEEDED"}


class Interrupted:
    """A condition that is notified after 40 s of a clock of its own, when the scale becomes `scale`, and not again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._monkeypatch, self._scale = monkeypatch, scale

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        notified = len(self.waits) == 1
        self.now += 40 if notified else seconds
        if notified:
            self._monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", self._scale)
        return notified


@pytest.mark.parametrize(("scale", "waits"), [(0.1, [100, 6]), (2, [100, 120]), (1, [100, 60]), (0, [100])])
def test_the_seconds_left_pass_at_the_new_scale(
    monkeypatch: pytest.MonkeyPatch, scale: float, waits: list[float]
) -> None:
    condition = Interrupted(monkeypatch, scale)
    monkeypatch.setattr("sandbox.cloud.emulator.waits.threading", SimpleNamespace(Condition=lambda: condition))
    monkeypatch.setattr("sandbox.cloud.emulator.waits.time", SimpleNamespace(monotonic=lambda: condition.now))
    for module, name in ((stepfunctions, "_scaled_sleep"), (app, "_handle_admin_config_request")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", 1.0)
    apply_wait_scale_at_once()
    stepfunctions._scaled_sleep(100)
    assert condition.waits == waits


def test_a_negative_scale_is_refused(emulator: LocalStack) -> None:
    with pytest.raises(ValueError, match="cannot be -1"):
        emulator.set_wait_scale(-1)


def test_the_scale_leaves_the_time_outs_of_tasks_alone(emulator: LocalStack) -> None:
    """At scale 0 a scaled time-out would be over before the task began."""
    function = create_function(emulator, "def handler(event, context):\n    return 'came'\n")
    queue = emulator.client("sqs").create_queue(QueueName="time-outs")["QueueUrl"]
    states = {
        "Call": task(function, TimeoutSeconds=30, Next="Wait for token"),
        "Wait for token": waiting_for_token(queue, TimeoutSeconds=30),
    }
    emulator.set_wait_scale(0)
    execution = start(emulator, create_machine(emulator, states))
    emulator.client("stepfunctions").send_task_success(taskToken=next_token(emulator, queue), output='"done"')
    assert ended(emulator, execution)["output"] == '"done"'


def test_a_time_out_may_be_an_expression(emulator: LocalStack) -> None:
    """At wait scale 0.001 the first task waits for 0.2 s, and the second one for an answer."""
    queue = emulator.client("sqs").create_queue(QueueName="expressions")["QueueUrl"]
    timed = {"TimeoutSeconds": "{% $states.input.wait_seconds %}"}
    late = {"ErrorEquals": ["States.Timeout"], "Output": {"wait_seconds": 3_000_000}, "Next": "Second"}
    first = {**waiting_for_token(queue, **timed), "Catch": [late], "Next": "Second"}
    del first["End"]
    states = {"First": first, "Second": waiting_for_token(queue, **timed)}
    emulator.set_wait_scale(0.001)
    execution = start(emulator, create_machine(emulator, states), wait_seconds=200)
    next_token(emulator, queue)
    emulator.client("stepfunctions").send_task_success(taskToken=next_token(emulator, queue), output='"done"')
    assert ended(emulator, execution)["output"] == '"done"'


@pytest.mark.parametrize("seconds", ["soon", 0, 1.5])
def test_a_time_out_that_is_no_positive_number_fails_the_execution(emulator: LocalStack, seconds: Any) -> None:
    queue = emulator.client("sqs").create_queue(QueueName="nonsense")["QueueUrl"]
    state = waiting_for_token(queue, TimeoutSeconds="{% $states.input.wait_seconds %}")
    execution = start(emulator, create_machine(emulator, {"Only": state}), wait_seconds=seconds)
    assert ended(emulator, execution)["error"] == "States.QueryEvaluationError"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The nominal seconds that Step Functions sleeps in this process, with the documented retries."""
    intervals: list[float] = []
    monkeypatch.setattr(stepfunctions, "_scaled_sleep", lambda seconds: intervals.append(seconds))
    monkeypatch.setattr(stepfunctions, "_find_matching_retrier", stepfunctions._find_matching_retrier)
    retry_as_documented()
    return intervals


def fail_task(retrier: dict[str, Any]) -> None:
    def broken(*_: Any) -> Any:
        raise stepfunctions._ExecutionError("Broken", "")

    state = {"Resource": "arn:aws:states:::lambda:invoke", "Arguments": {}, "Retry": [retrier]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stepfunctions, "_invoke_resource", broken)
        with pytest.raises(stepfunctions._ExecutionError):
            stepfunctions._execute_task(state, {}, {"events": []}, {"QueryLanguage": "JSONata", "State": {}})


def fail_parallel(retrier: dict[str, Any]) -> None:
    broken = {"StartAt": "Broken", "States": {"Broken": {"Type": "Fail", "Error": "Broken"}}}
    with pytest.raises(stepfunctions._ExecutionError):
        stepfunctions._execute_parallel(
            {"Branches": [broken], "Retry": [retrier]},
            {},
            {"events": []},
            {"QueryLanguage": "JSONata", "State": {}, "Execution": {}},
        )


@pytest.mark.parametrize("fail", [fail_task, fail_parallel])
@pytest.mark.parametrize(
    ("retrier", "intervals"),
    [
        ({}, [1, 2, 4]),
        ({"IntervalSeconds": 2, "MaxAttempts": 6, "MaxDelaySeconds": 30}, [2, 4, 8, 16, 30, 30]),
        ({"IntervalSeconds": 50, "MaxAttempts": 3, "BackoffRate": 3}, [50, 150, 450]),
        ({"IntervalSeconds": 5, "MaxAttempts": 0}, []),
    ],
)
def test_retries_wait_as_documented(
    slept: list[float], fail: Callable[[dict[str, Any]], None], retrier: dict[str, Any], intervals: list[float]
) -> None:
    fail({"ErrorEquals": ["Broken"], **retrier})
    assert slept == intervals


def test_full_jitter_waits_for_any_part_of_the_interval(slept: list[float]) -> None:
    fail_task({"ErrorEquals": ["Broken"], "MaxAttempts": 200, "JitterStrategy": "FULL", "BackoffRate": 1})
    assert 0 <= min(slept) < 0.1
    assert 0.9 < max(slept) <= 1


def test_a_wait_after_a_retry_is_its_own(slept: list[float]) -> None:
    fail_task({"ErrorEquals": ["Broken"], "MaxAttempts": 1, "IntervalSeconds": 7})
    stepfunctions._execute_wait({"Seconds": 3, "End": True}, {}, {"QueryLanguage": "JSONPath"})
    assert slept == [7, 3]


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (apply_wait_scale_at_once, stepfunctions, "_scaled_sleep"),
        (apply_wait_scale_at_once, app, "_handle_admin_config_request"),
        (retry_as_documented, stepfunctions, "_execute_task"),
        (retry_as_documented, stepfunctions, "_with_retry_and_catch"),
        (retry_as_documented, stepfunctions, "_find_matching_retrier"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
