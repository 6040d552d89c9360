"""Results of SeaMeet, which are payloads of callbacks, in the normalised shape."""

from collections.abc import Mapping
from typing import Any

from recording_insights.model.insights import Insights, Utterance
from recording_insights.providers.toolkit.json import parse_object, promised_list, promised_object
from recording_insights.providers.toolkit.values import maps, optional_text

_RATINGS = (
    "customer_satisfaction_rating",
    "agent_performance_rating",
    "agent_performance_feedback",
    "risk_factor",
    "title",
)


def read_insights(reply: bytes) -> Insights:
    """Read the payload of a callback. Its transcript has no times; its ratings are letters from A (best) to E.

    Raises:
        ValueError: the reply contains no transcript; the text names the field. A transcript of null is an empty one.
    """
    payload = payload_of(parse_object(reply))
    lines = [] if payload.get("transcript", ()) is None else promised_list(payload, "transcript")
    return Insights(
        transcript=[
            Utterance(text=text, speaker=plain_text(line.get("speaker")))
            for line in maps(lines)
            if (text := plain_text(line.get("text")))
        ],
        summary=plain_text(payload.get("summary")),
        ratings={name: payload[name] for name in _RATINGS if plain_text(payload.get(name))},
    )


def payload_of(callback: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of a callback: an object, or a text with the JSON of the object, as one page describes it.

    Raises:
        ValueError: the callback has no payload, or another value in its place; the text names the field.
    """
    payload = callback.get("payload")
    if not isinstance(payload, str):
        return promised_object(callback, "payload")
    try:
        return parse_object(payload.encode())
    except ValueError:
        raise ValueError("its field payload is no object") from None


def plain_text(value: Any) -> str | None:
    """Return a text, or a number as a text; None for an empty text and for every other type."""
    return optional_text(value)
