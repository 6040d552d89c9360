"""The stack's settings: CDK context as one typed, checked object.

Context comes from cdk.json or from `-c key=value`, where every value is a text.
"""

import json
import re
from collections.abc import Callable, Mapping
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

    `base_urls` replaces a vendor's scheme and host, by vendor name. `jwt_issuer` and `jwt_audience` go together
    and put a JWT authorizer in the place of IAM.
    """

    stage: str
    provider: str
    provider_options: Mapping[str, Any] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    submit_ceiling_minutes: int = 60
    poll_ceiling_minutes: int = 240
    link_minutes: int = 60
    log_retention_days: int = 30
    retain_data: bool = True
    jwt_issuer: str | None = None
    jwt_audience: str | None = None

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
            if key.endswith("BaseUrl"):
                values.setdefault(setting.field, {})[key.removesuffix("BaseUrl")] = value
            else:
                values[setting.field] = value
        if ("jwtIssuer" in given) != ("jwtAudience" in given):
            faults.append("jwtIssuer, jwtAudience: only together")
        if not faults:
            try:
                validate_options(values["provider"], values.get("provider_options", {}))
            except InvalidRequest as error:
                faults.append(f"providerOptions: {error}")
        if faults:
            raise ContextError("\n".join(faults))
        return cls(**{"retain_data": values.get("stage") != LOCAL, **values})


@dataclass(frozen=True)
class _Setting:
    """One context key: the field it sets (the key itself if empty), how to parse it, what is allowed in words."""

    field: str
    parse: Callable[[Any], Any]
    allowed: str
    required: bool = False


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


_PROVIDER_NAMES = "|".join(PROVIDERS)
_URL = r"https?://[^\s/]+(/\S*)?"

_SETTINGS: Mapping[str, _Setting] = {
    "stage": _Setting(
        "stage", _text(r"[a-z][a-z0-9]{0,19}"), "1 to 20 letters or digits, a letter first", required=True
    ),
    "provider": _Setting(
        "provider", _text(_PROVIDER_NAMES), f"one of {', '.join(PROVIDERS)}: who gets the recordings", required=True
    ),
    "providerOptions": _Setting("provider_options", _object, "a JSON object of the provider's options"),
    "submitCeilingMinutes": _Setting("submit_ceiling_minutes", _whole(1, 1440), "a whole number from 1 to 1440"),
    "pollCeilingMinutes": _Setting("poll_ceiling_minutes", _whole(1, 1440), "a whole number from 1 to 1440"),
    "linkMinutes": _Setting("link_minutes", _whole(20, 720), "a whole number from 20 to 720"),
    "logRetentionDays": _Setting("log_retention_days", _retention, f"one of {', '.join(map(str, _RETENTION_DAYS))}"),
    "retainData": _Setting("retain_data", _flag, "true or false"),
    "jwtIssuer": _Setting("jwt_issuer", _text(r"https://\S+"), "an https URL"),
    "jwtAudience": _Setting("jwt_audience", _text(r"\S+"), "a text without blanks"),
    **{f"{vendor}BaseUrl": _Setting("base_urls", _text(_URL), "an http or https URL") for vendor in VENDORS},
}
