"""The types of events that subscribers may choose from."""

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
