"""The rules of a StartTranscriptionJob: those of its published model, and those of its documentation.

The model is boto3's: required members, types, enums, patterns and limits. Where no source shows the message of a rule,
the message is ours.
Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session

BAD_REQUEST = "BadRequestException"
_REDACTED_LANGUAGES = frozenset({"de-CH", "de-DE", "en-US", "es-US", "fr-CA", "fr-FR", "it-IT", "pt-BR", "pt-PT"})
"""Source: https://docs.aws.amazon.com/transcribe/latest/dg/pii-redaction-batch.html and /dg/doc-history.html"""
_LANGUAGE_CHOICES = ("LanguageCode", "IdentifyLanguage", "IdentifyMultipleLanguages")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "float": (int, float),
}


@dataclass(frozen=True)
class Fault:
    """An error of AWS with HTTP 400."""

    code: str
    message: str


class _WrongType(Exception):
    pass


def fault_in_start(request: Any) -> Fault | None:
    """Return the first fault in the body of a start, None if there is none."""
    if not isinstance(request, dict):
        return Fault("SerializationException", "the body is no JSON object")
    try:
        violation = next(_violations(_start_request(), request, ""), None)
    except _WrongType as wrong:
        return Fault("SerializationException", str(wrong))
    if violation:
        return Fault(BAD_REQUEST, f"1 validation error detected: {violation}")
    broken = next(_broken_rules(request), None)
    return Fault(BAD_REQUEST, broken) if broken else None


@functools.cache
def _start_request() -> Any:
    model = botocore.session.get_session().get_service_model("transcribe")
    return model.operation_model("StartTranscriptionJob").input_shape


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    """The constraints of a shape of the model that a value breaks, those of its members first."""
    kind = shape.type_name
    fits = isinstance(value, _TYPES.get(kind, object)) and not (isinstance(value, bool) and kind != "boolean")
    if not fits:
        raise _WrongType(f"{path} is no {kind}")
    yield from _violations_inside(shape, value, path)
    if constraint := _broken_constraint(shape, value):
        yield _violation(f"'{value}'", path, constraint)


def _violations_inside(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _violations_of_members(shape, value, path)
        case "list":
            for i, entry in enumerate(value):
                yield from _violations(shape.member, entry, f"{path}.{i + 1}.member")
        case "map":
            for entry in value.values():
                yield from _violations(shape.value, entry, path)


def _violations_of_members(structure: Any, value: Any, path: str) -> Iterator[str]:
    for name in structure.required_members:
        if value.get(name) is None:
            yield _violation("null", _step(path, name), "Member must not be null")
    for name, member in structure.members.items():
        if value.get(name) is not None:
            yield from _violations(member, value[name], _step(path, name))


def _broken_constraint(shape: Any, value: Any) -> str | None:
    limits, enum = shape.metadata, shape.metadata.get("enum")
    if enum and value not in enum:
        return f"Member must satisfy enum value set: [{', '.join(sorted(enum))}]"
    pattern = limits.get("pattern")
    if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value):
        return f"Member must satisfy regular expression pattern: {pattern}"
    size, what = (value, "value") if shape.type_name in ("integer", "float") else (_length(value), "length")
    if "min" in limits and size is not None and size < limits["min"]:
        return f"Member must have {what} greater than or equal to {limits['min']}"
    if "max" in limits and size is not None and size > limits["max"]:
        return f"Member must have {what} less than or equal to {limits['max']}"
    return None


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list | dict) else None


def _violation(value: str, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def _step(path: str, name: str) -> str:
    own = name[:1].lower() + name[1:]
    return f"{path}.{own}" if path else own


def _broken_rules(request: Mapping[str, Any]) -> Iterator[str]:
    settings = request.get("Settings") or {}
    chosen = [name for name in _LANGUAGE_CHOICES if request.get(name)]
    if not chosen:
        yield (
            "You must include either LanguageCode or IdentifyLanguage or IdentifyMultipleLanguages in your request. "
            "Please try your request again."
        )
    if len(chosen) > 1:
        yield f"You can include only one of {', '.join(_LANGUAGE_CHOICES)} in your request."
    if bool(settings.get("ShowSpeakerLabels")) != ("MaxSpeakerLabels" in settings):
        yield "ShowSpeakerLabels and MaxSpeakerLabels must be specified together."
    if bool(settings.get("ShowAlternatives")) != ("MaxAlternatives" in settings):
        yield "ShowAlternatives and MaxAlternatives must be specified together."
    if "OutputKey" in request and "OutputBucketName" not in request:
        yield "OutputKey can only be specified together with OutputBucketName."
    if "VocabularyName" in settings:
        if "LanguageCode" not in request:
            yield "With language identification, specify a custom vocabulary in LanguageIdSettings."
        # The local cloud has no call that creates a vocabulary.
        yield "The requested vocabulary couldn't be found. Check the vocabulary name and try your request again."
    if "ContentRedaction" in request:
        yield from _broken_rules_of_redaction(request)


def _broken_rules_of_redaction(request: Mapping[str, Any]) -> Iterator[str]:
    if request.get("LanguageCode") not in _REDACTED_LANGUAGES:
        yield f"Content redaction needs a LanguageCode out of {', '.join(sorted(_REDACTED_LANGUAGES))}."
    if request["ContentRedaction"]["RedactionOutput"] != "redacted":
        yield "This local cloud writes a redacted transcript or an unredacted one, not both."
