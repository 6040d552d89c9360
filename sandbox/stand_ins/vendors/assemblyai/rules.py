"""AssemblyAI's rules for the body of a transcript request and the query of the list, and its refusals."""

from collections.abc import Mapping
from typing import Any

from flask import request

from sandbox.stand_ins.runtime.calls import Refusal

SPEECH_MODELS = ("universal-3-5-pro", "universal-2", "assemblyai-stt-3-7")
_LANGUAGES = (
    "en en_au en_uk en_us es fr de de_ch it pt nl af sq am ar hy as az ba eu be bn bs br bg my ca zh hr cs da et fo fi "
    "gl ka el gu ht ha haw he hi hu is id ja jw kn kk km ko lo la lv ln lt lb mk mg ms ml mt mi mr mn ne no nn oc pa "
    "ps fa pl ro ru sa sr sn sd si sk sl so su sw sv tl tg ta tt te th bo tr tk uk ur uz vi cy yi yo"
)
LANGUAGES = frozenset(_LANGUAGES.split())
ENGLISH_ONLY = ("sentiment_analysis", "auto_highlights", "auto_chapters", "summarization")
STATUSES = ("queued", "processing", "completed", "error")

_FIELDS: Mapping[type | tuple[type, ...], str] = {
    bool: "punctuate format_text dual_channel multichannel filter_profanity redact_pii redact_pii_audio "
    "redact_pii_return_unredacted speaker_labels content_safety iab_categories disfluencies sentiment_analysis "
    "auto_chapters entity_detection summarization auto_highlights language_detection",
    str: "audio_url language_code webhook_url webhook_auth_header_name webhook_auth_header_value boost_param "
    "redact_pii_audio_quality redact_pii_sub summary_model summary_type speech_model prompt remove_audio_tags domain",
    int: "audio_start_from audio_end_at speakers_expected content_safety_confidence",
    (int, float): "language_confidence_threshold speech_threshold temperature",
    list: "speech_models keyterms_prompt word_boost redact_pii_policies custom_spelling language_codes",
    dict: "speaker_options redact_pii_audio_options language_detection_options keyterms_prompt_options "
    "speech_understanding",
}
TYPES = {name: kind for kind, names in _FIELDS.items() for name in names.split()}
_LISTS_OF_TEXTS = ("keyterms_prompt", "word_boost", "redact_pii_policies")
_MOST_SPEAKERS, _MOST_KEYTERMS, _WORDS_OF_A_KEYTERM = 10, 1000, 6


def refusal(status: int, error: str) -> Refusal:
    """Create AssemblyAI's error, which is one text."""
    return Refusal(status, {"error": error})


def bad_schema() -> Refusal:
    """Create the refusal of a request that does not fit the schema, whatever is wrong with it."""
    return refusal(400, "Invalid endpoint schema, please refer to documentation for examples.")


def requested_transcript() -> dict[str, Any]:
    """Check and return the body of a transcript request. A null counts as a field left out."""
    body = request.get_json(silent=True)
    if not request.is_json or not isinstance(body, dict):
        raise bad_schema()
    requested = {name: value for name, value in body.items() if value is not None}
    for name, value in requested.items():
        if name not in TYPES or not isinstance(value, TYPES[name]):
            raise bad_schema()
        if isinstance(value, bool) and TYPES[name] is not bool:
            raise bad_schema()
    _check_values(requested)
    _check_models(requested)
    _check_language(requested)
    return requested


def _check_values(requested: Mapping[str, Any]) -> None:
    links = [requested.get("audio_url", ""), *([requested["webhook_url"]] if "webhook_url" in requested else [])]
    if not all(link.startswith(("http://", "https://")) for link in links):
        raise bad_schema()
    if not 1 <= requested.get("speakers_expected", 1) <= _MOST_SPEAKERS:
        raise bad_schema()
    if not all(isinstance(text, str) and text for name in _LISTS_OF_TEXTS for text in requested.get(name, ())):
        raise bad_schema()
    terms = requested.get("keyterms_prompt", ())
    if len(terms) > _MOST_KEYTERMS or any(len(term.split()) > _WORDS_OF_A_KEYTERM for term in terms):
        raise bad_schema()
    if requested.get("redact_pii") and not requested.get("redact_pii_policies"):
        raise bad_schema()


def _check_models(requested: Mapping[str, Any]) -> None:
    models = requested.get("speech_models", SPEECH_MODELS)
    if not models or not all(model in SPEECH_MODELS for model in models):
        names = ", ".join(f'"{model}"' for model in SPEECH_MODELS)
        raise refusal(400, f'"speech_models" must be a non-empty list containing one or more of: {names}')


def _check_language(requested: Mapping[str, Any]) -> None:
    language = requested.get("language_code", "en_us")
    if language not in LANGUAGES:
        raise bad_schema()
    if not language.startswith("en") and (unavailable := [name for name in ENGLISH_ONLY if requested.get(name)]):
        raise refusal(400, f"The following models are not available in this language: {', '.join(unavailable)}")


def page_in_query() -> tuple[int, Mapping[str, str]]:
    """Check and return the limit and the filters of the list."""
    query = request.args.to_dict()
    limit = query.pop("limit", "10")
    known = {"status", "created_on", "before_id", "after_id", "throttled_only"}
    if not limit.isdecimal() or not 1 <= int(limit) <= 200 or query.keys() - known:
        raise bad_schema()
    if query.get("status", "queued") not in STATUSES:
        raise bad_schema()
    return int(limit), query
