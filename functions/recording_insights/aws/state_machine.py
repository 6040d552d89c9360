"""One state machine: starts its executions, tells whether one runs, and stops one, by their names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.aws import clients

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class StateMachine:
    """`arn` is that of the state machine. Every method may raise botocore's `ClientError`."""

    client: "SFNClient"
    arn: str

    def start(self, *, name: str, state: str) -> bool:
        """Start an execution with a state as JSON, unless one of this name exists; return whether one was started."""
        return clients.start_execution(self.client, self.arn, name=name, state=state)

    def stop(self, name: str) -> None:
        """Stop the execution of a name, unless there is none or it has ended."""
        clients.stop_execution(self.client, f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}")

    def is_running(self, name: str) -> bool:
        """Return whether an execution of this name runs."""
        return clients.is_running(self.client, f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}")
