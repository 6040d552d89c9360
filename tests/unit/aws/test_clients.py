"""The calls of Step Functions that must not fail when they are repeated."""

from typing import Any

import pytest

from recording_insights.aws import clients
from tests.unit.fake_step_functions import FakeStepFunctions


@pytest.fixture
def fake() -> Any:
    return FakeStepFunctions(machine="arn:machine")


def test_an_execution_is_started_once(fake: Any) -> None:
    for number in range(2):
        clients.start_execution(fake, "arn:machine", name="one", state=f'{{"n": {number}}}')
    assert fake.executions == {"one": {"n": 0}}


def test_a_wait_may_have_ended_before(fake: Any) -> None:
    for _ in range(2):
        clients.end_wait(fake, "token")
    fake.answers = [FakeStepFunctions.exceptions.TaskTimedOut()]
    clients.end_wait(fake, "late")
    assert fake.ended == ["token"]


def test_any_other_fault_is_raised(fake: Any) -> None:
    fake.answers = [TimeoutError(), TimeoutError()]
    with pytest.raises(TimeoutError):
        clients.start_execution(fake, "arn:machine", name="one", state="{}")
    with pytest.raises(TimeoutError):
        clients.end_wait(fake, "token")
