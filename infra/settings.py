"""The stack's settings: CDK context as one typed, checked object.

Context comes from cdk.json or from `-c key=value`, where every value is a text.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.providers.registry import PROVIDERS, validate_options

VENDORS = ("agora", *PROVIDERS)
_CDK_KEYS = re.compile(r"@|aws-cdk|.*:|(acknowledged-issue-numbers|cli-telemetry)$")
"""Flags, the CLI's own settings and cached look-ups, which share the context with ours."""
LOCAL = "local"
_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)


class ContextError(Exception):
    """Settings that cannot be used; one line per key, with what is allowed."""


@dataclass(frozen=True)
class StackSettings:
    """What can be set per stage. README.md has the table.

    `provider` gets every recording that names no other; `other_providers` may be named, `failover` take over in this
    order. `prefix_providers` names them by the prefix of an object's key: the first gets it, the others take over.
    `base_urls` replaces a vendor's scheme and host and `provider_options` are what a provider is asked for, both by
    name. `jwt_issuer` and `jwt_audience` go together and put a JWT authorizer in the place of IAM.
    """

    stage: str
    provider: str
    other_providers: Sequence[str] = ()
    prefix_providers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failover: Sequence[str] = ()
    failover_minutes: int = 15
    provider_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    submit_ceiling_minutes: int = 60
    poll_ceiling_minutes: int = 240
    late_files_minutes: int = 60
    callback_wait_seconds: int = 900
    webhook_base_url: str | None = None
    link_minutes: int = 60
    log_retention_days: int = 30
    retain_data: bool = True
    jwt_issuer: str | None = None
    jwt_audience: str | None = None

    @property
    def providers(self) -> list[str]:
        """All that can get a recording, the default first."""
        by_prefix = (name for names in self.prefix_providers.values() for name in names)
        return list(dict.fromkeys((self.provider, *self.other_providers, *self.failover, *by_prefix)))

    @property
    def local(self) -> bool:
        """The stage that runs on a laptop: plain http, no TLS-only policies."""
        return self.stage == LOCAL

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "StackSettings":
        """Check CDK's whole context; its own keys (`@aws-cdk/…`, `aws:cdk:…`, …) are left alone.

        Raises:
            ContextError: names every key that is unknown, missing or of a wrong value.
        """
        given = {key: value for key, value in context.items() if not _CDK_KEYS.match(key)}
        faults = [f"{key}: unknown; the settings are {', '.join(_SETTINGS)}" for key in given if key not in _SETTINGS]
        values: dict[str, Any] = {}
        for key, setting in _SETTINGS.items():
            if key not in given:
                if setting.required:
                    faults.append(f"{key}: missing; {setting.allowed}")
                continue
            try:
                value = setting.parse(given[key])
            except (ValueError, TypeError, KeyError):
                faults.append(f"{key}: {given[key]!r} is not allowed; {setting.allowed}")
                continue
            if setting.vendor:
                values.setdefault(setting.field, {})[setting.vendor] = value
            else:
                values[setting.field] = value
        if ("jwtIssuer" in given) != ("jwtAudience" in given):
            faults.append("jwtIssuer, jwtAudience: only together")
        for provider, options in values.get("provider_options", {}).items():
            try:
                validate_options(provider, options)
            except InvalidRequest as error:
                faults.append(f"{provider}Options: {error}")
        if faults:
            raise ContextError("\n".join(faults))
        return cls(**{"retain_data": values.get("stage") != LOCAL, **values})


@dataclass(frozen=True)
class _Setting:
    """One context key: the field it sets (of `vendor` if it names one), how to parse it, what is allowed in words."""

    field: str
    parse: Callable[[Any], Any]
    allowed: str
    required: bool = False
    vendor: str | None = None


def _text(pattern: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return parse


def _whole(lowest: int, highest: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = int(str(value))
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return parse


def _retention(value: Any) -> int:
    days = int(str(value))
    if days not in _RETENTION_DAYS:
        raise ValueError
    return days


def _flag(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _object(value: Any) -> dict[str, Any]:
    parsed = json.loads(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict):
        raise ValueError
    return parsed


def _names(value: Any) -> list[str]:
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)
    if not names or len(set(names)) < len(names) or not set(names) <= PROVIDERS.keys():
        raise ValueError
    return names


def _names_by_prefix(value: Any) -> dict[str, list[str]]:
    parsed = _object(value)
    if not parsed or not all(parsed):
        raise ValueError
    return {prefix: _names(names) for prefix, names in parsed.items()}


_PROVIDER_NAMES = "|".join(PROVIDERS)
_SOME = f"names out of {', '.join(PROVIDERS)}, separated by commas"
_URL = r"https?://[^\s/]+(/\S*)?"

_SETTINGS: Mapping[str, _Setting] = {
    "stage": _Setting(
        "stage", _text(r"[a-z][a-z0-9]{0,19}"), "1 to 20 letters or digits, a letter first", required=True
    ),
    "provider": _Setting(
        "provider", _text(_PROVIDER_NAMES), f"one of {', '.join(PROVIDERS)}: who gets the recordings", required=True
    ),
    "otherProviders": _Setting("other_providers", _names, _SOME),
    "prefixProviders": _Setting(
        "prefix_providers", _names_by_prefix, 'a JSON object such as {"interviews/": "deepgram,transcribe"}'
    ),
    "failover": _Setting("failover", _names, _SOME),
    "failoverMinutes": _Setting("failover_minutes", _whole(1, 1440), "a whole number from 1 to 1440"),
    "submitCeilingMinutes": _Setting("submit_ceiling_minutes", _whole(1, 1440), "a whole number from 1 to 1440"),
    "pollCeilingMinutes": _Setting("poll_ceiling_minutes", _whole(1, 1440), "a whole number from 1 to 1440"),
    "lateFilesMinutes": _Setting("late_files_minutes", _whole(1, 4320), "a whole number from 1 to 4320"),
    "callbackWaitSeconds": _Setting("callback_wait_seconds", _whole(5, 86400), "a whole number from 5 to 86400"),
    "webhookBaseUrl": _Setting("webhook_base_url", _text(_URL), "an http or https URL"),
    "linkMinutes": _Setting("link_minutes", _whole(20, 720), "a whole number from 20 to 720"),
    "logRetentionDays": _Setting("log_retention_days", _retention, f"one of {', '.join(map(str, _RETENTION_DAYS))}"),
    "retainData": _Setting("retain_data", _flag, "true or false"),
    "jwtIssuer": _Setting("jwt_issuer", _text(r"https://\S+"), "an https URL"),
    "jwtAudience": _Setting("jwt_audience", _text(r"\S+"), "a text without blanks"),
    **{
        f"{provider}Options": _Setting(
            "provider_options", _object, f"a JSON object with {', '.join(row.options)}", vendor=provider
        )
        for provider, row in PROVIDERS.items()
    },
    **{
        f"{vendor}BaseUrl": _Setting("base_urls", _text(_URL), "an http or https URL", vendor=vendor)
        for vendor in VENDORS
    },
}
