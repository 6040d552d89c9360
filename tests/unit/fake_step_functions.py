"""The calls of Step Functions that the functions make."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.unit.environment import ENVIRONMENT


@dataclass
class FakeStepFunctions:
    """`executions` are those started, by name, each with its input; `answers` are errors that come before.

    `over` are the names of executions that have ended. `ended` are the task tokens whose wait was ended. `machine` is
    the ARN of the only state machine.
    """

    class exceptions:
        class ExecutionAlreadyExists(Exception):
            """A name that is taken."""

        class TaskDoesNotExist(Exception):
            """The wait has ended."""

        class TaskTimedOut(Exception):
            """The wait has ended by its time-out."""

    executions: dict[str, Any] = field(default_factory=dict)
    answers: list[Exception] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    machine: str = ENVIRONMENT["WATCH_ARN"]

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:
        assert stateMachineArn == self.machine
        assert len(name) <= 80
        self._answer()
        if name in self.executions:
            raise self.exceptions.ExecutionAlreadyExists
        self.executions[name] = json.loads(input)

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:
        machine, _, name = executionArn.rpartition(":")
        assert machine == self.machine.replace(":stateMachine:", ":execution:")
        assert name in self.executions
        return {"status": "SUCCEEDED" if name in self.over else "RUNNING"}

    def send_task_success(self, *, taskToken: str, output: str) -> None:
        json.loads(output)
        self._answer()
        if taskToken in self.ended:
            raise self.exceptions.TaskDoesNotExist
        self.ended.append(taskToken)

    def _answer(self) -> None:
        if self.answers:
            raise self.answers.pop(0)
