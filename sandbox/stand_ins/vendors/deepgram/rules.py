"""Deepgram's rules for the query of a call, and its refusals.

Its errors have two shapes in JSON: {err_code, err_msg, request_id}, and for a body that is not JSON
{category, message, details, request_id}. The page of errors describes queries and callbacks under text-to-speech; it is
the same API, so they count here too. The message for a wrong combination of model and vocabulary is not documented.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request
from werkzeug.datastructures import MultiDict

from sandbox.stand_ins.runtime.calls import Refusal

FLAGS = frozenset(
    {
        "detect_entities",
        "diarize",
        "dictation",
        "filler_words",
        "intents",
        "measurements",
        "mip_opt_out",
        "multichannel",
        "numerals",
        "paragraphs",
        "profanity_filter",
        "punctuate",
        "sentiment",
        "smart_format",
        "topics",
        "utterances",
    }
)
TEXTS = frozenset(
    {"custom_intent", "custom_topic", "extra", "keyterm", "keywords", "language_hint", "replace"}
    | {"search", "tag", "version"}
)
_REDACTED = (
    "true false pci pii phi numbers aggressive_numbers account_number age bank_account blood_type condition "
    "credit_card credit_card_expiration cvv date date_interval dob driver_license drug email_address event filename "
    "gender_sexuality healthcare_number injury ip_address language location location_address location_city "
    "location_coordinate location_country location_state location_zip marital_status medical_process money name "
    "name_family name_given name_medical_professional numerical_pii occupation organization origin passport_number "
    "password phone_number physical_attribute political_affiliation religion routing_number ssn statistics time url "
    "username vehicle_id zodiac_sign"
)
"""Groups and entities. Deepgram refuses its other entities: cardinal, ordinal and percent.

Source: https://developers.deepgram.com/docs/supported-entity-types
"""
CHOICES: Mapping[str, frozenset[str]] = {
    "callback_method": frozenset({"post", "put"}),
    "custom_intent_mode": frozenset({"extended", "strict"}),
    "custom_topic_mode": frozenset({"extended", "strict"}),
    "diarize_model": frozenset({"latest", "v1", "v2"}),
    "encoding": frozenset({"linear16", "flac", "mulaw", "amr-nb", "amr-wb", "opus", "speex", "g729"}),
    "redact": frozenset(_REDACTED.split()),
    "summarize": frozenset({"v2", "true", "false"}),
}
_REDACTS_DATES = frozenset({"pii", "numbers", "true", "date"})
_OTHERS = frozenset({"callback", "detect_language", "language", "model", "utt_split"})
_MODEL = re.compile(
    "nova-3(-general|-medical)?"
    "|nova-2(-general|-meeting|-phonecall|-finance|-conversationalai|-voicemail|-video|-medical|-drivethru|-automotive"
    "|-atc)?|nova(-general|-phonecall|-medical)?|enhanced(-general|-meeting|-phonecall|-finance)?"
    "|(base-)?(meeting|phonecall|finance|conversationalai|voicemail|video)|base(-general)?"
    "|whisper(-tiny|-base|-small|-medium|-large)?"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LANGUAGE = re.compile(r"multi|[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
_REGIONAL = re.compile(
    r"da-DK|de-CH|en-(AU|GB|IN|NZ|US)|es-419|fr-CA|ko-KR|nl-BE|pt-(BR|PT)|sv-SE|th-TH|zh-(CN|HK|Hans|Hant|TW)"
)
_PORTS = (None, 80, 443, 8080, 8443)
_MOST_TOKENS = 500
_MOST_KEYWORDS = 100


@dataclass(frozen=True)
class Query:
    """The checked query of a call.

    `on` has the flags that are true, `texts` the values of the other parameters in order. `unknown` are parameters that
    the API does not list; it ignores them.
    """

    on: frozenset[str]
    texts: Mapping[str, list[str]]
    unknown: list[str]

    def text(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter."""
        return self.texts.get(name, [default])[0]

    @property
    def language(self) -> str | None:
        """The language of the speech; None if it must be detected."""
        detect = self.text("detect_language", "false")
        return self.text("language", "en") if detect == "false" else None

    @property
    def diarizes(self) -> bool:
        return "diarize" in self.on or "diarize_model" in self.texts

    @property
    def redacts_dates(self) -> bool:
        """Whether dates are redacted: entities are, in English only."""
        is_english = (self.language or "").partition("-")[0] == "en"
        return is_english and bool(_REDACTS_DATES & set(self.texts.get("redact", ())))

    @property
    def punctuates(self) -> bool:
        return bool(self.on & {"punctuate", "smart_format", "paragraphs"})


def refusal(status: int, code: str, message: str, request_id: str) -> Refusal:
    """Create Deepgram's usual error."""
    return Refusal(status, {"err_code": code, "err_msg": message, "request_id": request_id})


def url_in_body(request_id: str) -> str:
    """Check and return the media's URL in a body {"url": …}."""
    try:
        body = json.loads(request.get_data())
        details = "missing field `url` at line 1 column 2" if not isinstance(body, dict) or "url" not in body else ""
    except ValueError as error:
        details = f"{error}"
    if details:
        shown = {"category": "INVALID_JSON", "message": "Invalid JSON submitted."}
        raise Refusal(400, {**shown, "details": f"Json deserialize error: {details}", "request_id": request_id})
    if not isinstance(body["url"], str) or urlsplit(body["url"]).scheme not in ("http", "https"):
        raise refusal(400, "PAYLOAD_ERROR", "Failed to parse URL in JSON body.", request_id)
    return body["url"]


def checked(parameters: "MultiDict[str, str]", request_id: str) -> Query:
    """Check and return the query of a call. Raises Refusal."""
    on, texts, unknown = set(), {}, []
    for name, values in parameters.lists():
        if name in FLAGS:
            if _flag(name, values, request_id):
                on.add(name)
        elif name in TEXTS or name in CHOICES or name in _OTHERS:
            texts[name] = values
        else:
            unknown.append(name)
    query = Query(frozenset(on), texts, unknown)
    for name, allowed in CHOICES.items():
        for value in texts.get(name, []):
            if (value.lower() if name == "callback_method" else value) not in allowed:
                raise _bad_query(f"{name}: unknown variant `{value}`", request_id)
    if "utt_split" in texts and not re.fullmatch(r"\d+(\.\d+)?", texts["utt_split"][0]):
        raise _bad_query("utt_split: invalid float literal", request_id)
    _check_model(query, request_id)
    _check_vocabulary(query, request_id)
    if "callback" in texts:
        _check_callback(texts["callback"][0], request_id)
    return query


def _flag(name: str, values: list[str], request_id: str) -> bool:
    if len(values) != 1 or values[0] not in ("true", "false"):
        raise _bad_query(f"{name}: provided string was not `true` or `false`", request_id)
    return values[0] == "true"


def _bad_query(message: str, request_id: str) -> Refusal:
    text = f"Failed to deserialize query parameters: {message}"
    return refusal(400, "INVALID_QUERY_PARAMETER", text, request_id)


def _check_model(query: Query, request_id: str) -> None:
    model, language = query.text("model", "base"), query.text("language", "en")
    if _UUID.fullmatch(model):
        text = "Project does not have access to the requested model."
        raise refusal(403, "INSUFFICIENT_PERMISSIONS", text, request_id)
    is_known = _LANGUAGE.fullmatch(language) and ("-" not in language or _REGIONAL.fullmatch(language))
    if not _MODEL.fullmatch(model) or not is_known:
        text = "Bad Request: No such model/language/tier combination found."
        raise refusal(400, "Bad Request", text, request_id)
    for value in query.texts.get("detect_language", []):
        if value not in ("true", "false") and not _LANGUAGE.fullmatch(value):
            raise _bad_query("detect_language: not a language", request_id)
    is_english = query.language is None or query.language.partition("-")[0] in ("en", "multi")
    if query.text("summarize") == "v2" and not is_english:
        text = "Summarization v2 not supported for non-English languages"
        raise refusal(400, "Bad Request", text, request_id)


def _check_vocabulary(query: Query, request_id: str) -> None:
    is_newest = query.text("model", "base").startswith("nova-3")
    terms, words = query.texts.get("keyterm", []), query.texts.get("keywords", [])
    text = ""
    if terms and not is_newest:
        text = "Keyterm Prompting is only available for Nova-3."
    elif words and is_newest:
        text = "Keywords are not supported for Nova-3, use keyterm instead."
    elif sum(len(term.split()) for term in terms) > _MOST_TOKENS:
        text = "Keyterm limit exceeded. The maximum number of tokens across all keyterms is 500."
    elif len(words) > _MOST_KEYWORDS:
        text = "Keywords are limited to 100 keywords per request."
    if text:
        raise refusal(400, "Bad Request", text, request_id)


def _check_callback(url: str, request_id: str) -> None:
    """A public host may have four ports; a host on this machine or its network any port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https") or not (port in _PORTS or _is_local(host)):
        raise refusal(400, "INVALID_QUERY_PARAMETER", "Invalid callback url.", request_id)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(".localhost")
