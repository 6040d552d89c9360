"""Results of SeaMeet, which are payloads of callbacks, in the normalised shape."""

from typing import Any

from recording_insights.model.insights import Insights, Utterance
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.values import maps, optional_text

_RATINGS = (
    "customer_satisfaction_rating",
    "agent_performance_rating",
    "agent_performance_feedback",
    "risk_factor",
    "title",
)


def read_insights(reply: bytes) -> Insights:
    """Read the payload of a callback. Its transcript has no times; its ratings are letters from A (best) to E."""
    payload = payload_of(parse_json(reply))
    lines = payload["transcript"]
    if lines is not None and not isinstance(lines, list):
        raise TypeError("the transcript is no list")
    return Insights(
        transcript=[
            Utterance(text=text, speaker=plain_text(line.get("speaker")))
            for line in maps(lines)
            if (text := plain_text(line.get("text")))
        ],
        summary=plain_text(payload.get("summary")),
        ratings={name: payload[name] for name in _RATINGS if plain_text(payload.get(name))},
    )


def payload_of(callback: Any) -> dict[str, Any]:
    """Return the payload of a callback: an object, or a text with the JSON of the object, as one page describes it.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: the callback has no payload.
    """
    payload = callback["payload"]
    if isinstance(payload, str):
        payload = parse_json(payload.encode())
    if not isinstance(payload, dict):
        raise TypeError("the payload is no object")
    return payload


def plain_text(value: Any) -> str | None:
    """Return a text, or a number as a text; None for an empty text and for every other type."""
    return optional_text(value)
