"""Histories of the executions of media objects, as long as the caller may read them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.errors import CommandFailed
from cli.timeline.execution_steps import Event
from cli.timeline.recording_steps import Histories, Row

MOST_FOLLOWED = 4
"""The histories of so many media objects are read. The rows of more of them tell enough."""
ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


def no_histories(recording: Row) -> Histories:
    """Return none: the steps come from the API alone."""
    return {}


def is_over(history: Sequence[Event]) -> bool:
    """Whether an execution has ended, by its events."""
    return bool(history) and history[-1]["type"] in ENDS


@dataclass
class StepFunctionsHistories:
    """Reads histories from Step Functions. An execution that has ended is read once.

    `connect` returns a client and the ARN of the workflow. If it or a call fails, `lost` gets the reason once, and
    there are no histories from then on.
    """

    connect: Callable[[], tuple[Any, str]]
    lost: Callable[[str], None]
    _connected: tuple[Any, str] | None = None
    _is_lost: bool = False
    _ended: dict[str, Sequence[Event]] = field(default_factory=dict)

    def __call__(self, recording: Row) -> Histories:
        from botocore.exceptions import BotoCoreError, ClientError

        from cli.stage import explained
        from operations.deployed_stack import OperationFailed

        media = recording.get("media", [])
        if self._is_lost or len(media) > MOST_FOLLOWED:
            return {}
        names = {item["media_id"]: item["execution"] for item in media if item.get("execution")}
        try:
            return {media_id: self._read(name) for media_id, name in names.items()}
        except (BotoCoreError, ClientError) as error:
            self._lose(str(explained(error)))
        except (CommandFailed, OperationFailed) as error:
            self._lose(str(error))
        return {}

    def _lose(self, reason: str) -> None:
        self._is_lost = True
        self.lost(reason)

    def _read(self, name: str) -> Sequence[Event]:
        if name in self._ended:
            return self._ended[name]
        if self._connected is None:
            self._connected = self.connect()
        client, workflow_arn = self._connected
        arn = f"{workflow_arn.replace(':stateMachine:', ':execution:')}:{name}"
        events: list[Event] = []
        token: Mapping[str, str] = {}
        try:
            while True:
                page = client.get_execution_history(executionArn=arn, maxResults=1000, **token)
                events += page["events"]
                if not page.get("nextToken"):
                    break
                token = {"nextToken": page["nextToken"]}
        except client.exceptions.ExecutionDoesNotExist:
            # It has not begun yet, or it ended 90 days ago: the row has what became of it.
            return []
        if is_over(events):
            self._ended[name] = events
        return events
