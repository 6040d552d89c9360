"""The body of POST /recordings, checked."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any, Self

from recording_insights.errors import InvalidRequest

MODES = ("mix",)
"""The recording modes that this version can start."""
AGORA_MODES = ("mix", "individual", "web")

LARGEST_UID = 2**32 - 1
MOST_HOURS = 24
"""A token's privileges end after 24 hours, and the recording in a protected channel with them."""
IDLE_SECONDS = (5, 2_592_000)

_CHANNEL = re.compile(r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,63}")
_DIGITS = re.compile(r"[1-9][0-9]{0,9}")

OptionsCheck = Callable[[str, Any], None]
"""(provider, options) → nothing, or `InvalidRequest` naming the option."""


@dataclass(frozen=True)
class RecordingRequest:
    """What to record and what to do with it.

    `uid` is the recorder's own, in digits; `token` admits that uid to a protected channel and is never stored.
    `failover` are those who take over from the provider, instead of the stack's list.
    `max_hours` is how long the recording can be asked about and stopped, and how long the channel stays claimed;
    after `max_idle_seconds` in an empty channel the recorder leaves.
    """

    channel: str
    uid: str
    mode: str
    provider: str
    failover: Sequence[str] | None = None
    audio_only: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    max_hours: int = MOST_HOURS
    max_idle_seconds: int = 300

    @classmethod
    def from_body(
        cls,
        body: Mapping[str, Any],
        *,
        providers: Sequence[str],
        default_provider: str,
        validate_options: OptionsCheck,
    ) -> Self:
        """Check a request's JSON object.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        known = [field.name for field in fields(cls)]
        for name in body:
            if name not in known:
                raise InvalidRequest(name, f"unknown; the fields are {', '.join(known)}")
        channel = _channel(body.get("channel"))
        provider = _one_of("provider", body.get("provider", default_provider), providers)
        options = body.get("options", {})
        validate_options(provider, options)
        return cls(
            channel=channel,
            uid=_uid(body["uid"]) if "uid" in body else recorder_uid(channel),
            mode=_mode(body.get("mode", "mix")),
            provider=provider,
            failover=_failover(body["failover"], providers) if "failover" in body else None,
            audio_only=_flag("audio_only", body.get("audio_only", False)),
            options=options,
            token=_token(body["token"]) if "token" in body else None,
            max_hours=_whole_number("max_hours", body.get("max_hours", cls.max_hours), 1, MOST_HOURS),
            max_idle_seconds=_whole_number(
                "max_idle_seconds", body.get("max_idle_seconds", cls.max_idle_seconds), *IDLE_SECONDS
            ),
        )

    @property
    def attributes(self) -> dict[str, Any]:
        """What is kept of it on the row: all but the token."""
        return {name: value for name, value in asdict(self).items() if name != "token" and value is not None}

    @property
    def fingerprint(self) -> str:
        """Tells whether two requests ask for the same; a renewed token makes no difference."""
        return sha256(json.dumps(self.attributes, sort_keys=True).encode()).hexdigest()[:32]


def recorder_uid(channel: str) -> str:
    """The recorder's uid in a channel unless the caller names one.

    Always the same, so that Agora itself refuses a second recorder when our own memory of the first is lost.
    """
    return str(1 + int(sha256(channel.encode()).hexdigest()[:16], 16) % (LARGEST_UID - 1))


def _channel(value: Any) -> str:
    if value is None:
        raise InvalidRequest("channel", "is required")
    if not isinstance(value, str) or not value:
        raise InvalidRequest("channel", "must be the name of a channel")
    if len(value.encode(errors="replace")) > 63:
        raise InvalidRequest("channel", "must be shorter than 64 bytes")
    if not _CHANNEL.fullmatch(value):
        raise InvalidRequest(
            "channel", "may hold letters, digits, spaces and ! # $ % & ( ) + - : ; < = . > ? @ [ ] ^ _ { } | ~ ,"
        )
    return value


def _uid(value: Any) -> str:
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(digits, str) or not _DIGITS.fullmatch(digits) or int(digits) > LARGEST_UID:
        raise InvalidRequest("uid", f"must be a whole number from 1 to {LARGEST_UID}")
    return digits


def _mode(value: Any) -> str:
    if value in AGORA_MODES and value not in MODES:
        raise InvalidRequest("mode", f"{value} is not supported yet, only {', '.join(MODES)}")
    return _one_of("mode", value, MODES)


def _one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidRequest(name, f"must be one of {', '.join(allowed)}")
    return value


def _failover(value: Any, providers: Sequence[str]) -> list[str]:
    if not isinstance(value, list) or len(set(map(str, value))) < len(value):
        raise InvalidRequest("failover", f"must be a list of different names out of {', '.join(providers)}")
    return [_one_of("failover", name, providers) for name in value]


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(name, "must be true or false")
    return value


def _token(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 2048 or not value.isascii():
        raise InvalidRequest("token", "must be an Agora RTC token")
    return value


def _whole_number(name: str, value: Any, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidRequest(name, f"must be a whole number from {lowest} to {highest}")
    return value
