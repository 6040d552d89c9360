"""Read and check the body of POST /recordings."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, Self

from recording_insights.agora.client_request import RecorderSettings
from recording_insights.agora.fields.recorder import MODES, fields_of
from recording_insights.agora.fields.uids import LARGEST_UID, uid
from recording_insights.agora.recorder import RecorderOrder
from recording_insights.agora.storage import area_of
from recording_insights.errors import InvalidRequest
from recording_insights.recordings.derivation import Choice, insights_choice
from recording_insights.store.rows import Speakers
from recording_insights.validation import (
    Reader,
    checked,
    distinct,
    list_of,
    map_of,
    matching,
    one_of,
    recording_id,
    whole_number,
)

MOST_HOURS = 24
"""A token's privileges end after 24 hours, and the recording in a protected channel ends with them."""
LONGEST_CHANNEL = 63
"""In bytes; Agora's limit."""
LONGEST_LABEL = 800
"""In bytes. Agora allows 1024, but the label is part of the files' keys, and S3 limits those to 1024."""
MOST_SPEAKERS = 49
"""As many uids as Agora records in a channel."""
MOST_NAMED = 100
LARGEST_NAMES = 20_000
"""In bytes, as JSON: they lie in the recording's row."""
LONGEST_NAME = 100
LONGEST_CONSENT = 500
MOST_APART_FROM = 10
LONGEST_REFERENCE = 256
MOST_METADATA = 16
LARGEST_METADATA = 4096
"""In bytes, of all keys and values together."""

_CHANNEL = rf"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{{}}|~,]{{1,{LONGEST_CHANNEL}}}"

_IF_GIVEN = ("failover", "speakers", "apart_from", "consent", "reference", "metadata")

OptionsCheck = Callable[[str, Any], None]
"""Checks the options of a provider (name, options); raises `InvalidRequest`, which names the option."""


@dataclass(frozen=True)
class RecordingRequest:
    """What to record, and what to do with the recording.

    `channel` is the name of a channel, or any label where a web page is recorded. `uid` is the recorder's own, in
    digits. `recorder` has the recording options. `token` admits the uid to a protected channel; it is never stored.
    `failover` are the providers that take over from `provider`, instead of the stack's list. `max_hours` is how long
    the recording can be queried and stopped, and how long its channel stays claimed. `apart_from` are the ids of
    recordings whose recorders must run on other servers of Agora's than this one. `consent` is the caller's note of how
    the participants consented; nobody else gets it. `reference` is the caller's own id of the recording, and `metadata`
    what else the caller wants to find beside it. `insights` is what a model is to derive from the transcript; None is
    whatever the stack derives, and False is nothing.
    """

    channel: str
    uid: str
    provider: str
    recorder: RecorderSettings
    failover: Sequence[str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    max_hours: int = MOST_HOURS
    speakers: Speakers | None = None
    apart_from: Sequence[str] | None = None
    consent: str | None = None
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    insights: Choice = None

    @classmethod
    def from_body(
        cls,
        body: Mapping[str, Any],
        *,
        providers: Sequence[str],
        default_provider: str,
        validate_options: OptionsCheck,
        aws_region: str,
        residency: str | None = None,
    ) -> Self:
        """Read a request's JSON object; the recordings bucket lies in `aws_region`.

        With a residency, Agora records in the area of the bucket also if the request names no `region`.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        mode = one_of(*MODES)("mode", body.get("mode", "mix"))
        readers = request_readers(mode, providers)
        _check_names(body, mode, readers)
        given = {
            "channel": None,
            "provider": default_provider,
            "options": {},
            "max_hours": MOST_HOURS,
            **body,
            "mode": mode,
        }
        own = {name: reader(name, given[name]) for name, reader in readers.items() if name in given}
        del own["mode"]
        validate_options(own["provider"], own["options"])
        options = {name: value for name, value in body.items() if name not in readers}
        if residency:
            options = {"region": area_of(aws_region), **options}
        recorder = RecorderSettings.read(mode, options, max_hours=own["max_hours"])
        _check_area(recorder.given.get("region"), aws_region)
        return cls(**{"uid": recorder_uid(claimed_name(own["channel"], mode)), **own}, recorder=recorder)

    @property
    def mode(self) -> str:
        """Agora's recording mode: mix, individual or web."""
        return self.recorder.mode

    @property
    def claimed(self) -> str:
        """The name under which the recording claims its channel."""
        return claimed_name(self.channel, self.mode)

    @property
    def order(self) -> RecorderOrder:
        """What Agora's client needs to start the recorder."""
        return RecorderOrder(self.channel, self.uid, self.recorder, self.max_hours, self.token)

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the row that come from the request, without secrets.

        Always: `channel`, `uid`, `mode`, `provider`, `options` and `max_hours`. If the caller gave them: `failover`,
        `speakers`, `apart_from`, `consent`, `reference` and `metadata`. Beside these stand the recording options with
        their defaults, under the names of the API (`fields_of(mode)`); see `RecorderSettings.kept`.
        """
        own = {name: getattr(self, name) for name in ("channel", "uid", "mode", "provider", "options", "max_hours")}
        if_given = {name: getattr(self, name) for name in _IF_GIVEN}
        return {**own, **{name: value for name, value in if_given.items() if value is not None}, **self.recorder.kept}

    @property
    def fingerprint(self) -> str:
        """A hash (32 hex digits) of the request. It covers the page's whole URL, but not the token."""
        links = {name: self.recorder.given[name] for name in ("url", "rtmp_url") if name in self.recorder.given}
        choice = {} if self.insights is None else {"insights": self.insights}
        covered = {**self.attributes, **_fractions_as_text(self.recorder.kept), **links, **choice}
        return sha256(json.dumps(covered, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _fractions_as_text(value: Any) -> Any:
    """Return recording options with fractions as text: rows of version 0.1 have hashes of this form."""
    match value:
        case Mapping():
            return {name: _fractions_as_text(inner) for name, inner in value.items()}
        case list():
            return [_fractions_as_text(inner) for inner in value]
        case float():
            return str(Decimal(str(value)))
        case _:
            return value


def request_readers(mode: str, providers: Sequence[str]) -> Mapping[str, Reader[Any]]:
    """The readers of a request's own fields, by name; the recording options are `fields_of(mode)`.

    `validate_options` checks the content of `options`, because it depends on the provider.
    """
    return {
        "mode": one_of(*MODES),
        "channel": label if mode == "web" else channel_name,
        "uid": uid,
        "provider": one_of(*providers),
        "failover": _failover(providers),
        "options": checked(lambda value: isinstance(value, dict), "must be an object", {"type": "object"}),
        "token": matching(r"[\x00-\x7f]{1,2048}", "must be an Agora RTC token"),
        "max_hours": whole_number(1, MOST_HOURS),
        "speakers": speaker_names if mode == "individual" else label_names,
        "apart_from": distinct(
            list_of(recording_id, most=MOST_APART_FROM, of="ids of recordings"), "must not name a recording twice"
        ),
        "consent": printable(LONGEST_CONSENT, "a text"),
        "insights": insights_choice,
        **CALLERS_WORDS,
    }


def claimed_name(channel: str, mode: str) -> str:
    """Return the name under which a recording claims its channel, so that a channel has one recorder at most.

    All modes of a channel share the name. A web page's label never equals it, because no channel has a slash.
    """
    return f"web/{channel}" if mode == "web" else channel


def recorder_uid(channel: str) -> str:
    """Return the recorder's uid in a channel, for requests that name none.

    It is always the same for a channel, so that Agora refuses a second recorder if our row of the first is lost.
    """
    return str(1 + int(sha256(channel.encode()).hexdigest()[:16], 16) % (LARGEST_UID - 1))


def printable(longest: int, what: str) -> Reader[str]:
    """A text of one line that is not blank; `what` names it in messages."""
    return checked(
        lambda value: isinstance(value, str) and bool(value.strip()) and len(value) <= longest and value.isprintable(),
        f"must be {what} of 1 to {longest} printable characters",
        {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"\S"},
    )


_name = printable(LONGEST_NAME, "a name")
speaker_names = map_of(
    uid, _name, most=MOST_SPEAKERS, detail=f"must be an object of at most {MOST_SPEAKERS} names by uid"
)
"""A name for each of some uids: `{"1001": "Ada Lovelace"}`."""
_label = printable(LONGEST_NAME, "a provider's label of a speaker")
label_names = map_of(
    _label, _name, most=MOST_SPEAKERS, detail=f"must be an object of at most {MOST_SPEAKERS} names by label"
)
"""A name for each of some speakers that a provider tells apart in a mix, by its label: `{"A": "Ada Lovelace"}`."""


def _read_names(path: str, value: Any) -> Any:
    return label_names(path, value) if isinstance(value, Mapping) else _name(path, value)


_names = map_of(
    _label,
    Reader(_read_names, {"anyOf": [_name.schema, label_names.schema]}),
    most=MOST_NAMED,
    detail=f"must be an object of at most {MOST_NAMED} names by label, or by the id of a media object",
)


def _read_part_names(path: str, value: Any) -> Any:
    names = _names(path, value)
    if len(json.dumps(names, ensure_ascii=False).encode(errors="replace")) > LARGEST_NAMES:
        raise InvalidRequest(path, f"must have at most {LARGEST_NAMES} bytes in all")
    return names


part_names = Reader(_read_part_names, _names.schema)
"""The same, where an object under the id of a media object names the speakers of that one alone.

A provider labels the speakers of each media object anew.
"""

_pairs = map_of(
    matching(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}", "must be a key of letters, digits and _ . : -, at most 64"),
    printable(LARGEST_METADATA, "a text"),
    most=MOST_METADATA,
    detail=f"must be an object of at most {MOST_METADATA} texts",
)


def _read_metadata(path: str, value: Any) -> dict[str, str]:
    pairs = _pairs(path, value)
    if sum(len(text.encode()) for pair in pairs.items() for text in pair) > LARGEST_METADATA:
        raise InvalidRequest(path, f"must have at most {LARGEST_METADATA} bytes in all")
    return pairs


CALLERS_WORDS: Mapping[str, Reader[Any]] = {
    "reference": printable(LONGEST_REFERENCE, "a text"),
    "metadata": Reader(_read_metadata, _pairs.schema),
}
"""What a caller keeps with a recording for itself."""


def _read_channel(path: str, value: Any) -> str:
    if value is None:
        raise InvalidRequest(path, "is required")
    if not isinstance(value, str) or not value:
        raise InvalidRequest(path, "must be the name of a channel")
    if len(value.encode(errors="replace")) > LONGEST_CHANNEL:
        raise InvalidRequest(path, f"must be shorter than {LONGEST_CHANNEL + 1} bytes")
    if not re.fullmatch(_CHANNEL, value):
        raise InvalidRequest(
            path, "may hold letters, digits, spaces and ! # $ % & ( ) + - : ; < = . > ? @ [ ] ^ _ { } | ~ ,"
        )
    return value


channel_name = Reader(_read_channel, {"type": "string", "pattern": f"^{_CHANNEL}$"})
"""The name of a channel, as Agora allows it."""


def _read_label(path: str, value: Any) -> str:
    if value is None:
        raise InvalidRequest(path, "is required")
    if not isinstance(value, str) or not value or not value.isprintable() or "/" in value or "\\" in value:
        raise InvalidRequest(path, "must be a text of printable characters without slashes")
    if len(value.encode(errors="replace")) > LONGEST_LABEL:
        raise InvalidRequest(path, f"must have at most {LONGEST_LABEL} bytes")
    return value


label = Reader(_read_label, {"type": "string", "pattern": r"^[^/\\]+$", "maxLength": LONGEST_LABEL})
"""The label of a web page's recording. With a slash, Agora would write the files to a folder of their own."""


def _failover(providers: Sequence[str]) -> Reader[list[str]]:
    detail = f"must be a list of different names out of {', '.join(providers)}"
    return distinct(list_of(one_of(*providers), fewest=0, of="names").with_detail(detail), detail)


def _check_names(body: Mapping[str, Any], mode: str, readers: Mapping[str, Reader[Any]]) -> None:
    """Refuse fields that are unknown or that the mode does not have."""
    for name in body:
        if name not in readers and name not in fields_of(mode):
            raise InvalidRequest(name, _why_unknown(name, mode, [*readers, *fields_of(mode)]))
    if mode == "web" and "token" in body:
        raise InvalidRequest("token", "is for channels, and a web page is none")


def _why_unknown(name: str, mode: str, known: Sequence[str]) -> str:
    others = [other for other in MODES if name in fields_of(other)]
    return f"is for mode {' or '.join(others)}, not {mode}" if others else f"unknown; the fields are {', '.join(known)}"


def _check_area(area: str | None, aws_region: str) -> None:
    """Refuse an area of Agora's service that the bucket is not in: Agora would not write there."""
    fitting = area_of(aws_region)
    if area is None or area == fitting:
        return
    if fitting is None:
        raise InvalidRequest(
            "region", f"must be left out: the bucket is in {aws_region}, which is in no area of Agora's"
        )
    raise InvalidRequest("region", f"must be {fitting} or left out: the bucket is in {aws_region}")
