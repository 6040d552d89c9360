"""What a recorder can be told, as data: our name of each field, Agora's, its check, its mode.

Source: https://docs.agora.io/en/cloud-recording/reference/restful-api; where its pages disagree,
docs/decisions.md says which one was followed.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from recording_insights.agora.decryption import decryption
from recording_insights.agora.fields import (
    EVERYBODY,
    Field,
    Fields,
    Read,
    flag,
    link,
    one_of,
    read_fields,
    uids,
    whole_number,
)
from recording_insights.agora.layout import MOST_PIXELS, transcoding
from recording_insights.agora.storage import STORAGE_SECRETS
from recording_insights.errors import InvalidRequest

_MOST_OF_GROUP = (2, 7, 12, 17, 32, 49)
"""The largest number of uids in each of `subscribeUidGroup` 0 to 5."""
USUAL_UIDS = 17
"""How many are expected in a channel where nobody says it."""


def _correct_extinf(path: str, value: Any) -> Any:
    return json.dumps({"correctEXTINF": flag(path, value)}, separators=(",", ":"))


def _audio_only(path: str, value: Any) -> int:
    return 0 if flag(path, value) else 2


def _audio_alone(path: str, value: Any) -> int:
    if not flag(path, value):
        raise InvalidRequest(path, "must be true or left out: mode individual records audio")
    return 0


def _uid_group(path: str, value: Any) -> int:
    """Agora's number for a range of uids."""
    return bisect_left(_MOST_OF_GROUP, whole_number(1, _MOST_OF_GROUP[-1])(path, value))


_audio_profile: Read = whole_number(0, 2)
_HEARD: Fields = {"subscribe_audio_uids": Field("subscribeAudioUids", uids)}
_SUBSCRIPTIONS: Fields = {**_HEARD, "subscribe_video_uids": Field("subscribeVideoUids", uids)}
_OF_A_CHANNEL: Fields = {
    "channel_type": Field("channelType", one_of(communication=0, live=1)),
    "max_idle_seconds": Field("maxIdleTime", whole_number(5, 2_592_000)),
    "decryption": Field(None, decryption),
    "correct_extinf": Field("privateParams", _correct_extinf),
}
_ONHOLD: Fields = {"onhold": Field("onhold", flag)}

ACQUIRE: Fields = {"region": Field("region", one_of(CN="CN", AP="AP", EU="EU", NA="NA"))}
"""Of all modes, and for acquire."""
START: Mapping[str, Fields] = {
    "mix": {
        **_OF_A_CHANNEL,
        "audio_only": Field("streamTypes", _audio_only),
        "audio_profile": Field("audioProfile", _audio_profile),
        "video_stream_type": Field("videoStreamType", one_of(high=0, low=1)),
        **_SUBSCRIPTIONS,
        "transcoding": Field("transcodingConfig", transcoding),
    },
    "individual": {
        **_OF_A_CHANNEL,
        "audio_only": Field("streamTypes", _audio_alone),
        "stream_mode": Field("streamMode", one_of(default="default", original="original")),
        **_HEARD,
        "expected_uids": Field("subscribeUidGroup", _uid_group),
    },
    "web": {
        "url": Field("url", link("https", "http"), required=True),
        "audio_profile": Field("audioProfile", _audio_profile),
        "video_width": Field("videoWidth", whole_number(240, 1920)),
        "video_height": Field("videoHeight", whole_number(240, 1920)),
        "video_bitrate": Field("videoBitrate", whole_number(1)),
        "video_fps": Field("videoFps", whole_number(5, 60)),
        "max_recording_hours": Field("maxRecordingHour", whole_number(1, 720)),
        "max_video_minutes": Field("maxVideoDuration", whole_number(30, 240)),
        **_ONHOLD,
        "ready_timeout_seconds": Field("readyTimeout", whole_number(0, 60)),
        "mobile": Field("mobile", flag),
    },
}
"""By mode; of `recordingConfig` (mix, individual) and of the page recorder's `serviceParam` (web)."""
UPDATE: Mapping[str, Fields] = {"mix": _SUBSCRIPTIONS, "individual": _HEARD, "web": _ONHOLD}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "mix": {"audio_only": False, "channel_type": "communication", "max_idle_seconds": 300, "audio_profile": 0},
    "individual": {
        "audio_only": True,
        "stream_mode": "default",
        "channel_type": "communication",
        "max_idle_seconds": 300,
    },
    "web": {"audio_profile": 0, "video_width": 1280, "video_height": 720},
}
"""Where Agora wants a value, or its own default would not do."""
MODES = tuple(START)


def fields_of(mode: str) -> Fields:
    """All that a request of this mode may hold for the recorder."""
    return {**START[mode], **ACQUIRE}


@dataclass(frozen=True)
class RecorderSettings:
    """How a recorder is to record: the fields of a request that are Agora's, checked, with the defaults filled in."""

    mode: str
    given: Mapping[str, Any] = field(repr=False)  # a decryption secret may be in it

    @classmethod
    def read(cls, mode: str, given: Mapping[str, Any], *, max_hours: int) -> "RecorderSettings":
        """Check the fields; a page is recorded for `max_hours` unless they say less.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        given = {**DEFAULTS[mode], **_usual(mode, given, max_hours), **given}
        read_fields(fields_of(mode), given)
        _RULES[mode](given, max_hours)
        return cls(mode, given)

    def acquire_request(self, max_hours: int) -> dict[str, Any]:
        """`clientRequest` of acquire; the task can be asked about and stopped for `max_hours`."""
        given = {name: self.given[name] for name in ACQUIRE if name in self.given}
        scene = 1 if self.mode == "web" else 0
        return {"scene": scene, "resourceExpiredHour": max_hours, **read_fields(ACQUIRE, given)}

    def start_request(self) -> dict[str, Any]:
        """`clientRequest` of start, without token and `storageConfig`; may hold the decryption secret."""
        told = read_fields(fields_of(self.mode), self.given)
        told.pop("region", None)
        # Agora makes no MP4 of a single voice.
        files = {"recordingFileConfig": {"avFileType": ["hls"] if self.mode == "individual" else ["hls", "mp4"]}}
        if self.mode != "web":
            return {"recordingConfig": told, **files}
        page = {"serviceName": "web_recorder_service", "errorHandlePolicy": "error_abort", "serviceParam": told}
        return {"extensionServiceConfig": {"errorHandlePolicy": "error_abort", "extensionServices": [page]}, **files}

    @property
    def kept(self) -> dict[str, Any]:
        """What the row keeps of it: see `storable`."""
        row: dict[str, Any] = storable(self.given)
        return row


def update_request(mode: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`clientRequest` of update.

    Raises:
        InvalidRequest: names the field that is unknown or wrong.
    """
    told = read_fields(UPDATE[mode], fields)
    if mode == "web":
        return {"webRecordingConfig": told}
    lists = {"audioUidList": "subscribeAudioUids", "videoUidList": "subscribeVideoUids"}
    return {"streamSubscribe": {medium: {name: told[name]} for medium, name in lists.items() if name in told}}


def subscriptions_of(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Whom the recorder of a channel listens to and watches, from its row.

    Naming either list makes Agora leave out the other medium, so there is "all" only where neither was named.
    """
    named = {name: recording[name] for name in _SUBSCRIPTIONS if name in recording}
    named = {name: list(map(str, who)) if isinstance(who, list) else who for name, who in named.items()}
    media = ("subscribe_audio_uids",) if recording.get("audio_only") else tuple(_SUBSCRIPTIONS)
    return named or dict.fromkeys(media, EVERYBODY)


def storable(value: Any) -> Any:
    """What may be stored and shown: no secret and no salt, links without their query, numbers exact."""
    match value:
        case Mapping():
            return {name: storable(inner) for name, inner in value.items() if name not in ("secret", "salt")}
        case list():
            return [storable(inner) for inner in value]
        case float():
            return Decimal(str(round(value, 6)))
        case str() if value.startswith(("https://", "http://")):
            return value.partition("?")[0].partition("#")[0]  # whoever has it may be let in by it
        case _:
            return value


_SECRET_FIELDS = ("token", "secret", "salt", *STORAGE_SECRETS)


def secrets_in(client_request: Any) -> Iterator[str]:
    """What of a `clientRequest` must not be repeated anywhere; Agora's reasons may quote it."""
    entries = client_request.items() if isinstance(client_request, Mapping) else enumerate(client_request)
    for name, value in entries:
        if isinstance(value, Mapping | list):
            yield from secrets_in(value)
        elif isinstance(value, str) and (name in _SECRET_FIELDS or value.startswith(("https://", "http://"))):
            yield value


def _usual(mode: str, given: Mapping[str, Any], max_hours: int) -> Mapping[str, Any]:
    """Defaults that follow from the rest of the request."""
    if mode == "web":
        return {"max_recording_hours": max_hours}
    if mode == "individual":
        named = given.get("subscribe_audio_uids")
        return {"expected_uids": len(named) if isinstance(named, list) and named else USUAL_UIDS}
    return {}


def _check_mix(given: Mapping[str, Any], _: int) -> None:
    for name in ("video_stream_type", "subscribe_video_uids", "transcoding"):
        if given["audio_only"] and name in given:
            raise InvalidRequest(name, "is about video, and audio_only records none")
    if "subscribe_video_uids" in given and "subscribe_audio_uids" not in given:
        raise InvalidRequest("subscribe_audio_uids", "is required beside subscribe_video_uids, or nobody is heard")


def _check_individual(given: Mapping[str, Any], _: int) -> None:
    named = given.get("subscribe_audio_uids")
    if isinstance(named, list) and len(named) > given["expected_uids"]:
        raise InvalidRequest("expected_uids", f"must be at least the {len(named)} of subscribe_audio_uids")


def _check_web(given: Mapping[str, Any], max_hours: int) -> None:
    if given["video_width"] * given["video_height"] > MOST_PIXELS:
        raise InvalidRequest("video_width", "times video_height must not exceed 1920 × 1080")
    if given["max_recording_hours"] > max_hours:
        raise InvalidRequest("max_recording_hours", f"must not exceed max_hours, which is {max_hours}")


_RULES: Mapping[str, Callable[[Mapping[str, Any], int], None]] = {
    "mix": _check_mix,
    "individual": _check_individual,
    "web": _check_web,
}
