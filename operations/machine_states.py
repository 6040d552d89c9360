"""Where the executions of a recording stand, and how long a stage waits, as Step Functions and Lambda know it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

MOST_RUNNING = 5_000
"""Running executions among which those of a recording are looked for."""
EVENTS = 20
"""Of an execution's history, the last so many events tell in which state it is."""
RIGHTS = (
    "states:DescribeStateMachine",
    "states:GetExecutionHistory",
    "states:ListExecutions",
    "lambda:GetFunctionConfiguration",
)


@dataclass(frozen=True)
class State:
    """The state that an execution is in since a moment. `until` is when its wait ends at the latest, if it waits."""

    name: str
    since: datetime
    until: datetime | None
    execution_arn: str


@dataclass(frozen=True)
class Limits:
    """How long the stage waits: its settings as they are deployed."""

    give_up_hours: int
    queue_days: int
    poll_ceiling_minutes: int
    late_files_minutes: int

    def of(self, setting: str) -> int:
        """Return a limit by the name of its setting."""
        return {
            "giveUpHours": self.give_up_hours,
            "queueDays": self.queue_days,
            "pollCeilingMinutes": self.poll_ceiling_minutes,
            "lateFilesMinutes": self.late_files_minutes,
        }[setting]


@dataclass
class Machines:
    """The state machines of a stage. `states` and `lambdas` are clients of Step Functions and Lambda.

    Every method may raise botocore's errors. A caller without `RIGHTS` knows what the API says.
    """

    states: Any
    lambdas: Any
    outputs: Mapping[str, str]
    _definitions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def limits(self) -> Limits:
        """Return how long the stage waits."""
        submit, prepare = self._environment("Submit recording"), self._environment("Prepare media")
        return Limits(
            int(submit["GIVE_UP_HOURS"]),
            int(submit["QUEUE_DAYS"]),
            int(submit["POLL_CEILING_MINUTES"]),
            int(prepare["LATE_FILES_MINUTES"]),
        )

    def state_of(self, machine: str, execution: str) -> State | None:
        """Return the state of an execution by its name; None if there is none, or if it has ended.

        `machine` is the output that names the state machine.
        """
        arn = f"{self.outputs[machine].replace(':stateMachine:', ':execution:')}:{execution}"
        try:
            events = self.states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=EVENTS)["events"]
        except self.states.exceptions.ExecutionDoesNotExist:
            return None
        if events and events[0]["type"] in _ENDS:
            return None
        for event in events:
            if entered := event.get("stateEnteredEventDetails"):
                seconds = self._longest(machine, entered)
                until = event["timestamp"] + timedelta(seconds=seconds) if seconds is not None else None
                return State(entered["name"], event["timestamp"], until, arn)
        return None

    def running(self, machine: str, recording_id: str) -> Iterator[str]:
        """Yield the names of running executions that belong to a recording; none if the stage lacks the machine."""
        if machine not in self.outputs:
            return
        pages = self.states.get_paginator("list_executions").paginate(
            stateMachineArn=self.outputs[machine], statusFilter="RUNNING"
        )
        executions = (execution["name"] for page in pages for execution in page["executions"])
        yield from (name for name in islice(executions, MOST_RUNNING) if name.startswith(f"{recording_id}-"))

    def _longest(self, machine: str, entered: Mapping[str, Any]) -> float | None:
        """How many seconds a state lasts at the longest: a number of the definition, or what its input says."""
        state = self._definition(machine).get(entered["name"], {})
        longest = state.get("Seconds", state.get("TimeoutSeconds"))
        if isinstance(longest, int | float):
            return longest
        if longest is None:
            return None
        try:
            return float(json.loads(entered["input"])["wait_seconds"])
        except (LookupError, ValueError, TypeError):
            return None

    def _environment(self, task: str) -> Mapping[str, str]:
        function = self._definition("WorkflowArn")[task]["Arguments"]["FunctionName"]
        found: Mapping[str, str] = self.lambdas.get_function_configuration(FunctionName=function)["Environment"][
            "Variables"
        ]
        return found

    def _definition(self, machine: str) -> Mapping[str, Any]:
        if machine not in self._definitions:
            described = self.states.describe_state_machine(stateMachineArn=self.outputs[machine])
            self._definitions[machine] = json.loads(described["definition"])["States"]
        return self._definitions[machine]


_ENDS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}
