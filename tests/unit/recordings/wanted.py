"""Requests for recordings, checked as the API checks them."""

from typing import Any

from recording_insights.agora.recorder import RecorderOrder
from recording_insights.recordings.request import RecordingRequest


def wanted(channel: str = "team", *, aws_region: str = "us-east-1", **fields: Any) -> RecordingRequest:
    """A checked request to a stack in `aws_region`."""
    return RecordingRequest.from_body(
        {"channel": channel, **fields},
        providers=("marsview",),
        default_provider="marsview",
        validate_options=lambda provider, options: None,
        aws_region=aws_region,
    )


def order(channel: str = "team", **fields: Any) -> RecorderOrder:
    """What the client gets of a checked request."""
    return wanted(channel, **fields).order
