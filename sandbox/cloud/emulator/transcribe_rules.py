"""What Transcribe refuses in a StartTranscriptionJob: by its published model, and by what its documentation adds.

The model is the one that boto3 carries: required members, types, enums, patterns and limits. Where the documentation
gives a rule and no source its message, the message is ours.
Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session

BAD_REQUEST = "BadRequestException"
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
    """An error of AWS's, with HTTP 400."""

    code: str
    message: str


class _WrongType(Exception):
    pass


def fault_in_start(wanted: Any) -> Fault | None:
    """The first thing wrong with the body of a start, None if it is sound."""
    if not isinstance(wanted, dict):
        return Fault("SerializationException", "the body is no JSON object")
    try:
        violation = next(_violations(_start_request(), wanted, ""), None)
    except _WrongType as wrong:
        return Fault("SerializationException", str(wrong))
    if violation:
        return Fault(BAD_REQUEST, f"1 validation error detected: {violation}")
    broken = next(_broken_rules(wanted), None)
    return Fault(BAD_REQUEST, broken) if broken else None


@functools.cache
def _start_request() -> Any:
    model = botocore.session.get_session().get_service_model("transcribe")
    return model.operation_model("StartTranscriptionJob").input_shape


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    fits = isinstance(value, _TYPES.get(kind, object)) and not (isinstance(value, bool) and kind != "boolean")
    if not fits:
        raise _WrongType(f"{path} is no {kind}")
    if kind == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield _violation("null", _step(path, name), "Member must not be null")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _violations(member, value[name], _step(path, name))
    elif kind == "list":
        for i, entry in enumerate(value):
            yield from _violations(shape.member, entry, f"{path}.{i + 1}.member")
    elif kind == "map":
        for entry in value.values():
            yield from _violations(shape.value, entry, path)
    if constraint := _broken_constraint(shape, value):
        yield _violation(f"'{value}'", path, constraint)


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


def _broken_rules(wanted: Mapping[str, Any]) -> Iterator[str]:
    settings = wanted.get("Settings") or {}
    chosen = [name for name in _LANGUAGE_CHOICES if wanted.get(name)]
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
    if "OutputKey" in wanted and "OutputBucketName" not in wanted:
        yield "OutputKey can only be specified together with OutputBucketName."
    if "VocabularyName" in settings:
        if "LanguageCode" not in wanted:
            yield "With language identification, specify a custom vocabulary in LanguageIdSettings."
        # The local cloud has no call that makes one.
        yield "The requested vocabulary couldn't be found. Check the vocabulary name and try your request again."
    if "ContentRedaction" in wanted:
        yield "This local cloud redacts nothing."
