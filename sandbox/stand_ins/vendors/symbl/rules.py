"""Symbl's rules for its calls, and its refusals. The messages of a 400 are those of the Joi validator."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import request

from sandbox.stand_ins.runtime.calls import Refusal

LANGUAGES = frozenset({
    "en-US", "en-GB", "en-AU", "en-IE", "en-IN", "en-ZA", "ru-RU", "fr-CA", "fr-FR", "de-DE", "it-IT", "nl-NL",
    "ja-JP", "es-US", "es-ES", "ar-SA", "hi-IN", "pt-BR", "pt-PT", "fa-IR",
})  # fmt: skip
DIARIZED = ("en", "es")

_Check = Callable[[Any], bool]


def refusal(status: int, message: str) -> Refusal:
    """Create Symbl's error. Only that of too many jobs repeats its status."""
    return Refusal(status, {"statusCode": status, "message": message} if status == 429 else {"message": message})


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _link(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _objects(**fields: _Check) -> _Check:
    def check(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(entry, dict) and all(name in entry and fits(entry[name]) for name, fits in fields.items())
            for entry in value
        )

    return check


def _threshold(value: Any) -> bool:
    return isinstance(value, int | float) and not _flag(value) and 0.5 <= value <= 1.0


_FIELDS: dict[str, tuple[_Check, str]] = {
    "url": (_link, "must be a valid uri"),
    "name": (_text, "must be a string and not empty"),
    "webhookUrl": (lambda value: value == "" or _link(value), "must be a valid uri"),
    "customVocabulary": (_words, "must be an array of strings"),
    "confidenceThreshold": (_threshold, "must be a number from 0.5 to 1.0"),
    "detectPhrases": (_flag, "must be a boolean"),
    "detectEntities": (_flag, "must be a boolean"),
    "entities": (_objects(customType=_text, text=_text), "must be an array of objects with customType and text"),
    "languageCode": (lambda value: value in LANGUAGES, "must be one of the supported languages"),
    "mode": (lambda value: value in ("phone", "default"), "must be one of [phone, default]"),
    "enableSeparateRecognitionPerChannel": (_flag, "must be a boolean"),
    "channelMetadata": (lambda value: isinstance(value, list), "must be an array"),
    "trackers": (_objects(name=_text, vocabulary=_words), "must be an array of objects with name and vocabulary"),
    "enableAllTrackers": (_flag, "must be a boolean"),
    "enableSummary": (_flag, "must be a boolean"),
    # Symbl's pages list these two in the body, but only the query has an effect.
    "enableSpeakerDiarization": (_flag, "must be a boolean"),
    "diarizationSpeakerCount": (lambda value: isinstance(value, int | str), "must be a number"),
    "features": (lambda value: isinstance(value, dict), "must be an object"),
    "metadata": (lambda value: isinstance(value, dict), "must be an object"),
}


def body_of() -> dict[str, Any]:
    """Check and return the JSON object of the request."""
    body = request.get_json(silent=True)
    if not request.is_json or not isinstance(body, dict):
        raise refusal(400, "the body must be a JSON object")
    return body


def submission_in_request() -> dict[str, Any]:
    """Check and return the fields of a submission. `speakers` is the number to diarize in the query, None without."""
    given = body_of()
    if "url" not in given:
        raise refusal(400, '"url" is required')
    for name, value in given.items():
        if name not in _FIELDS:
            raise refusal(400, f'"{name}" is not allowed')
        fits, must = _FIELDS[name]
        if not fits(value):
            raise refusal(400, f'"{name}" {must}')
    # The vendor's client sends the webhook in the query, a tutorial the summary. Both places count.
    hook = request.args.get("webhookUrl", given.get("webhookUrl") or "")
    if hook and not _link(hook):
        raise refusal(400, '"webhookUrl" must be a valid uri')
    summary = query_flag("enableSummary") or given.get("enableSummary", False)
    return {**given, "webhookUrl": hook, "enableSummary": summary, "speakers": _speakers(given)}


def _speakers(given: dict[str, Any]) -> int | None:
    count = query_number("diarizationSpeakerCount", least=1, most=100)
    if not query_flag("enableSpeakerDiarization"):
        return None
    if count is None:
        raise refusal(400, '"diarizationSpeakerCount" is required')
    return count if given.get("languageCode", "en-US")[:2] in DIARIZED else None


def query_flag(name: str) -> bool:
    """Check and return a parameter that is `true` or `false`. Python's `True` is refused."""
    value = request.args.get(name, "false")
    if value not in ("true", "false"):
        raise refusal(400, f'"{name}" must be a boolean')
    return value == "true"


def query_number(name: str, *, least: int, most: int) -> int | None:
    """Check and return a parameter that is a whole number in a range."""
    value = request.args.get(name)
    if value is None:
        return None
    if not value.isdecimal() or not least <= int(value) <= most:
        raise refusal(400, f'"{name}" must be an integer from {least} to {most}')
    return int(value)


def query_moment(name: str) -> datetime | None:
    """Check and return a parameter that is a time in ISO 8601 with a zone."""
    value = request.args.get(name)
    try:
        moment = None if value is None else datetime.fromisoformat(value)
    except ValueError:
        moment = datetime.min
    if moment is not None and moment.tzinfo is None:
        raise refusal(400, f'"{name}" must be in ISO 8601 date format')
    return moment
