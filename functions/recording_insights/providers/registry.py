"""The table of providers, which the stack reads at synth and the functions at run time.

It imports nothing heavy: an adapter is imported when it is needed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recording_insights.aws.secrets import SharedToken, read_secret
from recording_insights.errors import InvalidRequest, ProviderNotConfigured
from recording_insights.providers.port import Callback, CallsBack, Capabilities, Provider
from recording_insights.settings import VendorSettings, job_prefix
from recording_insights.validation import (
    Reader,
    distinct,
    flag,
    language,
    list_of,
    number,
    object_of,
    one_of,
    phrase,
    phrases,
    some_of,
    whole_number,
)

if TYPE_CHECKING:
    import requests

    from recording_insights.providers.toolkit.http import VendorHttp

_text = phrase(200)
_HOST_ONLY = re.compile(r"https://[\w.-]+", re.ASCII)


def _objects(readers: Mapping[str, Reader[Any]]) -> Reader[list[dict[str, Any]]]:
    """A list of 1 to 100 objects with all of some fields."""
    return list_of(object_of(readers, required=list(readers)), most=100, of=f"objects with {', '.join(readers)}")


def _check_host(url: str, what: str) -> None:
    if not _HOST_ONLY.fullmatch(url):
        raise ValueError(f"{what} {url!r} is not https:// and a host")


def _entities(names: str) -> Reader[list[str]]:
    """A list of different names of entities; an empty one redacts nothing, also where the stack redacts something."""
    known = names.split()
    detail = f"must be a list of different names out of {', '.join(known)}"
    return distinct(list_of(one_of(*known), fewest=0, of="names").with_detail(detail), detail)


class AcceptedFormats:
    """The formats that a provider takes, as file suffixes without the dot, and the vendor's page that names them.

    A format that the page does not name counts as not taken. Every list has mp4, the format of prepared files.
    """

    def __init__(self, suffixes: str, *, source: str) -> None:
        self.suffixes = frozenset(suffixes.split())
        self.source = source


@dataclass(frozen=True)
class RegionalHost:
    """A host of a vendor that keeps the data in one residency, and the vendor's page that says so.

    `options` are the options that a job needs for that. No stack and no request can override them.

    Raises:
        ValueError: the URL is no `https://host`.
    """

    url: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_host(self.url, "a regional host")


@dataclass(frozen=True)
class ProviderEntry:
    """One provider: its adapter, its base URL, the keys of its secret, its formats, and a reader for each option.

    `job_id` is the name under which a job has the vendor's own id.

    `adapter` is `package:Class`, for the class in `adapters/<package>/calls.py`. `base_url` is scheme and host of the
    vendor's API, without a trailing slash. A service of AWS has neither base URL nor secret: its adapter calls it with
    the function's own role. `language`, `custom_vocabulary` and `speakers` mean the same for every provider that has
    them. `hosts` are the vendor's hosts by residency: a vendor without one is outside of it. `shares_token` is for a
    vendor that limits logins: all workers use one access token. `slots` are the jobs that the vendor works on at once
    in a paid account; None if it documents no limit. `webhook_key` is for a vendor that signs its callbacks: the one
    key of the secret `<provider>-webhook`. It is all that the receiver of the callbacks reads. Callbacks of other
    vendors show the token of their job. `finds` are the kinds of insights, by their names in `model.derived`, that the
    vendor returns for an order without options.

    Raises:
        ValueError: the base URL is no `https://host`, or only one of base URL and secret is given.
    """

    adapter: str
    base_url: str | None
    secret_keys: tuple[str, ...]
    job_id: str
    formats: AcceptedFormats
    options: Mapping[str, Reader[Any]]
    hosts: Mapping[str, RegionalHost] = field(default_factory=dict)
    shares_token: bool = False
    slots: int | None = None
    webhook_key: str | None = None
    finds: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.base_url is not None:
            _check_host(self.base_url, f"{self.adapter}: the base URL")
        if (self.base_url is None) != (not self.secret_keys):
            raise ValueError(f"{self.adapter}: a vendor has a base URL and a secret, a service of AWS has neither")


PROVIDERS: Mapping[str, ProviderEntry] = {
    "assemblyai": ProviderEntry(
        adapter="assemblyai:AssemblyAI",
        base_url="https://api.assemblyai.com",
        secret_keys=("apiKey",),
        job_id="transcript_id",
        formats=AcceptedFormats(
            "3ga 8svx aac ac3 aif aiff alac amr ape au dss flac flv m2ts m4a m4b m4p m4r m4v mogg mov mp2 mp3 mp4 mpga "
            "mts mxf oga ogg opus qcp ts tta voc wav webm wma wv",
            source="https://www.assemblyai.com/docs/faq/what-audio-and-video-file-types-are-supported-by-your-api",
        ),
        slots=200,
        options={
            "language": language,
            "custom_vocabulary": phrases(most=200),
            "speakers": whole_number(1, 10),
            "speech_models": phrases(most=5),
            "features": some_of("sentiment_analysis", "entity_detection", "iab_categories", "auto_highlights"),
            # Source: https://www.assemblyai.com/docs/pre-recorded-audio/redact-pii-from-transcripts, and `EntityType`
            # of the vendor's Python client 1.8.2
            "redact_pii": _entities(
                "account_number banking_information blood_type corporate_action credit_card_cvv credit_card_expiration "
                "credit_card_number date date_interval date_of_birth day drivers_license drug duration effect "
                "email_address event filename financial_metric gender gender_sexuality healthcare_number injury "
                "ip_address language location location_address location_address_street location_city "
                "location_coordinate location_country location_state location_zip marital_status medical_code "
                "medical_condition medical_process money_amount month nationality number_sequence occupation "
                "organization organization_id organization_medical_facility passport_number password person_age "
                "person_name phone_number physical_attribute political_affiliation product project religion sexuality "
                "statistics time trend url us_social_security_number username vehicle_id year zodiac_sign"
            ),
        },
        hosts={
            # The data of the default host "stays in the US".
            residency: RegionalHost(url, source="https://www.assemblyai.com/docs/pre-recorded-audio/select-the-region")
            for residency, url in {
                "EU": "https://api.eu.assemblyai.com",
                "US": "https://api.assemblyai.com",
            }.items()
        },
    ),
    "deepgram": ProviderEntry(
        adapter="deepgram:Deepgram",
        base_url="https://api.deepgram.com",
        secret_keys=("apiKey",),
        job_id="request_id",
        formats=AcceptedFormats(
            "mp4 m4a mp3 wav aac flac ogg opus webm",
            source="https://developers.deepgram.com/docs/supported-audio-formats",
        ),
        slots=100,
        finds=frozenset({"summary", "topics"}),
        options={
            "language": language,
            "custom_vocabulary": phrases(most=100),
            "model": _text,
            "features": some_of("summarize", "sentiment", "topics", "intents", "detect_entities"),
            # Source: https://developers.deepgram.com/docs/redaction and /docs/supported-entity-types
            "redact_pii": _entities(
                "pci pii phi numbers aggressive_numbers account_number age bank_account blood_type condition "
                "credit_card credit_card_expiration cvv date date_interval dob driver_license drug email_address event "
                "filename gender_sexuality healthcare_number injury ip_address language location location_address "
                "location_city location_coordinate location_country location_state location_zip marital_status "
                "medical_process money name name_family name_given name_medical_professional numerical_pii occupation "
                "organization origin passport_number password phone_number physical_attribute political_affiliation "
                "religion routing_number ssn statistics time url username vehicle_id zodiac_sign"
            ),
            "mip_opt_out": flag,
        },
        hosts={
            # Media that Deepgram keeps to improve its models may leave the region.
            residency: RegionalHost(
                f"https://api.{residency.lower()}.deepgram.com",
                source="https://developers.deepgram.com/trust-security/your-data",
                options={"mip_opt_out": True},
            )
            for residency in ("EU", "US")
        },
    ),
    "transcribe": ProviderEntry(
        adapter="transcribe:Transcribe",
        base_url=None,
        secret_keys=(),
        job_id="name",
        formats=AcceptedFormats(
            "mp4 m4a mp3 wav flac ogg amr webm",
            source="https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html",
        ),
        slots=250,
        options={
            "language": language,
            "speakers": whole_number(2, 30),
            "vocabulary_name": _text,
            # Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_ContentRedaction.html
            "redact_pii": _entities(
                "ALL ADDRESS AGE AWS_ACCESS_KEY AWS_SECRET_KEY BANK_ACCOUNT_NUMBER BANK_ROUTING CA_HEALTH_NUMBER "
                "CA_SOCIAL_INSURANCE_NUMBER CREDIT_DEBIT_CVV CREDIT_DEBIT_EXPIRY CREDIT_DEBIT_NUMBER DATE_TIME "
                "DRIVER_ID EMAIL INTERNATIONAL_BANK_ACCOUNT_NUMBER IP_ADDRESS LICENSE_PLATE MAC_ADDRESS NAME "
                "PASSPORT_NUMBER PASSWORD PHONE PIN SSN SWIFT_CODE URL US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER "
                "USERNAME VEHICLE_IDENTIFICATION_NUMBER"
            ),
        },
    ),
    "marsview": ProviderEntry(
        adapter="marsview:Marsview",
        base_url="https://api.marsview.ai",
        secret_keys=("apiKey", "apiSecret", "userId"),
        job_id="transaction_id",
        formats=AcceptedFormats(
            "mp4 m4a mp3 wav avi",
            source="https://docs.marsview.ai/speech-analytics-api/file-handling",
        ),
        finds=frozenset({"summary", "topics", "action_items", "questions"}),
        options={
            "models": some_of(
                "speech_to_text",
                "sentiment_analysis",
                "emotion_analysis",
                "speech_type_analysis",
                "action_items",
                "question_response",
                "extractive_summary",
                "meeting_topics",
            ),
            "custom_vocabulary": phrases(most=500),
            "speakers": whole_number(1, 20),
            "title": _text,
        },
    ),
    "symbl": ProviderEntry(
        adapter="symbl:Symbl",
        base_url="https://api.symbl.ai",
        secret_keys=("appId", "appSecret"),
        job_id="job_id",
        formats=AcceptedFormats(
            "mp4 m4a mp3 wav aac ac3 aiff amr flac ogg opus wma",
            source="https://github.com/symblai/symbl-docs, docs/async-api",
        ),
        slots=50,
        finds=frozenset({"summary", "topics", "action_items", "follow_ups", "questions"}),
        options={
            "language": language,
            "custom_vocabulary": phrases(most=500),
            "speakers": whole_number(1, 20),
            "confidence_threshold": number(0.5, 1.0),
            "detect_phrases": flag,
            "entities": _objects({"customType": _text, "text": _text}),
            "trackers": _objects({"name": _text, "vocabulary": phrases(most=100)}),
            "all_trackers": flag,
            "summary": flag,
            "mode": one_of("phone", "default"),
            "title": _text,
        },
    ),
    "ringcentral": ProviderEntry(
        adapter="ringcentral:RingCentral",
        base_url="https://platform.ringcentral.com",
        secret_keys=("clientId", "clientSecret", "jwt"),
        job_id="job_id",
        formats=AcceptedFormats(
            "mp4 m4a mp3 wav aac ogg webm",
            source="https://github.com/ringcentral/ringcentral-api-docs, docs/ai",
        ),
        shares_token=True,
        finds=frozenset({"summary", "topics", "questions"}),
        options={
            "language": one_of("en", "en-US"),
            "custom_vocabulary": phrases(most=500),
            "speakers": whole_number(1, 20),
            "task": one_of("analyze_interaction", "speech_to_text"),
            "insights": some_of(
                "All",
                "KeyPhrases",
                "AbstractiveSummaryLong",
                "AbstractiveSummaryShort",
                "ExtractiveSummary",
                "TalkToListenRatio",
                "Pace",
                "QuestionsAsked",
                "Topics",
            ),
            "audio_type": one_of("CallCenter", "Meeting", "EarningsCalls", "Interview", "PressConference", "Voicemail"),
            "source": _text,
        },
    ),
    "seameet": ProviderEntry(
        adapter="seameet:SeaMeet",
        base_url="https://meet.seasalt.ai",
        secret_keys=("apiKey", "workspaceId"),
        webhook_key="webhookSecret",
        job_id="job_id",
        formats=AcceptedFormats(
            "mp4 mp3 wav aac amr flac ogg opus spx webm wma",
            source="https://api.seasalt.ai/seameet/audio-upload",
        ),
        finds=frozenset({"summary"}),
        options={
            "language": one_of("en-US", "zh-TW"),
            "speakers": whole_number(1, 20),
            "channels": whole_number(1, 2),
            "scenario": one_of("customer_service_call"),
            "customer_number": _text,
            "customer_name": _text,
            "agent_name": _text,
            "direction": one_of("INBOUND", "OUTBOUND"),
            "went_to_voicemail": flag,
            "contains_recordings": flag,
            "spoke_to_agent": flag,
            "title": _text,
        },
    ),
}


def validate_options(provider: str, options: Any) -> None:
    """Check a provider's options, from CDK context or from a request.

    Raises:
        InvalidRequest: names the option (`options.models`) and what is allowed.
    """
    if not isinstance(options, dict):
        raise InvalidRequest("options", "must be an object")
    readers = PROVIDERS[provider].options
    for name, value in options.items():
        if name not in readers:
            raise InvalidRequest(f"options.{name}", f"{provider} has only the options {', '.join(readers)}")
        readers[name](f"options.{name}", value)


def formats_of(name: str) -> frozenset[str]:
    """Return the formats that a provider takes, as file suffixes without the dot.

    Raises:
        ProviderNotConfigured: there is no provider of this name.
    """
    return _entry(name).formats.suffixes


def job_id_of(name: str, job: Any) -> str | None:
    """Return the vendor's own id of a job, as its support asks for it; None if the job has none."""
    found = job.get(PROVIDERS[name].job_id) if name in PROVIDERS and isinstance(job, Mapping) else None
    return None if found is None else str(found)


def capabilities_of(name: str) -> Capabilities:
    """Return what a provider accepts and how it returns results."""
    capabilities: Capabilities = _adapter(name).capabilities
    return capabilities


def receives_webhooks(name: str) -> bool:
    """Whether a provider POSTs to our webhook; the others report in another way, or are only polled."""
    return hasattr(_adapter(name), "read_callback")


def erases(name: str) -> bool:
    """Whether a provider has a call that deletes a job."""
    return hasattr(_adapter(name), "delete")


def verifies_access(name: str) -> bool:
    """Whether a provider has a free call that shows whether it accepts the credentials."""
    return hasattr(_adapter(name), "verify_access")


def sends_result(name: str) -> bool:
    """Whether a POST to our webhook is the only way to a provider's results, and must not be lost."""
    return receives_webhooks(name) and capabilities_of(name).callback == "required"


def webhook_secret(name: str) -> str:
    """Return the last part of the name of the secret that holds a provider's `webhook_key`."""
    return f"{name}-webhook"


def receiver_of(name: str) -> CallsBack:
    """Return what verifies and reads the callbacks of a provider that calls back, without any credentials.

    Raises:
        ProviderNotConfigured: there is no provider of this name.
    """
    receiver: CallsBack = _adapter(name)
    return receiver


def uploads_result(name: str) -> bool:
    """Whether a provider writes its result to our bucket by a link, and not by a POST to our webhook."""
    return capabilities_of(name).result_by == "delivery" and not receives_webhooks(name)


def read_result(name: str, body: bytes) -> Callback | None:
    """Read a verified callback of a provider that sends its result; None if it does not announce the end of a job.

    Raises:
        CallbackUnusable: the content is not usable.
    """
    found: Callback | None = _adapter(name).read_result(body)
    return found


def why_outside(name: str, residency: str | None) -> str | None:
    """Return why a provider must not get media of a stack with this residency; None if it may.

    A service of AWS is called in the region of the stack, which is in the residency.
    """
    entry = PROVIDERS.get(name)
    if residency is None or (entry and (entry.base_url is None or residency in entry.hosts)):
        return None
    return f"{name} documents no host that keeps data in the residency {residency}"


def options_in(name: str, residency: str | None) -> Mapping[str, Any]:
    """Return the options that a job needs so that the provider keeps its data in a residency."""
    host = _host_in(PROVIDERS[name], residency) if name in PROVIDERS else None
    return host.options if host else {}


def load_provider(name: str, settings: VendorSettings, residency: str | None = None) -> Provider:
    """Return the adapter of a provider, connected to its secret and its base URL, or its host in a residency.

    The residency is that of the job, not of the stack: a job stays at the host that it was submitted to.

    The constructor of an adapter is `(http, credentials)`, that of a service of AWS
    `(endpoint_url, job_prefix, kms_key_arn)`. An adapter that shares its access token takes a `TokenStore` as `shared`,
    too.

    Raises:
        ProviderNotConfigured: there is no provider of this name.
    """
    entry, adapter = _entry(name), _adapter(name)
    if entry.base_url is None:
        endpoint_url, prefix = settings.base_urls.get(name), job_prefix(settings.stage)
        on_aws: Provider = adapter(endpoint_url=endpoint_url, job_prefix=prefix, kms_key_arn=settings.kms_key_arn)
        return on_aws

    secret = settings.secret_name(name)

    def credentials(fresh: bool) -> Mapping[str, str]:
        return read_secret(secret, entry.secret_keys, fresh=fresh)

    sharing = {"shared": SharedToken(secret)} if entry.shares_token else {}
    provider: Provider = adapter(_http_of(name, settings.base_urls.get(name), residency), credentials, **sharing)
    return provider


def provider_with(
    name: str,
    secret: Mapping[str, str],
    *,
    base_url: str | None = None,
    residency: str | None = None,
    session: "requests.Session | None" = None,
) -> Provider:
    """Return the adapter of a provider with the content of its secret, for calls outside of the workflow.

    It shares no access token. `base_url` replaces the vendor's host. A service of AWS has no secret, see
    `provider_on_aws`.

    Raises:
        ProviderNotConfigured: there is no provider of this name.
    """
    provider: Provider = _adapter(name)(_http_of(name, base_url, residency, session), lambda fresh: secret)
    return provider


def provider_on_aws(name: str, client: Any) -> Provider:
    """Return the adapter of a service of AWS with a boto3 client of that service, for calls outside of the workflow."""
    adapter = _adapter(name)
    provider: Provider = adapter(**{adapter.capabilities.aws_service.name: client})
    return provider


def _http_of(
    name: str, base_url: str | None, residency: str | None, session: "requests.Session | None" = None
) -> "VendorHttp":
    from recording_insights.providers.toolkit.http import VendorHttp

    entry = _entry(name)
    host = _host_in(entry, residency)
    url = base_url or (host.url if host else entry.base_url) or ""
    http = VendorHttp(_adapter(name).__name__, url.rstrip("/"))
    return replace(http, session=session) if session else http


def _host_in(entry: ProviderEntry, residency: str | None) -> RegionalHost | None:
    return entry.hosts.get(residency) if residency else None


def _entry(name: str) -> ProviderEntry:
    if name not in PROVIDERS:
        raise ProviderNotConfigured(f"there is no provider {name}")
    return PROVIDERS[name]


def _adapter(name: str) -> Any:
    """The class of an adapter. Its imports are heavy, so it is imported when it is needed."""
    package, _, class_name = _entry(name).adapter.partition(":")
    return getattr(import_module(f"recording_insights.providers.adapters.{package}.calls"), class_name)
