"""The body of POST /recordings, checked."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, Self

from recording_insights.agora.client_request import RecorderSettings
from recording_insights.agora.fields.recorder import MODES, fields_of
from recording_insights.agora.storage import area_of
from recording_insights.errors import InvalidRequest
from recording_insights.validation import LARGEST_UID, uid

MOST_HOURS = 24
"""A token's privileges end after 24 hours, and the recording in a protected channel with them."""
LONGEST_LABEL = 800
"""In bytes. Agora takes 1024, but the label is part of the files' keys, and those end at 1024 in S3."""
MOST_SPEAKERS = 49
"""As many as Agora records in a channel."""
LONGEST_NAME = 100
MOST_APART_FROM = 10

_CHANNEL = re.compile(r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,63}")

_RECORDING_ID = re.compile(r"[0-9a-f]{32}")

OptionsCheck = Callable[[str, Any], None]
"""(provider, options) → nothing, or `InvalidRequest` naming the option."""


@dataclass(frozen=True)
class RecordingRequest:
    """What to record and what to do with it.

    `channel` is a label of our own where a web page is recorded. `uid` is the recorder's own, in digits; `token`
    admits that uid to a protected channel and is never stored. `failover` are those who take over from the
    provider, instead of the stack's list. `max_hours` is how long the recording can be asked about and stopped, and
    how long the channel stays claimed. `recorder` is how Agora is to record. `apart_from` are recordings whose
    recorders are to run on other servers of Agora's than this one.
    """

    channel: str
    uid: str
    provider: str
    recorder: RecorderSettings
    failover: Sequence[str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    max_hours: int = MOST_HOURS
    speakers: Mapping[str, str] | None = None
    apart_from: Sequence[str] | None = None

    @classmethod
    def from_body(
        cls,
        body: Mapping[str, Any],
        *,
        providers: Sequence[str],
        default_provider: str,
        validate_options: OptionsCheck,
        aws_region: str,
    ) -> Self:
        """Check a request's JSON object; the recordings bucket lies in `aws_region`.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        mode = _one_of("mode", body.get("mode", "mix"), MODES)
        own = ["mode", *(field.name for field in fields(cls) if field.name != "recorder")]
        for name in body:
            if name not in own and name not in fields_of(mode):
                raise InvalidRequest(name, _why_not(name, mode, [*own, *fields_of(mode)]))
        if mode == "web" and "token" in body:
            raise InvalidRequest("token", "is for channels, and a web page is none")
        if mode != "individual" and "speakers" in body:
            raise InvalidRequest("speakers", f"is for mode individual, not {mode}: only there it is known who speaks")
        channel = (_label if mode == "web" else _channel)(body.get("channel"))
        max_hours = _whole_number("max_hours", body.get("max_hours", cls.max_hours), 1, MOST_HOURS)
        provider = _one_of("provider", body.get("provider", default_provider), providers)
        options = body.get("options", {})
        validate_options(provider, options)
        told = {name: value for name, value in body.items() if name not in own}
        recorder = RecorderSettings.read(mode, told, max_hours=max_hours)
        _check_area(recorder.given.get("region"), aws_region)
        return cls(
            channel=channel,
            uid=uid("uid", body["uid"]) if "uid" in body else recorder_uid(claimed_name(channel, mode)),
            provider=provider,
            recorder=recorder,
            failover=_failover(body["failover"], providers) if "failover" in body else None,
            options=options,
            token=_token(body["token"]) if "token" in body else None,
            max_hours=max_hours,
            speakers=speaker_names("speakers", body["speakers"]) if "speakers" in body else None,
            apart_from=_recording_ids("apart_from", body["apart_from"]) if "apart_from" in body else None,
        )

    @property
    def mode(self) -> str:
        """Agora's recording mode: mix, individual or web."""
        return self.recorder.mode

    @property
    def claimed(self) -> str:
        """What the recording claims for itself, see `claimed_name`."""
        return claimed_name(self.channel, self.mode)

    @property
    def attributes(self) -> dict[str, Any]:
        """What is kept of it on the row: all but the secrets."""
        own = {name: getattr(self, name) for name in ("channel", "uid", "mode", "provider", "options", "max_hours")}
        if_given = {name: getattr(self, name) for name in ("failover", "speakers", "apart_from")}
        return {**own, **{name: value for name, value in if_given.items() if value is not None}, **self.recorder.kept}

    @property
    def fingerprint(self) -> str:
        """Tells whether two requests ask for the same; a renewed token makes no difference, another page does."""
        links = {name: self.recorder.given[name] for name in ("url", "rtmp_url") if name in self.recorder.given}
        asked = {**self.attributes, **links}
        return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:32]


def claimed_name(channel: str, mode: str) -> str:
    """The name under which a recording holds its channel, whose modes share it: there is one recorder in a channel.

    A web page's label may be like the name of a channel and has nothing to do with it; no channel has a slash.
    """
    return f"web/{channel}" if mode == "web" else channel


def recorder_uid(channel: str) -> str:
    """The recorder's uid in a channel unless the caller names one.

    Always the same, so that Agora itself refuses a second recorder when our own memory of the first is lost.
    """
    return str(1 + int(sha256(channel.encode()).hexdigest()[:16], 16) % (LARGEST_UID - 1))


def speaker_names(path: str, value: Any) -> dict[str, str]:
    """A name for each of some uids, checked: `{"1001": "Ada Lovelace"}`.

    Raises:
        InvalidRequest: names what is wrong, such as `speakers.1001`.
    """
    if not isinstance(value, Mapping) or len(value) > MOST_SPEAKERS:
        raise InvalidRequest(path, f"must be an object of at most {MOST_SPEAKERS} names by uid")
    for of, name in value.items():
        uid(f"{path}.{of}", of)
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise InvalidRequest(f"{path}.{of}", f"must be a name of 1 to {LONGEST_NAME} printable characters")
    return dict(value)


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


def _label(value: Any) -> str:
    """What a web page's recording goes by. With a slash in it its files would lie in a folder of their own."""
    if value is None:
        raise InvalidRequest("channel", "is required")
    if not isinstance(value, str) or not value or not value.isprintable() or "/" in value or "\\" in value:
        raise InvalidRequest("channel", "must be a text of printable characters without slashes")
    if len(value.encode(errors="replace")) > LONGEST_LABEL:
        raise InvalidRequest("channel", f"must have at most {LONGEST_LABEL} bytes")
    return value


def _why_not(name: str, mode: str, known: Sequence[str]) -> str:
    others = [other for other in MODES if name in fields_of(other)]
    return f"is for mode {' or '.join(others)}, not {mode}" if others else f"unknown; the fields are {', '.join(known)}"


def _check_area(area: str | None, aws_region: str) -> None:
    """Agora confines itself to an area with its storage, and refuses a bucket elsewhere."""
    fitting = area_of(aws_region)
    if area is None or area == fitting:
        return
    if fitting is None:
        raise InvalidRequest(
            "region", f"must be left out: the bucket is in {aws_region}, which is in no area of Agora's"
        )
    raise InvalidRequest("region", f"must be {fitting} or left out: the bucket is in {aws_region}")


def _one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidRequest(name, f"must be one of {', '.join(allowed)}")
    return value


def _failover(value: Any, providers: Sequence[str]) -> list[str]:
    if not isinstance(value, list) or len(set(map(str, value))) < len(value):
        raise InvalidRequest("failover", f"must be a list of different names out of {', '.join(providers)}")
    return [_one_of("failover", name, providers) for name in value]


def _recording_ids(path: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_APART_FROM:
        raise InvalidRequest(path, f"must be a list of 1 to {MOST_APART_FROM} ids of recordings")
    for index, recording_id in enumerate(value):
        if not isinstance(recording_id, str) or not _RECORDING_ID.fullmatch(recording_id):
            raise InvalidRequest(f"{path}[{index}]", "must be the id of a recording")
    if len(set(value)) < len(value):
        raise InvalidRequest(path, "must not name a recording twice")
    return value


def _token(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 2048 or not value.isascii():
        raise InvalidRequest("token", "must be an Agora RTC token")
    return value


def _whole_number(name: str, value: Any, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidRequest(name, f"must be a whole number from {lowest} to {highest}")
    return value
