"""What an execution would have cost on AWS, counted from its history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# us-east-1, without free tiers.
# Sources: https://aws.amazon.com/step-functions/pricing/ and https://aws.amazon.com/lambda/pricing/ (arm64)
DOLLARS_PER_TRANSITION = 0.025 / 1000
DOLLARS_PER_GB_SECOND = 0.0000133334
DOLLARS_PER_REQUEST = 0.20 / 1_000_000


@dataclass(frozen=True)
class Cost:
    """Counts of one execution, and the dollars that follow."""

    transitions: int
    invocations: int
    gb_seconds: float

    @property
    def step_functions(self) -> float:
        """Dollars for state transitions."""
        return self.transitions * DOLLARS_PER_TRANSITION

    @property
    def functions(self) -> float:
        """Dollars for the functions that the workflow ran."""
        return self.invocations * DOLLARS_PER_REQUEST + self.gb_seconds * DOLLARS_PER_GB_SECOND

    @property
    def total(self) -> float:
        """Both."""
        return self.step_functions + self.functions


def cost_of(history: Sequence[Mapping[str, Any]], memory_mb: Mapping[str, int]) -> Cost:
    """Count an execution's events; `memory_mb` is the memory of the function behind each task's name.

    Tasks without a function, such as the wait for a callback, cost their transition only.
    """
    transitions = invocations = 0
    gb_seconds = 0.0
    state = ""
    scheduled: Any = None
    for event in history:
        kind = str(event["type"])
        if kind.endswith("StateEntered"):
            transitions += 1
            state = event["stateEnteredEventDetails"]["name"]
        elif kind == "TaskScheduled" and event["taskScheduledEventDetails"]["resourceType"] == "lambda":
            invocations += 1
            scheduled = event["timestamp"]
        elif kind in ("TaskSucceeded", "TaskFailed", "TaskTimedOut") and scheduled is not None:
            seconds = (event["timestamp"] - scheduled).total_seconds()
            gb_seconds += seconds * memory_mb.get(state, 512) / 1024
            scheduled = None
    return Cost(transitions, invocations, gb_seconds)


def memory_of_tasks(step_functions: Any, functions: Any, state_machine_arn: str) -> dict[str, int]:
    """The memory in MB of the function behind each task of a state machine, by the task's name."""
    definition = json.loads(step_functions.describe_state_machine(stateMachineArn=state_machine_arn)["definition"])
    return {
        name: functions.get_function_configuration(FunctionName=state["Arguments"]["FunctionName"])["MemorySize"]
        for name, state in definition["States"].items()
        if "FunctionName" in state.get("Arguments", {})
    }
