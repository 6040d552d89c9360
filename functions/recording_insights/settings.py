"""What the stack tells a function through its environment.

One variable per field, named in capitals; the stack writes them from the same dataclass, so the two cannot
drift. Values are text, whole numbers or JSON objects.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from recording_insights.errors import SettingsInvalid


@dataclass(frozen=True)
class FunctionSettings:
    """Settings that every function gets.

    `provider_options` are the stack's options of the default provider; `base_urls` replaces a vendor's scheme
    and host, by vendor name. Ceilings are minutes from the arrival of the media object (submit) and from the
    moment the provider took it (poll); `link_minutes` is the life of a presigned URL.
    """

    stage: str
    table_name: str
    recordings_bucket: str
    replies_bucket: str
    provider: str
    provider_options: Mapping[str, Any]
    base_urls: Mapping[str, str]
    submit_ceiling_minutes: int
    poll_ceiling_minutes: int
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
class IntakeSettings(FunctionSettings):
    """What the intake function needs beside the common settings."""

    workflow_arn: str


def _parse(text: str, kind: Any) -> Any:
    if kind is str:
        return text
    if kind is int:
        if not text.isdecimal():
            raise ValueError("is not a whole number")
        return int(text)
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value
