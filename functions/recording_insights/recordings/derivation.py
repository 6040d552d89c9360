"""What a caller wants a model to derive from a recording, and how far that is, as the API shows it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from recording_insights.errors import InvalidRequest
from recording_insights.model.derived import KINDS
from recording_insights.model.status import ENDED, ERASING, READY, has_recorder
from recording_insights.store.rows import Derivation, RecordingRow
from recording_insights.validation import Reader, checked, language, object_of, some_of

LONGEST_PROMPT = 2000
"""In characters. It is sent with each part of a transcript."""
OFF = "off"
"""Nothing is derived."""
PENDING = "pending"
STATES = (PENDING, "done", "partial", OFF)
"""What the API shows under `insights`."""
WHY = ("insights_code", "insights_reason")
"""The attributes of a recording's row that say why its insights are partial."""

Choice = Derivation | Literal[False] | None
"""What a request says of insights: what is to be derived, nothing, or whatever the stack derives."""
DerivationOf = Callable[[Choice], Derivation | None]
"""Returns what is to be derived as the row keeps it; None is nothing. Raises `InvalidRequest`."""


def _is_prompt(value: Any) -> bool:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_PROMPT:
        return False
    return all(character.isprintable() or character in "\n\t" for character in value)


BRIEF_FIELDS: Mapping[str, Reader[Any]] = {
    "kinds": some_of(*KINDS),
    "language": language,
    "prompt": checked(
        _is_prompt,
        f"must be a text of 1 to {LONGEST_PROMPT} printable characters and line breaks",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_PROMPT, "pattern": r"\S"},
    ),
}
"""The fields of `insights` in a request."""
_brief = object_of(BRIEF_FIELDS)


def _read_choice(path: str, value: Any) -> Choice:
    if value is False:
        return False
    if not isinstance(value, Mapping):
        raise InvalidRequest(path, f"must be false or an object with {', '.join(BRIEF_FIELDS)}")
    return cast(Derivation, _brief(path, value))


insights_choice: Reader[Choice] = Reader(_read_choice, {"anyOf": [{"const": False}, _brief.schema]})
"""Reads `insights` of a request."""


def derivation_by(model: str | None) -> DerivationOf:
    """Return what a stack with this model derives, or one without a model."""
    return with_model if model else without_model


def without_model(choice: Choice) -> Derivation | None:
    """Return that nothing is derived, as in a stack that has no model.

    Raises:
        InvalidRequest: the request wants something derived.
    """
    if choice is None or choice is False:
        return None
    raise InvalidRequest("insights", "must be false or left out: this stack has no model (setting insightsModel)")


def with_model(choice: Choice) -> Derivation | None:
    """Return what is derived in a stack that has a model: everything that a request does not say is the stack's."""
    return None if choice is False else Derivation() if choice is None else choice


def state_of(recording: RecordingRow) -> str:
    """Return how far the insights of a recording are: pending, done, partial, or off.

    They are pending from the start on if they are wanted: they follow when the recording has a transcript.
    """
    if "derivation" in recording and (recording["status"] not in (*ENDED, ERASING) or _waits_for_end(recording)):
        return PENDING
    return recording.get("insights", OFF)


def _waits_for_end(recording: RecordingRow) -> bool:
    """Whether all that has arrived is done, and a model reads it when the recorder has left."""
    return recording["status"] in READY and has_recorder(recording) and "insights" not in recording
