"""The bus of the stage's own events, in EventBridge."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Published(Protocol):
    """What the bus needs of an event."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def recording_id(self) -> str:
        """The recording that it happened to."""

    def envelope(self) -> Mapping[str, Any]:
        """The event as consumers get it."""


@dataclass(frozen=True)
class EventBus:
    """A bus by its name, with boto3's client of EventBridge; `source` is the source of all events."""

    client: Any
    name: str
    source: str

    def put(self, events: Sequence[Published]) -> list[str | None]:
        """Put up to ten events onto the bus, and return for each why it was refused, or None.

        Raises botocore's `ClientError` if all are refused.
        """
        entries = [
            {
                "EventBusName": self.name,
                "Source": self.source,
                "DetailType": event.type,
                "Detail": json.dumps(event.envelope()),
                "Resources": [event.recording_id] if event.recording_id else [],
            }
            for event in events
        ]
        results = self.client.put_events(Entries=entries)["Entries"]
        return [result.get("ErrorCode") for result in results]
