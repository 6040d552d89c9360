"""What a recorder can be told, as data: our name of each field, Agora's, its check, its mode.

Source: https://docs.agora.io/en/cloud-recording/reference/restful-api; where its pages disagree,
docs/decisions/recording-options.md says which one was followed.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from recording_insights.agora.fields.decryption import decryption
from recording_insights.agora.fields.layout import MOST_PIXELS, transcoding
from recording_insights.agora.fields.subscriptions import SUBSCRIPTIONS, check_subscriptions
from recording_insights.errors import InvalidRequest
from recording_insights.validation import (
    EVERYBODY,
    Field,
    Fields,
    Read,
    flag,
    link,
    one_of,
    read_fields,
    whole_number,
)

_MOST_OF_GROUP = (2, 7, 12, 17, 32, 49)
"""The largest number of uids in each of `subscribeUidGroup` 0 to 5."""
_USUAL_UIDS = 17
"""How many are expected in a channel where nobody says it."""
_ABOUT_VIDEO = ("video_stream_type", "subscribe_video_uids", "unsubscribe_video_uids", "transcoding", "snapshots")


def _correct_extinf(path: str, value: Any) -> Any:
    return json.dumps({"correctEXTINF": flag(path, value)}, separators=(",", ":"))


def _audio_only(path: str, value: Any) -> int:
    return 0 if flag(path, value) else 2


def _uid_group(path: str, value: Any) -> int:
    """Agora's number for a range of uids."""
    return bisect_left(_MOST_OF_GROUP, whole_number(1, _MOST_OF_GROUP[-1])(path, value))


def _snapshots(path: str, value: Any) -> Any:
    return {**read_fields(_SNAPSHOTS, value, f"{path}."), "fileType": ["jpg"]}


def _output(path: str, value: Any) -> Any:
    """Agora pushes a page to one stream at a time."""
    return [{"rtmpUrl": link("rtmp", "rtmps")(path, value)}]


_SNAPSHOTS: Fields = {"interval_seconds": Field("captureInterval", whole_number(5, 3600))}
_audio_profile: Read = whole_number(0, 2)
_OF_A_CHANNEL: Fields = {
    "channel_type": Field("channelType", one_of(communication=0, live=1)),
    "max_idle_seconds": Field("maxIdleTime", whole_number(5, 2_592_000)),
    "decryption": Field(None, decryption),
    "correct_extinf": Field("privateParams", _correct_extinf),
    "audio_only": Field("streamTypes", _audio_only),
    "video_stream_type": Field("videoStreamType", one_of(high=0, low=1)),
    **SUBSCRIPTIONS,
}
_ONHOLD: Fields = {"onhold": Field("onhold", flag)}
STREAM: Fields = {"rtmp_url": Field("outputs", _output)}
"""Of the service that pushes a page to a CDN."""
SNAPSHOTS: Fields = {"snapshots": Field("snapshotConfig", _snapshots)}
"""Of start's `clientRequest` itself."""

ACQUIRE: Fields = {
    "region": Field("region", one_of(CN="CN", AP="AP", EU="EU", NA="NA")),
    "region_affinity": Field("regionAffinity", whole_number(0, 4)),
    "announce_start": Field("startParameter", flag),
}
"""Of all modes, and for acquire."""
START: Mapping[str, Fields] = {
    "mix": {
        **_OF_A_CHANNEL,
        "audio_profile": Field("audioProfile", _audio_profile),
        "transcoding": Field("transcodingConfig", transcoding),
    },
    "individual": {
        **_OF_A_CHANNEL,
        "stream_mode": Field("streamMode", one_of(default="default", standard="standard", original="original")),
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
BESIDE: Mapping[str, Fields] = {"mix": {}, "individual": SNAPSHOTS, "web": STREAM}
"""By mode; what has a place of its own in `clientRequest`."""
UPDATE: Mapping[str, Fields] = {"mix": SUBSCRIPTIONS, "individual": SUBSCRIPTIONS, "web": {**_ONHOLD, **STREAM}}

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
    return {**START[mode], **BESIDE[mode], **ACQUIRE}


def usual(mode: str, given: Mapping[str, Any], max_hours: int) -> Mapping[str, Any]:
    """Defaults that follow from the rest of the request."""
    if mode == "web":
        return {"max_recording_hours": max_hours}
    if mode == "individual":
        return {"expected_uids": max(named_uids(given), _USUAL_UIDS if _everybody_counts(given) else 0) or _USUAL_UIDS}
    return {}


def check_together(mode: str, given: Mapping[str, Any], max_hours: int) -> None:
    """What is right by itself also fits the rest of the request.

    Raises:
        InvalidRequest: names the field that does not.
    """
    if "region" in given and "region_affinity" in given:
        raise InvalidRequest("region_affinity", "must not stand beside region, which says the same")
    _RULES[mode](given, max_hours)


def named_uids(given: Mapping[str, Any]) -> int:
    """How many uids are heard or seen, as far as lists name them."""
    lists = [given.get(name) for name in ("subscribe_audio_uids", "subscribe_video_uids")]
    return len({str(uid) for named in lists if isinstance(named, list) for uid in named})


def most_uids(expected: int) -> int:
    """For how many uids Agora reserves its servers where so many are expected: it knows classes of sizes."""
    return _MOST_OF_GROUP[bisect_left(_MOST_OF_GROUP, expected)]


def _everybody_counts(given: Mapping[str, Any]) -> bool:
    """Whether a medium is recorded of people whom no list names."""
    left_out = any(name.startswith("unsubscribe") for name in given)
    return left_out or EVERYBODY in (given.get("subscribe_audio_uids"), given.get("subscribe_video_uids"))


def _check_channel(given: Mapping[str, Any], _: int) -> None:
    for name in _ABOUT_VIDEO:
        if given["audio_only"] and name in given:
            raise InvalidRequest(name, "is about video, and needs audio_only to be false")
    check_subscriptions(given)


def _check_individual(given: Mapping[str, Any], max_hours: int) -> None:
    _check_channel(given, max_hours)
    if given["stream_mode"] == "original" and not given["audio_only"]:
        raise InvalidRequest("stream_mode", "must not be original where video is recorded: audio_only has to be true")
    if "snapshots" in given and "subscribe_audio_uids" in given and "subscribe_video_uids" not in given:
        raise InvalidRequest(
            "subscribe_video_uids", "is required beside subscribe_audio_uids, or there are no snapshots"
        )
    if given["stream_mode"] == "standard" and given["audio_only"]:
        raise InvalidRequest("stream_mode", "standard adds playlists with video, and needs audio_only to be false")
    if (named := named_uids(given)) > given["expected_uids"]:
        raise InvalidRequest("expected_uids", f"must be at least the {named} uids that are listed")


def _check_web(given: Mapping[str, Any], max_hours: int) -> None:
    if given["video_width"] * given["video_height"] > MOST_PIXELS:
        raise InvalidRequest("video_width", "times video_height must not exceed 1920 × 1080")
    if given["max_recording_hours"] > max_hours:
        raise InvalidRequest("max_recording_hours", f"must not exceed max_hours, which is {max_hours}")


_RULES: Mapping[str, Callable[[Mapping[str, Any], int], None]] = {
    "mix": _check_channel,
    "individual": _check_individual,
    "web": _check_web,
}
