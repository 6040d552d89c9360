"""The rules of RingCentral's AI API for its calls, its refusals, and its rate limits.

The error codes `OAU-` and `CMN-` are from the platform's list and its forum. Of the AI's own codes (`CAI-101` to
`CAI-110`) sources show only `CAI-101`, for an invalid parameter. Here a missing parameter gets it too.
"""

from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import request

from sandbox.stand_ins.runtime.calls import Refusal

Check = Callable[[Any], bool]

INSIGHTS = frozenset(
    {
        "KeyPhrases",
        "Emotion",
        "AbstractiveSummaryLong",
        "AbstractiveSummaryShort",
        "ExtractiveSummary",
        "Topics",
        "TalkToListenRatio",
        "Energy",
        "Pace",
        "QuestionsAsked",
    }
)
# The enumeration of the vendor's OpenAPI; the values of its samples, Mpeg and Wav, are among them.
_ENCODINGS = frozenset({"Mpeg", "Mp4", "Wav", "Webm", "Webp", "Aac", "Avi", "Ogg"})
_AUDIO_TYPES = frozenset({"CallCenter", "Meeting", "EarningsCalls", "Interview", "PressConference", "Voicemail"})
_LIMITS = {"Heavy": 10, "Auth": 5}
_WINDOW_SECONDS = 60.0


def error(code: str, message: str, parameter: str | None = None) -> dict[str, str]:
    """Create an entry of `errors`."""
    return {"errorCode": code, "message": message, **({"parameterName": parameter} if parameter else {})}


def refusal(status: int, code: str, message: str, parameter: str | None = None) -> Refusal:
    """Create the platform's error, which repeats the first entry beside the list."""
    first = error(code, message, parameter)
    return Refusal(status, {**first, "errors": [first]})


def oauth_refusal(status: int, word: str, code: str, message: str) -> Refusal:
    """Create the error of the token call: OAuth's fields beside the platform's."""
    return Refusal(status, {"error": word, "error_description": message, "errors": [error(code, message)]})


def invalid(parameter: str, expected: str) -> Refusal:
    """Create the refusal of a parameter that is missing or invalid."""
    return Refusal(400, {"errors": [error("CAI-101", f"Parameter [{parameter}] is invalid. {expected}", parameter)]})


def webhook_of() -> str:
    """Check and return the query's `webhook`. It is required; RingCentral does not call it to validate it."""
    given = request.args.getlist("webhook")
    if len(given) != 1 or not is_url(given[0]):
        raise invalid("webhook", "It should be a valid uri")
    return given[0]


def job_body(extra: dict[str, Check]) -> dict[str, Any]:
    """Check and return the JSON object of a submission. `extra` has the checks of the task's own fields."""
    body = request.get_json(silent=True)
    if not request.is_json or not isinstance(body, dict):
        raise refusal(400, "CMN-103", "JSON can't be parsed.")
    for name, expected, check in (
        ("contentUri", "It should be a valid uri", is_url),
        ("encoding", f"It should be one of {sorted(_ENCODINGS)}", lambda value: value in _ENCODINGS),
        ("languageCode", "It should be en-US", lambda value: value == "en-US"),
    ):
        if not isinstance(body.get(name), str) or not check(body[name]):
            raise invalid(name, expected)
    for name, fits in {**_OPTIONAL, **extra}.items():
        if name in body and not fits(body[name]):
            raise invalid(name, "It is of the wrong type or none of the permitted values")
    return body


def is_url(value: Any) -> bool:
    """Whether the value is an absolute http or https URL."""
    if not isinstance(value, str) or any(character.isspace() for character in value):
        return False
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def is_flag(value: Any) -> bool:
    """Whether the value is true or false."""
    return isinstance(value, bool)


def are_insights(value: Any) -> bool:
    """Whether the value is a list of names of insights."""
    return _are_texts(value) and set(value) <= {"All", *INSIGHTS}


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _are_contexts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(c, dict) and _are_texts(c.get("phrases")) for c in value)


def _is_speaker_count(value: Any) -> bool:
    return type(value) is int and (value == -1 or value >= 1)


_OPTIONAL: dict[str, Check] = {
    "source": lambda value: isinstance(value, str),
    "audioType": lambda value: isinstance(value, str) and value in _AUDIO_TYPES,
    "speakerCount": _is_speaker_count,
    # Speakers must be enrolled first, and this stand-in has no call for that.
    "speakerIds": lambda value: value == [],
    "separateSpeakerPerChannel": is_flag,
    "enableVoiceActivityDetection": is_flag,
    "speechContexts": _are_contexts,
}


class RateGroup:
    """A group of calls with a limit per minute.

    A call beyond the limit starts a penalty, and each call during the penalty starts it again.
    """

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._calls: deque[float] = deque()
        self._free_at = 0.0

    def take(self, penalty_seconds: float) -> dict[str, str] | None:
        """Count a call. Return the headers of a 429 if it exceeds the limit; without a penalty there is no limit."""
        now = self._clock()
        while self._calls and self._calls[0] <= now - _WINDOW_SECONDS:
            self._calls.popleft()
        if not penalty_seconds:
            return None
        if now >= self._free_at and len(self._calls) < _LIMITS[self._name]:
            self._calls.append(now)
            return None
        self._free_at = now + penalty_seconds
        return {
            "Retry-After": str(round(penalty_seconds)),
            "X-Rate-Limit-Group": self._name.lower(),
            "X-Rate-Limit-Limit": str(_LIMITS[self._name]),
            "X-Rate-Limit-Remaining": "0",
            "X-Rate-Limit-Window": str(round(_WINDOW_SECONDS)),
        }
