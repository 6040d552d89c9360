"""What the stack tells a function through its environment.

One variable per field, named in capitals; the stack writes them from the same dataclass, so the two cannot
drift. Values are text, whole numbers, JSON lists or JSON objects.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from recording_insights.errors import SettingsInvalid


@dataclass(frozen=True)
class FunctionSettings:
    """Settings that every function gets.

    `provider` gets a recording that names none, `providers` are all that one may name, `failover` those that take
    over, in order, `failover_minutes` after a provider went away. `provider_options` are the stack's options,
    `base_urls` replaces a vendor's scheme and host, both by name. Ceilings are minutes from the arrival of the media
    object (submit) and from the moment the provider took it (poll); `late_files_minutes` is how long files may come
    after a recording's end, `link_minutes` the life of a presigned URL.
    """

    stage: str
    table_name: str
    recordings_bucket: str
    replies_bucket: str
    provider: str
    providers: Sequence[str]
    failover: Sequence[str]
    provider_options: Mapping[str, Any]
    base_urls: Mapping[str, str]
    submit_ceiling_minutes: int
    poll_ceiling_minutes: int
    late_files_minutes: int
    failover_minutes: int
    link_minutes: int

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read and check the environment.

        Raises:
            SettingsInvalid: names every variable that is missing or malformed, in one message.
        """
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for field in fields(cls):
            name = field.name.upper()
            text = source.get(name, "")
            if not text:
                faults.append(f"{name} is missing")
                continue
            try:
                values[field.name] = _parse(text, field.type)
            except ValueError as error:
                faults.append(f"{name} {error}")
        if faults:
            raise SettingsInvalid("; ".join(faults))
        return cls(**values)

    def secret_name(self, vendor: str) -> str:
        """Where the credentials of a vendor lie in Secrets Manager."""
        return f"recording-insights/{self.stage}/{vendor}"


@dataclass(frozen=True)
class RecoverySettings(FunctionSettings):
    """What starts executions needs beside the common settings: the state machine that processes media objects."""

    workflow_arn: str


@dataclass(frozen=True)
class IntakeSettings(RecoverySettings):
    """What the intake function needs: the provider by prefix of the object's key, too."""

    prefix_providers: Mapping[str, Any]


@dataclass(frozen=True)
class StartSettings(FunctionSettings):
    """What the function that starts recordings needs beside: the state machine that watches them."""

    watch_arn: str


@dataclass(frozen=True)
class WebhookSettings(FunctionSettings):
    """What gives and checks the tokens of callbacks: the secret that they are made with."""

    webhook_secret: str


@dataclass(frozen=True)
class SubmitSettings(WebhookSettings):
    """What the function that submits needs beside: the URL under which vendors reach our webhooks."""

    webhook_url: str


def _parse(text: str, kind: Any) -> Any:
    if kind is str:
        return text
    if kind is int:
        if not text.isdecimal():
            raise ValueError("is not a whole number")
        return int(text)
    form, name = (list, "list") if kind == Sequence[str] else (dict, "object")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, form):
        raise ValueError(f"is not a JSON {name}")
    return value
