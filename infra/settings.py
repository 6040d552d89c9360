"""The stack's settings: CDK context as one typed, checked object.

Context comes from cdk.json and the stage's file, or from `-c key=value`, where every value is a text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from infra.model_name import MODEL, ModelName
from infra.route_classes import CLASSES, SCOPES
from recording_insights.agora.hosts import hosts_in
from recording_insights.errors import InvalidRequest, SettingsInvalid
from recording_insights.model.derived import BEDROCK, KINDS
from recording_insights.providers.registry import PROVIDERS, receives_webhooks, validate_options, why_outside
from recording_insights.residency import RESIDENCIES
from recording_insights.validation import (
    Reader,
    checked,
    distinct,
    flag,
    from_json,
    from_text,
    link,
    list_of,
    map_of,
    matching,
    number,
    object_of,
    one_of,
    text,
    whole_number,
)

VENDORS = ("agora", *PROVIDERS)
_CDK_KEYS = re.compile(r"@|aws-cdk|.*:|(acknowledged-issue-numbers|cli-telemetry)$")
"""CDK's feature flags, settings of its CLI and cached look-ups, which share the context with our settings."""
LOCAL = "local"
_UNPROTECTED = (LOCAL, "dev")
"""Stages of a laptop and of a developer."""
RESULT_DAYS = 14
"""How long results lie in the replies bucket until they are kept as replies."""
MOST_DAYS = 36_500
BEDROCK_SLOTS = 5
"""Recordings that insights are derived from at once. Quotas differ by model and account: see docs/insights.md."""
MOST_PROMPT = 8_000
_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)


class ContextError(Exception):
    """Settings are wrong; the text has one line per key, with what is allowed."""


@dataclass(frozen=True)
class StackSettings:
    """The settings of a stage. docs/settings.md has the table.

    `provider` gets every recording that names no other. Requests may also name `other_providers`; `failover` take over
    in their order. `prefix_providers` has providers by the prefix of an object's key: the first gets the object, the
    others take over. By provider, `base_urls` replaces scheme and host, and `provider_options` are the options of each
    job, and `given_slots` replaces the number of its slots (None: no slots). `result_concurrency` workers are reserved
    for each function that keeps results; 0 reserves none. `jwt_issuer` and `jwt_audience` go together; they replace IAM
    by a JWT authorizer. `jwt_scopes` has the scope that a token needs by the class of the route; None asks for none.
    Pages of `cors_origins` may call the API, and the links to the recordings bucket. `throttles` are requests a second
    for each route by its class, if not the usual ones. `kms_key_arn` is the customer's key, which encrypts what the
    stack stores. `residency` names the countries that all data stay in. With `disable_execute_api_endpoint` the API's
    own address answers nobody. With `read_old_secrets` functions may read a key in the secret of earlier releases. The
    caps begin with `most`; None is no cap, so that nobody's recordings wait for a limit that he has not chosen. Media,
    segments, replies and insights go after so many days; None keeps them. Alarms
    go to `alarm_email` and `alarm_webhook`. An alarm tells of a day that costs more than `daily_budget` in US dollars.
    `insights_model` is the id or the ARN of a model or an inference profile of Bedrock, which derives insights from
    transcripts; None derives nothing. The others that begin with `insights` say what it derives, and for how much.
    `given` are the context keys but `stage` that were given, with their values as they were given.
    """

    stage: str
    provider: str
    other_providers: Sequence[str] = ()
    prefix_providers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failover: Sequence[str] = ()
    failover_minutes: int = 15
    provider_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    give_up_hours: int = 72
    queue_days: int = 14
    given_slots: Mapping[str, int | None] = field(default_factory=dict)
    poll_ceiling_minutes: int = 240
    late_files_minutes: int = 60
    sweep_minutes: int = 15
    retries_per_minute: int = 60
    callback_wait_seconds: int = 900
    result_concurrency: int = 0
    webhook_base_url: str | None = None
    disable_execute_api_endpoint: bool = False
    link_minutes: int = 60
    log_retention_days: int = 30
    retain_data: bool = True
    media_days: int | None = None
    segments_days: int | None = None
    replies_days: int | None = None
    insights_days: int | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_scopes: Mapping[str, str] | None = None
    cors_origins: Sequence[str] = ()
    throttles: Mapping[str, int] = field(default_factory=dict)
    kms_key_arn: str | None = None
    read_old_secrets: bool = True
    residency: str | None = None
    most_tracks_per_recording: int | None = None
    most_minutes_per_recording: int | None = None
    most_jobs_per_recording: int | None = None
    most_jobs_per_day: int | None = None
    alarm_email: str | None = None
    alarm_webhook: str | None = None
    daily_budget: float | None = None
    insights_model: str | None = None
    insights_kinds: Sequence[str] = ()
    insights_language: str | None = None
    insights_prompt: str = ""
    insights_max_cents: float = 50
    insights_price: Sequence[float] | None = None
    insights_guardrail: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def providers(self) -> list[str]:
        """All providers that can get a recording, the default first."""
        by_prefix = (name for names in self.prefix_providers.values() for name in names)
        return list(dict.fromkeys((self.provider, *self.other_providers, *self.failover, *by_prefix)))

    @property
    def slots(self) -> dict[str, int]:
        """The slots by provider, and those of the model if there is one. A provider without slots is not among them."""
        known = {name: self.given_slots.get(name, PROVIDERS[name].slots) for name in self.providers}
        if self.insights_model:
            known[BEDROCK] = self.given_slots.get(BEDROCK, BEDROCK_SLOTS)
        return {name: slots for name, slots in known.items() if slots is not None}

    @property
    def takers(self) -> list[str]:
        """Where turns are taken: at the providers, and at the model if there is one."""
        return [*self.providers, *([BEDROCK] if self.insights_model else [])]

    @property
    def local(self) -> bool:
        """Whether this is the stage that runs on a laptop, with plain HTTP and without TLS-only policies."""
        return self.stage == LOCAL

    @property
    def subscribers_on_loopback(self) -> bool:
        """Whether events may go to this machine, and by plain http: on the local stage, and by no setting."""
        return self.local

    @property
    def longest_wait(self) -> timedelta:
        """How long after its end a recording may wait for files, turns, jobs and what an operator can mend."""
        minutes = self.late_files_minutes + self.poll_ceiling_minutes
        return timedelta(days=self.queue_days, hours=self.give_up_hours, minutes=minutes)

    @property
    def protects_data(self) -> bool:
        """Whether data has old versions and protection from deletion: not on stages whose data may go at any time."""
        return self.retain_data and self.stage not in _UNPROTECTED

    def check_region(self, aws_region: str | None) -> None:
        """Check the settings against the region of the stack; None if the synth does not know it.

        Raises:
            SettingsInvalid: the customer's key is in another region, or the region is outside of the residency.
        """
        if self.residency and aws_region not in (regions := RESIDENCIES[self.residency]):
            where = "the region of the stack is unknown: synthesise with credentials of its account"
            if aws_region:
                where = f"the stack is in {aws_region}; regions of {self.residency} are {', '.join(sorted(regions))}"
            raise SettingsInvalid(f"residency: {where}")
        if aws_region and self.kms_key_arn and (key_region := self.kms_key_arn.split(":")[3]) != aws_region:
            raise SettingsInvalid(
                f"kmsKeyArn: the key is in {key_region}, the stack in {aws_region}; use a key of the stack's region"
            )

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "StackSettings":
        """Read CDK's whole context; CDK's own keys (`@aws-cdk/…`, `aws:cdk:…`, …) are ignored.

        Raises:
            ContextError: names every key that is unknown or missing, or has a wrong value.
        """
        given = {key: value for key, value in context.items() if not _CDK_KEYS.match(key)}
        faults = [unknown_key(key) for key in given if key not in SETTINGS]
        values: dict[str, Any] = {}
        for key, setting in SETTINGS.items():
            if key not in given:
                faults += [f"{key}: missing; {setting.allowed}"] if setting.required else []
                continue
            try:
                setting.put(values, setting.read(key, given[key]))
            except InvalidRequest:
                faults.append(f"{key}: {shown(key, given[key])!r} is not allowed; {setting.allowed}")
        if ("jwtIssuer" in given) != ("jwtAudience" in given):
            faults.append("jwtIssuer, jwtAudience: only together")
        if values.get("jwt_scopes") and "jwtIssuer" not in given:
            faults.append(
                "jwtScopes: only with jwtIssuer and jwtAudience; policies of IAM divide the routes without them"
            )
        if "kmsKeyArn" in given and given.get("stage") == LOCAL:
            faults.append(f"kmsKeyArn: not on the stage {LOCAL}, whose cloud has no such key")
        faults += _address_faults(given.get("stage"), values)
        if given.get("stage") != LOCAL:
            pages = [origin for origin in values.get("cors_origins", ()) if origin.startswith("http:")]
            faults += [
                f"corsOrigins: {origin} must be https; only the stage {LOCAL} has pages without" for origin in pages
            ]
            in_the_clear = [key for key in given if key in _ADDRESSES and str(given[key]).startswith("http:")]
            faults += [f"{key}: must be an https URL, since it carries keys and links" for key in in_the_clear]
        faults += _option_faults(values.get("provider_options", {}))
        faults += _unused(given)
        if faults:
            raise ContextError("\n".join(faults))
        lasts = values.get("stage") != LOCAL
        named = {key: value for key, value in given.items() if key != "stage"}
        settings = cls(**{"retain_data": lasts, "read_old_secrets": lasts, **values}, given=named)
        if refused := [*_residency_faults(settings), *_retention_faults(settings), *_model_faults(settings)]:
            raise ContextError("\n".join(refused))
        return settings


@dataclass(frozen=True)
class Setting:
    """One context key: the field that it sets (of `vendor`, if one is named), its reader, and what is allowed."""

    field: str
    read: Reader[Any]
    allowed: str
    required: bool = False
    vendor: str | None = None

    def put(self, values: dict[str, Any], value: Any) -> None:
        """Put the value into `values`, the fields of `StackSettings` by name."""
        if self.vendor:
            values.setdefault(self.field, {})[self.vendor] = value
        else:
            values[self.field] = value


def shown(key: str, value: Any) -> Any:
    """Return the value of a setting for messages and logs: an address whose path or user may be a key has neither."""
    if isinstance(value, str) and (key == _KEY_IN_PATH or (key in _ADDRESSES and "@" in value)):
        return re.sub(r"(?<=//)([^/]*@)?([^/?#]*).*", r"\2/…", value, flags=re.DOTALL)
    return value


def unknown_key(key: str) -> str:
    """Say that there is no such setting, and which there are."""
    if key in RENAMED:
        return f"{key}: is now {RENAMED[key]}"
    return f"{key}: unknown; the settings are {', '.join(SETTINGS)}"


def _unused(given: Mapping[str, Any]) -> Iterator[str]:
    """What is said of a model that the stage does not have."""
    if "insightsModel" not in given:
        yield from (f"{key}: only with insightsModel" for key in _OF_MODEL if key in given)


def _option_faults(provider_options: Mapping[str, Any]) -> Iterator[str]:
    for provider, options in provider_options.items():
        try:
            validate_options(provider, options)
        except InvalidRequest as error:
            yield f"{provider}Options: {error}"


def _residency_faults(settings: StackSettings) -> Iterator[str]:
    """What would send media, or the calls about it, to a host that is not documented in the residency.

    A base URL of an own proxy is refused as well: nobody knows where it sends what it gets.
    """
    residency = settings.residency
    if residency is None:
        return
    if settings.local:
        yield f"residency: not on the stage {LOCAL}, whose vendors are stand-ins"
        return
    allowed = ", ".join(name for name in PROVIDERS if not why_outside(name, residency))
    for name in settings.providers:
        if reason := why_outside(name, residency):
            yield f"residency: {reason}; providers with one are {allowed}"
    for vendor, url in settings.base_urls.items():
        hosts = _hosts_of(vendor, residency)
        if url.rstrip("/") not in hosts:
            yield f"{vendor}BaseUrl: {url!r} is not a host in {residency}; {_instead(hosts)}"


def _model_faults(settings: StackSettings) -> Iterator[str]:
    """What would let transcripts leave the residency: a profile that calls models in other regions.

    Where an application profile goes, its ARN does not say.
    """
    if settings.insights_model is None or settings.residency is None:
        return
    model = ModelName.of(settings.insights_model)
    if model.is_application or model.geography not in ("", settings.residency.lower()):
        where = "may be anywhere" if model.is_application else f"are those of {model.geography}"
        yield f"insightsModel: the regions of {settings.insights_model} {where}, not of {settings.residency} alone"


def _retention_faults(settings: StackSettings) -> Iterator[str]:
    """What would delete something that may still be waited for."""
    fewest = -(-settings.longest_wait // timedelta(days=1))
    days = {
        "mediaDays": settings.media_days,
        "segmentsDays": settings.segments_days,
        "repliesDays": settings.replies_days,
        "insightsDays": settings.insights_days,
    }
    waits = "queueDays, giveUpHours, pollCeilingMinutes and lateFilesMinutes"
    for key, given in days.items():
        if given is not None and given < fewest:
            yield f"{key}: {given} is too few; at least {fewest}, since {waits} let a recording wait that long"
    if settings.replies_days and fewest <= settings.replies_days < RESULT_DAYS:
        yield f"repliesDays: {settings.replies_days} is too few; at least {RESULT_DAYS}, which results have to be kept"
    if not settings.sweep_minutes and (swept := [key for key in days if key != "repliesDays" and days[key]]):
        yield f"{', '.join(swept)}: only with sweepMinutes, since the sweep begins the deletion"


def _hosts_of(vendor: str, residency: str) -> Sequence[str]:
    """The documented hosts of a vendor in a residency; none of a service of AWS, which is called without a base URL."""
    if vendor == "agora":
        return [host for region in RESIDENCIES[residency] for host in hosts_in(residency, region)]
    host = PROVIDERS[vendor].hosts.get(residency)
    return [host.url] if host else []


def _instead(hosts: Sequence[str]) -> str:
    return f"leave it out, or use {' or '.join(sorted(set(hosts)))}" if hosts else "leave it out"


def _address_faults(stage: Any, values: Mapping[str, Any]) -> Iterator[str]:
    if not values.get("disable_execute_api_endpoint"):
        return
    if stage == LOCAL:
        yield f"disableExecuteApiEndpoint: not on the stage {LOCAL}, whose API has no other address"
    elif "provider" in values and "webhook_base_url" not in values:
        settings = StackSettings(**{"stage": stage, **values})
        if callers := [name for name in settings.providers if receives_webhooks(name)]:
            named = ", ".join(callers)
            yield f"disableExecuteApiEndpoint: set webhookBaseUrl as well, the address that {named} can call"


def _whole_number(field: str, lowest: int, highest: int) -> Setting:
    return Setting(field, from_text(int, whole_number(lowest, highest)), f"a whole number from {lowest} to {highest}")


def _parse_numbers(value: str) -> list[float]:
    return [float(part) for part in value.split(",")]


def _parse_flag(value: str) -> bool:
    flags = {"true": True, "false": False}
    if value.lower() not in flags:
        raise ValueError(value)
    return flags[value.lower()]


def _slots_or_none(name: str, value: Any) -> int | None:
    return None if value == "none" else _slot_count(name, value)


def _parse_names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",")]


_slot_count = whole_number(1, 1000)
_slots: Reader[int | None] = from_text(
    lambda text: text if text == "none" else int(text),
    Reader(_slots_or_none, {"anyOf": [_slot_count.schema, {"type": "string", "enum": ["none"]}]}),
)
_NAMES_ALLOWED = f"names out of {', '.join(PROVIDERS)}, separated by commas"
_prefix = matching(r"[\s\S]+", "must not be empty")
_names = from_text(_parse_names, distinct(list_of(one_of(*PROVIDERS), of="names"), "must not name a provider twice"))
_HOST = r"[a-z0-9]([a-z0-9\-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9\-]*[a-z0-9])?)*"
_origin = matching(
    rf"https://{_HOST}(:[0-9]{{1,5}})?|http://(localhost|127\.0\.0\.1)(:[0-9]{{1,5}})?",
    "must be an origin, such as https://app.example.com",
)
_origins = from_text(_parse_names, distinct(list_of(_origin, of="origins"), "must not name an origin twice"))
_scopes = object_of(
    dict.fromkeys(CLASSES, matching(r"[!#-\[\]-~]{1,64}", "must be a scope without blanks of at most 64 characters"))
)
_throttles = object_of(dict.fromkeys(CLASSES, whole_number(1, 10_000)))
_KEY_ARN = (
    r"arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_EMAIL = r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+"
_URL = matching(r"https?://[^\s/]+(/\S*)?", "must be an http or https URL")


def _read_scopes(name: str, value: Any) -> Mapping[str, str] | None:
    if isinstance(value, bool):
        return SCOPES if value else None
    return {**SCOPES, **_scopes(name, value)}


def _options(provider: str) -> Reader[dict[str, Any]]:
    """A JSON object. `_option_faults` checks the options themselves, to name the one that is wrong."""
    properties = {name: reader.schema for name, reader in PROVIDERS[provider].options.items()}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return from_json(checked(lambda value: isinstance(value, dict), "must be an object", schema))


_price = checked(
    lambda value: isinstance(value, list) and len(value) == 2 and all(0 <= each <= 10_000 for each in value),
    "must be two prices",
    {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 10_000}, "minItems": 2, "maxItems": 2},
)

SETTINGS: Mapping[str, Setting] = {
    "stage": Setting(
        "stage",
        matching("[a-z][a-z0-9]{0,19}", "must be a name"),
        "1 to 20 letters or digits, a letter first",
        required=True,
    ),
    "provider": Setting(
        "provider", one_of(*PROVIDERS), f"one of {', '.join(PROVIDERS)}: the provider of the recordings", required=True
    ),
    "otherProviders": Setting("other_providers", _names, _NAMES_ALLOWED),
    "prefixProviders": Setting(
        "prefix_providers",
        from_json(map_of(_prefix, _names, fewest=1, detail="must be an object")),
        'a JSON object such as {"interviews/": "deepgram,transcribe"}',
    ),
    "failover": Setting("failover", _names, _NAMES_ALLOWED),
    "failoverMinutes": _whole_number("failover_minutes", 1, 1440),
    "giveUpHours": _whole_number("give_up_hours", 1, 336),
    "queueDays": _whole_number("queue_days", 1, 30),
    "pollCeilingMinutes": _whole_number("poll_ceiling_minutes", 1, 1440),
    "lateFilesMinutes": _whole_number("late_files_minutes", 1, 4320),
    "mostTracksPerRecording": _whole_number("most_tracks_per_recording", 1, 1000),
    "mostMinutesPerRecording": _whole_number("most_minutes_per_recording", 1, 100_000),
    "mostJobsPerRecording": _whole_number("most_jobs_per_recording", 1, 10_000),
    "mostJobsPerDay": _whole_number("most_jobs_per_day", 1, 1_000_000),
    "sweepMinutes": _whole_number("sweep_minutes", 0, 1440),
    "alarmEmail": Setting(
        "alarm_email",
        matching(_EMAIL, "must be an e-mail address"),
        "one e-mail address, such as on-call@example.com; confirm the subscription with the link that AWS sends there",
    ),
    "alarmWebhook": Setting(
        "alarm_webhook",
        link("https"),
        "an https URL without user and password, of a service that confirms subscriptions of Amazon SNS",
    ),
    "dailyBudget": Setting(
        "daily_budget",
        from_text(float, number(0.01, 1_000_000)),
        "US dollars a day from 0.01 to 1000000; leave it out for no such alarm",
    ),
    "insightsModel": Setting(
        "insights_model",
        matching(MODEL, "must be the id or the ARN of a model"),
        "the id of a model or an inference profile of Amazon Bedrock, or its ARN",
    ),
    "insightsKinds": Setting(
        "insights_kinds",
        from_text(_parse_names, distinct(list_of(one_of(*KINDS), of="kinds"), "must not name a kind twice")),
        f"kinds out of {', '.join(KINDS)}, separated by commas",
    ),
    "insightsLanguage": Setting(
        "insights_language",
        matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", "must be a tag of a language"),
        "a tag of a language, such as de or pt-BR; leave it out for the language of the conversation",
    ),
    "insightsPrompt": Setting("insights_prompt", text(MOST_PROMPT), f"a text of at most {MOST_PROMPT} characters"),
    "insightsMaxCents": Setting(
        "insights_max_cents", from_text(float, number(0.01, 100_000)), "US cents for a recording from 0.01 to 100000"
    ),
    "insightsPricePerMillionTokens": Setting(
        "insights_price",
        from_text(_parse_numbers, _price),
        "US dollars for a million tokens, in and out, such as 0.8,4",
    ),
    "insightsGuardrail": Setting(
        "insights_guardrail",
        matching(r"[a-z0-9]{1,64}:([1-9][0-9]{0,7}|DRAFT)", "must be a guardrail"),
        "a guardrail as id:version, such as gr4v1d3x:3",
    ),
    "bedrockSlots": Setting(
        "given_slots", from_text(int, _slot_count), "a whole number from 1 to 1000", vendor=BEDROCK
    ),
    "retriesPerMinute": _whole_number("retries_per_minute", 1, 600),
    "callbackWaitSeconds": _whole_number("callback_wait_seconds", 5, 86400),
    "resultConcurrency": _whole_number("result_concurrency", 0, 1000),
    "webhookBaseUrl": Setting("webhook_base_url", _URL, "an http or https URL"),
    "disableExecuteApiEndpoint": Setting("disable_execute_api_endpoint", from_text(_parse_flag, flag), "true or false"),
    "linkMinutes": _whole_number("link_minutes", 20, 720),
    "logRetentionDays": Setting(
        "log_retention_days",
        from_text(int, one_of(*_RETENTION_DAYS)),
        f"one of {', '.join(map(str, _RETENTION_DAYS))}",
    ),
    "retainData": Setting("retain_data", from_text(_parse_flag, flag), "true or false"),
    "mediaDays": _whole_number("media_days", 1, MOST_DAYS),
    "segmentsDays": _whole_number("segments_days", 1, MOST_DAYS),
    "repliesDays": _whole_number("replies_days", 1, MOST_DAYS),
    "insightsDays": _whole_number("insights_days", 1, MOST_DAYS),
    "kmsKeyArn": Setting(
        "kms_key_arn",
        matching(_KEY_ARN, "must be the ARN of a key"),
        "the full ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<key id>; an alias is not allowed",
    ),
    "readOldSecrets": Setting("read_old_secrets", from_text(_parse_flag, flag), "true or false"),
    "residency": Setting(
        "residency", one_of(*RESIDENCIES), f"one of {', '.join(RESIDENCIES)}: where all data must stay"
    ),
    "jwtIssuer": Setting("jwt_issuer", matching(r"https://\S+", "must be an https URL"), "an https URL"),
    "jwtAudience": Setting("jwt_audience", matching(r"\S+", "must not have blanks"), "a text without blanks"),
    "jwtScopes": Setting(
        "jwt_scopes",
        from_json(Reader(_read_scopes, {"anyOf": [flag.schema, _scopes.schema]})),
        f"true, false, or a JSON object with scopes by class ({', '.join(CLASSES)})",
    ),
    "corsOrigins": Setting(
        "cors_origins",
        _origins,
        "origins without a path and without a slash at the end, such as https://app.example.com, separated by commas",
    ),
    "throttles": Setting(
        "throttles",
        from_json(_throttles),
        f"a JSON object with whole numbers from 1 to 10000 by class ({', '.join(CLASSES)})",
    ),
    **{
        f"{provider}Options": Setting(
            "provider_options", _options(provider), f"a JSON object with {', '.join(row.options)}", vendor=provider
        )
        for provider, row in PROVIDERS.items()
    },
    **{
        f"{provider}Slots": Setting("given_slots", _slots, "a whole number from 1 to 1000, or none", vendor=provider)
        for provider in PROVIDERS
    },
    **{f"{vendor}BaseUrl": Setting("base_urls", _URL, "an http or https URL", vendor=vendor) for vendor in VENDORS},
}

_OF_MODEL = (
    *("insightsKinds", "insightsLanguage", "insightsPrompt", "insightsMaxCents", "insightsPricePerMillionTokens"),
    *("insightsGuardrail", "bedrockSlots"),
)
"""What says something about the model."""
RENAMED = {"submitCeilingMinutes": "giveUpHours, in hours from the first turn at the provider; it was in minutes"}
"""Settings of earlier versions."""
_ADDRESSES = frozenset({"webhookBaseUrl", *(f"{vendor}BaseUrl" for vendor in VENDORS)})
"""What keys, tokens and links are sent to, or come back to."""
_KEY_IN_PATH = "alarmWebhook"
