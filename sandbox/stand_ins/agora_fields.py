"""What Agora lets a recorder be told: how to record a channel or a page, whom to hear, how to lay out the picture."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.stand_ins.agora_checks import (
    BadParameter,
    Check,
    an_object,
    boolean,
    colour,
    fields,
    integer,
    one_of,
    require,
    salt,
    share,
    text,
    uid,
    uids,
    url,
)

_MOST_PIXELS = 1920 * 1080
_MOST_REGIONS = 17
_CUSTOM_LAYOUT = 3
_SALTED_MODES = (7, 8)
_PAGE_SERVICE = "web_recorder_service"

_REGION: Mapping[str, Check] = {
    "uid": uid,
    **dict.fromkeys(("x_axis", "y_axis", "width", "height", "alpha"), share),
    "render_mode": integer(0, 1),
}
_USER_BACKGROUND: Mapping[str, Check] = {"uid": uid, "image_url": url, "render_mode": integer(0, 1)}
_LAYOUT: Mapping[str, Check] = {
    "maxResolutionUid": uid,
    "mixedVideoLayout": integer(0, 3),
    "backgroundColor": colour,
    "backgroundImage": url,
    "defaultUserBackgroundImage": url,
    "layoutConfig": lambda value: isinstance(value, list) and len(value) <= _MOST_REGIONS,
    "backgroundConfig": lambda value: isinstance(value, list),
}
_TRANSCODING: Mapping[str, Check] = {**dict.fromkeys(("width", "height", "fps", "bitrate"), integer(1)), **_LAYOUT}
_SUBSCRIPTIONS = ("subscribeAudioUids", "subscribeVideoUids", "unsubscribeAudioUids", "unsubscribeVideoUids")
_RECORDING: Mapping[str, Check] = {
    "channelType": integer(0, 1),
    "streamTypes": integer(0, 2),
    "maxIdleTime": integer(5, 2_592_000),
    **dict.fromkeys(_SUBSCRIPTIONS, uids),
    "videoStreamType": integer(0, 1),
    "decryptionMode": integer(0, 8),
    "secret": text,
    "salt": salt,
    "privateParams": text,
}
_OF_MODE: Mapping[str, Mapping[str, Check]] = {
    "individual": {"streamMode": one_of("default", "standard", "original"), "subscribeUidGroup": integer(0, 5)},
    "mix": {"audioProfile": integer(0, 2), "transcodingConfig": an_object},
}
_PAGE: Mapping[str, Check] = {
    "url": url,
    "audioProfile": integer(0, 2),
    "videoWidth": integer(240, 1920),
    "videoHeight": integer(240, 1920),
    "maxRecordingHour": integer(1, 720),
    "videoBitrate": integer(1),
    "videoFps": integer(5, 60),
    "mobile": boolean,
    "maxVideoDuration": integer(30, 240),
    "onhold": boolean,
    "readyTimeout": integer(0, 60),
}


def check_recording(recording: Mapping[str, Any], mode: str) -> None:
    """`recordingConfig` of the modes individual and mix."""
    where = "recordingConfig"
    fields(recording, where, {**_RECORDING, **_OF_MODE[mode]})
    require(recording, where, "channelType")
    if mode == "individual":
        require(recording, where, "subscribeUidGroup")
    if recording.get("streamMode") == "original" and recording.get("streamTypes") != 0:
        raise BadParameter("recordingConfig.streamMode original needs streamTypes 0")
    _check_subscriptions(recording, where)
    for medium, without in (("Video", 0), ("Audio", 1)):
        if recording.get("streamTypes", 2) == without and f"subscribe{medium}Uids" in recording:
            raise BadParameter(f"recordingConfig.subscribe{medium}Uids does not fit streamTypes {without}")
    if recording.get("decryptionMode", 0):
        require(recording, where, "secret")
    if recording.get("decryptionMode") in _SALTED_MODES:
        require(recording, where, "salt")
    if "privateParams" in recording:
        _check_json(recording["privateParams"])
    if "transcodingConfig" in recording:
        canvas = recording["transcodingConfig"]
        _check_layout_of(canvas, f"{where}.transcodingConfig", _TRANSCODING)
        if canvas.get("width", 360) * canvas.get("height", 640) > _MOST_PIXELS:
            raise BadParameter("recordingConfig.transcodingConfig is larger than 1920 x 1080")


def check_offered(request: Mapping[str, Any]) -> None:
    """Of a start in individual mode: this stand-in records sound, a playlist per uid, and nothing else."""
    recording = request["recordingConfig"]
    for name, wanted in (("streamTypes", recording.get("streamTypes", 2)), ("streamMode", recording.get("streamMode"))):
        if wanted in (1, 2, "standard"):
            raise BadParameter(f"recordingConfig.{name} {wanted} is not offered by this stand-in")
    if "snapshotConfig" in request:
        raise BadParameter("snapshotConfig is not offered by this stand-in")


def check_layout(given: Mapping[str, Any]) -> None:
    """`clientRequest` of updateLayout: the whole layout, what is left out goes back to its default."""
    _check_layout_of(given, "clientRequest", _LAYOUT)


def check_page(extension: Any) -> None:
    """`extensionServiceConfig` of web mode with the recorder of a page; pushing it to a CDN is not offered here."""
    where = "extensionServiceConfig"
    services: Check = lambda value: isinstance(value, list) and len(value) == 1  # noqa: E731
    fields(extension, where, {"errorHandlePolicy": one_of("error_abort"), "extensionServices": services})
    require(extension, where, "extensionServices")
    [service], where = extension["extensionServices"], f"{where}.extensionServices[0]"
    known = {
        "serviceName": one_of(_PAGE_SERVICE),
        "errorHandlePolicy": one_of("error_abort"),
        "serviceParam": an_object,
    }
    fields(service, where, known)
    require(service, where, "serviceName", "serviceParam")
    page, where = service["serviceParam"], f"{where}.serviceParam"
    fields(page, where, _PAGE)
    require(page, where, "url", "audioProfile", "videoWidth", "videoHeight", "maxRecordingHour")
    if page["videoWidth"] * page["videoHeight"] > _MOST_PIXELS:
        raise BadParameter(f"{where}.videoWidth times videoHeight is larger than 1920 x 1080")


def check_stream_subscribe(given: Mapping[str, Any]) -> None:
    """`streamSubscribe` of update in the modes individual and mix."""
    where = "clientRequest.streamSubscribe"
    fields(given, where, {"audioUidList": an_object, "videoUidList": an_object})
    for name, medium in (("audioUidList", "Audio"), ("videoUidList", "Video")):
        lists = given.get(name, {})
        fields(lists, f"{where}.{name}", {f"subscribe{medium}Uids": uids, f"unsubscribe{medium}Uids": uids})
        _check_subscriptions(lists, f"{where}.{name}")


def check_page_update(given: Mapping[str, Any]) -> None:
    """`webRecordingConfig` of update in web mode."""
    fields(given, "clientRequest.webRecordingConfig", {"onhold": boolean})


def _check_layout_of(given: Any, where: str, known: Mapping[str, Check]) -> None:
    fields(given, where, known)
    for name, of_each, needed in (
        ("layoutConfig", _REGION, ("x_axis", "y_axis", "width", "height")),
        ("backgroundConfig", _USER_BACKGROUND, ("uid", "image_url")),
    ):
        for index, entry in enumerate(given.get(name, [])):
            fields(entry, f"{where}.{name}[{index}]", of_each)
            require(entry, f"{where}.{name}[{index}]", *needed)
    if (given.get("mixedVideoLayout") == _CUSTOM_LAYOUT) != bool(given.get("layoutConfig")):
        raise BadParameter(f"{where}.layoutConfig belongs to mixedVideoLayout 3, which needs it")


def _check_subscriptions(given: Mapping[str, Any], where: str) -> None:
    for medium in ("Audio", "Video"):
        if f"subscribe{medium}Uids" in given and f"unsubscribe{medium}Uids" in given:
            raise BadParameter(f"{where} has both subscribe{medium}Uids and unsubscribe{medium}Uids")


def _check_json(private: str) -> None:
    try:
        fits = isinstance(json.loads(private), dict)
    except ValueError:
        fits = False
    if not fits:
        raise BadParameter("recordingConfig.privateParams must be a JSON object in a string")
