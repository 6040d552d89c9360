"""The rules of a StartTranscriptionJob: those of its published model, and those of its documentation.

The model is boto3's: required members, types, enums, patterns and limits. Where no source shows the message of a rule,
the message is ours.
Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session

from sandbox.shapes import WrongType, violations

BAD_REQUEST = "BadRequestException"
_REDACTED_LANGUAGES = frozenset({"de-CH", "de-DE", "en-US", "es-US", "fr-CA", "fr-FR", "it-IT", "pt-BR", "pt-PT"})
"""Source: https://docs.aws.amazon.com/transcribe/latest/dg/pii-redaction-batch.html and /dg/doc-history.html"""
_LANGUAGE_CHOICES = ("LanguageCode", "IdentifyLanguage", "IdentifyMultipleLanguages")


@dataclass(frozen=True)
class Fault:
    """An error of AWS with HTTP 400."""

    code: str
    message: str


def fault_in_start(request: Any) -> Fault | None:
    """Return the first fault in the body of a start, None if there is none."""
    if not isinstance(request, dict):
        return Fault("SerializationException", "the body is no JSON object")
    try:
        violation = next(violations(_start_request(), request), None)
    except WrongType as wrong:
        return Fault("SerializationException", str(wrong))
    if violation:
        return Fault(BAD_REQUEST, f"1 validation error detected: {violation}")
    broken = next(_broken_rules(request), None)
    return Fault(BAD_REQUEST, broken) if broken else None


@functools.cache
def _start_request() -> Any:
    model = botocore.session.get_session().get_service_model("transcribe")
    return model.operation_model("StartTranscriptionJob").input_shape


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
