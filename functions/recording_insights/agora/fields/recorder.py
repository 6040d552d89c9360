"""The recording options as tables: our name of each field, Agora's name, its reader and its mode.

Source: https://docs.agora.io/en/cloud-recording/reference/restful-api. Where Agora's pages disagree,
docs/decisions/recording-options.md says which one is followed.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from recording_insights.agora.fields.decryption import decryption
from recording_insights.agora.fields.layout import MOST_PIXELS, transcoding
from recording_insights.agora.fields.subscriptions import SUBSCRIPTIONS, check_subscriptions
from recording_insights.agora.fields.translation import Field, Fields, agora_object, named_value
from recording_insights.agora.fields.uids import ALL_UIDS
from recording_insights.errors import InvalidRequest
from recording_insights.validation import flag, link, one_of, whole_number

_MOST_OF_GROUP = (2, 7, 12, 17, 32, 49)
"""The largest number of uids in each of `subscribeUidGroup` 0 to 5."""
_USUAL_UIDS = 17
"""How many uids are expected in a channel if the request does not say."""
_VIDEO_FIELDS = ("video_stream_type", "subscribe_video_uids", "unsubscribe_video_uids", "transcoding", "snapshots")

_correct_extinf = flag.mapped(lambda on: json.dumps({"correctEXTINF": on}, separators=(",", ":")))
_ntp_timestamps = flag.mapped(lambda on: {"enableNTPtimestamp": on})
_audio_only = flag.mapped(lambda on: 0 if on else 2)
_uid_group = whole_number(1, _MOST_OF_GROUP[-1]).mapped(lambda uids: bisect_left(_MOST_OF_GROUP, uids))
"""Agora's number for a range of uids."""
_output = link("rtmp", "rtmps").mapped(lambda url: [{"rtmpUrl": url}])
"""Agora pushes a page to one stream at a time."""
_snapshots = agora_object({"interval_seconds": Field("captureInterval", whole_number(5, 3600))}).mapped(
    lambda snapshots: {**snapshots, "fileType": ["jpg"]}
)
_audio_profile = whole_number(0, 2)
_CHANNEL_FIELDS: Fields = {
    "channel_type": Field("channelType", named_value(communication=0, live=1)),
    "max_idle_seconds": Field("maxIdleTime", whole_number(5, 2_592_000)),
    "decryption": Field(None, decryption),
    "correct_extinf": Field("privateParams", _correct_extinf),
    "ntp_timestamps": Field("extensionParams", _ntp_timestamps),
    "audio_only": Field("streamTypes", _audio_only),
    "video_stream_type": Field("videoStreamType", named_value(high=0, low=1)),
    **SUBSCRIPTIONS,
}
_ONHOLD: Fields = {"onhold": Field("onhold", flag)}
STREAM: Fields = {"rtmp_url": Field("outputs", _output)}
"""Fields of the service that pushes a page to a CDN."""
SNAPSHOTS: Fields = {"snapshots": Field("snapshotConfig", _snapshots)}
"""Fields of start's `clientRequest` itself."""

ACQUIRE: Fields = {
    "region": Field("region", one_of("CN", "AP", "EU", "NA")),
    "region_affinity": Field("regionAffinity", whole_number(0, 4)),
    "announce_start": Field("startParameter", flag),
}
"""Fields of acquire, in all modes."""
START: Mapping[str, Fields] = {
    "mix": {
        **_CHANNEL_FIELDS,
        "audio_profile": Field("audioProfile", _audio_profile),
        "transcoding": Field("transcodingConfig", transcoding),
    },
    "individual": {
        **_CHANNEL_FIELDS,
        "stream_mode": Field("streamMode", one_of("default", "standard", "original")),
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
"""By mode: fields of `recordingConfig` (mix, individual) or of the page recorder's `serviceParam` (web)."""
BESIDE: Mapping[str, Fields] = {"mix": {}, "individual": SNAPSHOTS, "web": STREAM}
"""By mode: fields that start's `clientRequest` has beside those of `START`."""
UPDATE: Mapping[str, Fields] = {"mix": SUBSCRIPTIONS, "individual": SUBSCRIPTIONS, "web": {**_ONHOLD, **STREAM}}
"""By mode: fields of update."""

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
"""By mode: values of fields left out, where Agora requires a value or has an unsuitable default."""
MODES = tuple(START)


def fields_of(mode: str) -> Fields:
    """All fields that a request of this mode may have for the recorder."""
    return {**START[mode], **BESIDE[mode], **ACQUIRE}


def usual(mode: str, given: Mapping[str, Any], max_hours: int) -> Mapping[str, Any]:
    """Return the defaults that depend on the rest of the request."""
    if mode == "web":
        return {"max_recording_hours": max_hours}
    if mode == "individual":
        unnamed = _USUAL_UIDS if _records_unnamed_uids(given) else 0
        return {"expected_uids": max(named_uids(given), unnamed) or _USUAL_UIDS}
    return {}


def check_together(mode: str, given: Mapping[str, Any], max_hours: int) -> None:
    """Check that the fields of a start fit each other; each has been checked on its own.

    Raises:
        InvalidRequest: names the field that does not fit.
    """
    if "region" in given and "region_affinity" in given:
        raise InvalidRequest("region_affinity", "must not stand beside region, which says the same")
    _RULES[mode](given, max_hours)


def named_uids(given: Mapping[str, Any]) -> int:
    """Count the different uids that the lists to subscribe to name."""
    lists = [given.get(name) for name in ("subscribe_audio_uids", "subscribe_video_uids")]
    return len({str(uid) for named in lists if isinstance(named, list) for uid in named})


def most_uids(expected: int) -> int:
    """Return the number of uids that Agora reserves servers for: the upper end of the range of `expected`."""
    return _MOST_OF_GROUP[bisect_left(_MOST_OF_GROUP, expected)]


def _records_unnamed_uids(given: Mapping[str, Any]) -> bool:
    """Whether the recorder also records uids that no list names."""
    left_out = any(name.startswith("unsubscribe") for name in given)
    return left_out or ALL_UIDS in (given.get("subscribe_audio_uids"), given.get("subscribe_video_uids"))


def _check_channel(given: Mapping[str, Any], _: int) -> None:
    for name in _VIDEO_FIELDS:
        if given["audio_only"] and name in given:
            raise InvalidRequest(name, "is about video, and needs audio_only to be false")
    check_subscriptions(given)


def _check_individual(given: Mapping[str, Any], max_hours: int) -> None:
    _check_channel(given, max_hours)
    if given["stream_mode"] == "original" and not given["audio_only"]:
        raise InvalidRequest("stream_mode", "must not be original unless audio_only is true")
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
