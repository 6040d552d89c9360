"""The calls of Step Functions that must not fail when they are repeated."""

from typing import Any

import pytest

from recording_insights.aws import clients


class FakeStepFunctions:
    """Raises its fault from every call."""

    class exceptions:
        class ExecutionAlreadyExists(Exception):
            """The name is taken."""

        class TaskDoesNotExist(Exception):
            """The wait has ended."""

        class TaskTimedOut(Exception):
            """The wait has ended by its time-out."""

    def __init__(self, fault: type[Exception] | None = None) -> None:
        self.fault = fault
        self.calls: list[Any] = []

    def start_execution(self, **arguments: str) -> None:
        self._call(arguments)

    def send_task_success(self, **arguments: str) -> None:
        self._call(arguments)

    def _call(self, arguments: Any) -> None:
        self.calls.append(arguments)
        if self.fault:
            raise self.fault


@pytest.mark.parametrize("fault", [None, FakeStepFunctions.exceptions.ExecutionAlreadyExists])
def test_an_execution_is_started_once(fault: type[Exception] | None) -> None:
    fake: Any = FakeStepFunctions(fault)
    clients.start_execution(fake, "arn:machine", name="one", state="{}")
    assert fake.calls == [{"stateMachineArn": "arn:machine", "name": "one", "input": "{}"}]


@pytest.mark.parametrize(
    "fault", [None, FakeStepFunctions.exceptions.TaskDoesNotExist, FakeStepFunctions.exceptions.TaskTimedOut]
)
def test_a_wait_may_have_ended_before(fault: type[Exception] | None) -> None:
    fake: Any = FakeStepFunctions(fault)
    clients.end_wait(fake, "token")
    assert fake.calls == [{"taskToken": "token", "output": "{}"}]


def test_any_other_fault_is_raised() -> None:
    fake: Any = FakeStepFunctions(TimeoutError)
    with pytest.raises(TimeoutError):
        clients.start_execution(fake, "arn:machine", name="one", state="{}")
    with pytest.raises(TimeoutError):
        clients.end_wait(fake, "token")
