"""Rules for the options of a recorder: channel or page, subscriptions, layout of the picture."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.stand_ins.agora.checks import (
    BadParameter,
    Check,
    an_object,
    boolean,
    colour,
    fields,
    integer,
    one_of,
    require,
    rtmp_url,
    salt,
    share,
    text,
    uid,
    uids,
    url,
)
from sandbox.stand_ins.agora.page import PUBLISHER, RECORDER
from sandbox.stand_ins.agora.subscriptions import UNSUBSCRIBE, check_subscriptions, with_known_spelling

_MOST_PIXELS = 1920 * 1080
_MOST_REGIONS = 17
_CUSTOM_LAYOUT = 3
_SALTED_MODES = (7, 8)
_ERROR_POLICIES: Mapping[str, str] = {RECORDER: "error_abort", PUBLISHER: "error_ignore"}

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
    "extensionParams": an_object,
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


def check_recording(recording: Mapping[str, Any], mode: str, spelling: str = UNSUBSCRIBE) -> None:
    """Check `recordingConfig` of the modes individual and mix.

    `spelling` is how names of uid lists that exclude begin. Raises BadParameter.
    """
    where, recording = "recordingConfig", with_known_spelling(recording, spelling)
    fields(recording, where, {**_RECORDING, **_OF_MODE[mode]})
    require(recording, where, "channelType")
    if mode == "individual":
        require(recording, where, "subscribeUidGroup")
    _check_stream_types(recording)
    check_subscriptions(recording, where)
    _check_decryption(recording)
    if "privateParams" in recording:
        _check_json(recording["privateParams"])
    if "extensionParams" in recording:
        fields(recording["extensionParams"], f"{where}.extensionParams", {"enableNTPtimestamp": boolean})
    if "transcodingConfig" in recording:
        _check_canvas(recording["transcodingConfig"])


def _check_stream_types(recording: Mapping[str, Any]) -> None:
    """streamTypes: 0 audio, 1 video, 2 both."""
    mode, types = recording.get("streamMode"), recording.get("streamTypes", 2)
    # Agora wants streamTypes 0 written out: the default is 2.
    if mode == "original" and types != 0:
        raise BadParameter("recordingConfig.streamMode original needs streamTypes 0")
    if mode == "standard" and types != 2:
        raise BadParameter("recordingConfig.streamMode standard needs streamTypes 2")
    for medium, without in (("Video", 0), ("Audio", 1)):
        if types == without and f"subscribe{medium}Uids" in recording:
            raise BadParameter(f"recordingConfig.subscribe{medium}Uids does not fit streamTypes {without}")


def _check_decryption(recording: Mapping[str, Any]) -> None:
    mode = recording.get("decryptionMode", 0)
    if mode:
        require(recording, "recordingConfig", "secret")
    if mode in _SALTED_MODES:
        require(recording, "recordingConfig", "salt")


def _check_canvas(transcoding: Any) -> None:
    _check_layout_of(transcoding, "recordingConfig.transcodingConfig", _TRANSCODING)
    if transcoding.get("width", 360) * transcoding.get("height", 640) > _MOST_PIXELS:
        raise BadParameter("recordingConfig.transcodingConfig is larger than 1920 x 1080")


def check_snapshots(snapshots: Mapping[str, Any], recording: Mapping[str, Any]) -> None:
    """Check `snapshotConfig` of individual mode against `recordingConfig`: snapshots need video."""
    where = "snapshotConfig"
    fields(snapshots, where, {"captureInterval": integer(5, 3600), "fileType": lambda value: value == ["jpg"]})
    require(snapshots, where, "fileType")
    if recording.get("streamTypes") == 0:
        raise BadParameter("snapshotConfig needs streamTypes 1 or 2")
    if "subscribeAudioUids" in recording and "subscribeVideoUids" not in recording:
        raise BadParameter("snapshotConfig needs recordingConfig.subscribeVideoUids beside subscribeAudioUids")


def check_layout(given: Mapping[str, Any]) -> None:
    """Check `clientRequest` of updateLayout. It has the whole layout: a missing field returns to its default."""
    _check_layout_of(given, "clientRequest", _LAYOUT)


def check_page(extension: Any) -> None:
    """Check `extensionServiceConfig` of web mode: the recorder of a page, and optionally a publisher to CDNs."""
    where = "extensionServiceConfig"
    some: Check = lambda value: isinstance(value, list) and value != []  # noqa: E731
    fields(extension, where, {"errorHandlePolicy": one_of("error_abort"), "extensionServices": some})
    require(extension, where, "extensionServices")
    known: dict[str, Check] = {"serviceName": one_of(*_ERROR_POLICIES), "serviceParam": an_object}
    services = []
    for index, service in enumerate(extension["extensionServices"]):
        each = f"{where}.extensionServices[{index}]"
        name = service.get("serviceName") if isinstance(service, dict) else None
        fields(service, each, {**known, "errorHandlePolicy": one_of(_ERROR_POLICIES.get(str(name), ""))})
        require(service, each, "serviceName", "serviceParam")
        check = _check_page_recorder if name == RECORDER else check_publishing
        check(service["serviceParam"], f"{each}.serviceParam")
        services.append(name)
    if services.count(RECORDER) != 1 or services.count(PUBLISHER) > 1:
        raise BadParameter(f"{where} must have the serviceName {RECORDER} once, and {PUBLISHER} not twice")


def _check_page_recorder(page: Mapping[str, Any], where: str) -> None:
    fields(page, where, _PAGE)
    require(page, where, "url", "audioProfile", "videoWidth", "videoHeight", "maxRecordingHour")
    if page["videoWidth"] * page["videoHeight"] > _MOST_PIXELS:
        raise BadParameter(f"{where}.videoWidth times videoHeight is larger than 1920 x 1080")


def check_publishing(given: Mapping[str, Any], where: str) -> None:
    """Check the publisher's one output: in `serviceParam` of a start, or `rtmpPublishConfig` of an update."""
    fields(given, where, {"outputs": lambda value: isinstance(value, list) and len(value) == 1})
    require(given, where, "outputs")
    for index, output in enumerate(given["outputs"]):
        fields(output, f"{where}.outputs[{index}]", {"rtmpUrl": rtmp_url})
        require(output, f"{where}.outputs[{index}]", "rtmpUrl")


def check_stream_subscribe(given: Mapping[str, Any], spelling: str = UNSUBSCRIBE) -> None:
    """Check `streamSubscribe` of update in the modes individual and mix. `spelling` as in `check_recording`."""
    where = "clientRequest.streamSubscribe"
    fields(given, where, {"audioUidList": an_object, "videoUidList": an_object})
    for name, medium in (("audioUidList", "Audio"), ("videoUidList", "Video")):
        lists = with_known_spelling(given.get(name, {}), spelling)
        fields(lists, f"{where}.{name}", {f"subscribe{medium}Uids": uids, f"{UNSUBSCRIBE}{medium}Uids": uids})
        check_subscriptions(lists, f"{where}.{name}")


def check_page_update(given: Mapping[str, Any]) -> None:
    """Check `webRecordingConfig` of update in web mode."""
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


def _check_json(private: str) -> None:
    try:
        fits = isinstance(json.loads(private), dict)
    except ValueError:
        fits = False
    if not fits:
        raise BadParameter("recordingConfig.privateParams must be a JSON object in a string")
