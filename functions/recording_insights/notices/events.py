"""Events: their types, and the envelope that all of them have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

EVENT_TYPES = (
    "recording.started",
    "recording.ended",
    "recording.completed",
    "media.done",
    "media.failed",
    "transcript.ready",
    "insights.ready",
    "insights.updated",
    "recording.failed",
    "recording.erased",
    "subscription.disabled",
)
"""All types of events on the bus."""
SOURCE = "recording-insights"
"""The source of every event on the bus."""
VERSION = "1"
"""The version of the envelope and of the data. A new attribute does not change it."""


@dataclass(frozen=True)
class Event:
    """What happened, and when (ISO 8601, UTC). `data` has the recording's id under `recording_id`.

    `reference` and `metadata` are the caller's own words; None and empty where the recording has none.
    """

    id: str
    type: str
    time: str
    data: Mapping[str, Any]
    reference: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def recording_id(self) -> str:
        """The recording that it happened to; empty if it did to none."""
        return str(self.data.get("recording_id", ""))

    def envelope(self) -> dict[str, Any]:
        """The event as consumers get it."""
        words: dict[str, Any] = {"reference": self.reference, "metadata": dict(self.metadata)}
        return {
            "id": self.id,
            "type": self.type,
            "version": VERSION,
            "time": self.time,
            **{name: value for name, value in words.items() if value},
            "data": dict(self.data),
        }


def event_id(*parts: str) -> str:
    """The id of an event: the same parts have the same id, so that an event which is sent again keeps it."""
    return f"evt_{sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"
