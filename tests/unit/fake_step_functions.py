"""The one call of Step Functions that a start makes."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.unit.environment import ENVIRONMENT


@dataclass
class FakeStepFunctions:
    """`executions` are those started, by name, each with its input; `answers` are errors that come before."""

    class exceptions:
        class ExecutionAlreadyExists(Exception):
            """A name that is taken."""

    executions: dict[str, Any] = field(default_factory=dict)
    answers: list[Exception] = field(default_factory=list)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:
        assert stateMachineArn == ENVIRONMENT["WATCH_ARN"]
        assert len(name) <= 80
        if self.answers:
            raise self.answers.pop(0)
        if name in self.executions:
            raise self.exceptions.ExecutionAlreadyExists
        self.executions[name] = json.loads(input)
