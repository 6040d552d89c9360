"""What Agora accepts in the bodies of its calls. Everything is case-sensitive, and numbers are numbers."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

REGIONS: Mapping[int, str] = {
    0: "us-east-1",
    1: "us-east-2",
    2: "us-west-1",
    3: "us-west-2",
    4: "eu-west-1",
    5: "eu-west-2",
    6: "eu-west-3",
    7: "eu-central-1",
    8: "ap-southeast-1",
    9: "ap-southeast-2",
    10: "ap-northeast-1",
    11: "ap-northeast-2",
    12: "sa-east-1",
    13: "ca-central-1",
    14: "ap-south-1",
    15: "cn-north-1",
    16: "cn-northwest-1",
    18: "af-south-1",
    19: "ap-east-1",
    20: "ap-northeast-3",
    21: "eu-north-1",
    22: "me-south-1",
    24: "ap-southeast-3",
    25: "eu-south-1",
}
"""Agora's numbers of the AWS regions; 17 and 23 name none."""

MODES = ("individual", "mix", "web")

_CHANNEL = re.compile(r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,63}")
_PREFIX_PART = re.compile(r"[A-Za-z0-9]+")
_STS_SECONDS = 4 * 3600
_STS_SLACK_SECONDS = 60


class BadParameter(Exception):
    """A parameter is missing, of the wrong type or out of its range; the message is Agora's `reason`."""


Check = Callable[[Any], bool]


def integer(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def an_object(value: Any) -> bool:
    return isinstance(value, dict)


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def channel_name(value: Any) -> bool:
    """Under 64 bytes of Agora's characters."""
    return isinstance(value, str) and _CHANNEL.fullmatch(value) is not None


def check_uid(uid: Any) -> None:
    """A quoted integer, 1 to 2^32-1."""
    if not (isinstance(uid, str) and re.fullmatch(r"[1-9][0-9]{0,9}", uid) and int(uid) < 1 << 32):
        raise BadParameter("uid must be a string of an integer from 1 to 4294967295")


def check_acquire(given: Mapping[str, Any]) -> None:
    _fields(
        given,
        "clientRequest",
        scene=integer(0, 2),
        resourceExpiredHour=integer(1, 720),
        startParameter=an_object,
        excludeResourceIds=texts,
        region=lambda value: value in ("CN", "AP", "EU", "NA"),
        regionAffinity=integer(0, 4),
    )


def check_start(given: Mapping[str, Any], mode: str, now: float) -> None:
    """`clientRequest` of start; `now` in unix seconds. Raises BadParameter."""
    _fields(
        given,
        "clientRequest",
        token=lambda value: isinstance(value, str),
        storageConfig=an_object,
        recordingConfig=an_object,
        recordingFileConfig=an_object,
        snapshotConfig=an_object,
        extensionServiceConfig=an_object,
    )
    _require(given, "clientRequest", "storageConfig")
    check_storage(given["storageConfig"], now)
    if mode != "web":
        _require(given, "clientRequest", "recordingConfig")
        _check_recording(given["recordingConfig"], mode)
    elif "extensionServiceConfig" not in given:
        raise BadParameter("clientRequest.extensionServiceConfig is required in web mode")
    _check_files(given.get("recordingFileConfig", {}), mode)


def check_storage(storage: Mapping[str, Any], now: float) -> None:
    """`storageConfig` for Amazon S3, the one vendor whose buckets this stand-in can reach."""
    where = "storageConfig"
    _require(storage, where, "vendor", "region", "bucket", "accessKey", "secretKey")
    _fields(
        storage,
        where,
        vendor=integer(1, 1),
        region=lambda value: type(value) is int and value in REGIONS,
        bucket=text,
        accessKey=text,
        secretKey=text,
        fileNamePrefix=_prefix,
        extensionParams=_extension,
    )
    check_session_token(storage, now)


def check_session_token(storage: Mapping[str, Any], now: float) -> None:
    """Temporary credentials name their end, and that is at least 4 hours away."""
    if ("stsToken" in storage) != ("stsExpiration" in storage):
        raise BadParameter("storageConfig.stsToken and storageConfig.stsExpiration belong together")
    if "stsToken" in storage:
        _fields(storage, "storageConfig", stsToken=text, stsExpiration=integer(0, 1 << 40))
        if storage["stsExpiration"] < now + _STS_SECONDS - _STS_SLACK_SECONDS:
            raise BadParameter("storageConfig.stsExpiration must be at least 4 hours away")


def check_update(given: Mapping[str, Any], now: float) -> None:
    _fields(
        given,
        "clientRequest",
        streamSubscribe=an_object,
        webRecordingConfig=an_object,
        rtmpPublishConfig=an_object,
        storageConfig=an_object,
    )
    if not given:
        raise BadParameter("clientRequest has nothing to update")
    if renewed := given.get("storageConfig"):
        _require(renewed, "storageConfig", "accessKey", "secretKey", "stsToken", "stsExpiration")
        _fields(renewed, "storageConfig", accessKey=text, secretKey=text)
        check_session_token(renewed, now)


def check_layout(given: Mapping[str, Any]) -> None:
    _fields(
        given,
        "clientRequest",
        maxResolutionUid=text,
        mixedVideoLayout=integer(0, 3),
        backgroundColor=text,
        backgroundImage=text,
        defaultUserBackgroundImage=text,
        layoutConfig=lambda value: isinstance(value, list) and len(value) <= 17,
        backgroundConfig=lambda value: isinstance(value, list),
    )


def _check_recording(recording: Mapping[str, Any], mode: str) -> None:
    where = "recordingConfig"
    _fields(
        recording,
        where,
        channelType=integer(0, 1),
        streamTypes=integer(0, 2),
        streamMode=lambda value: mode == "individual" and value in ("default", "standard", "original"),
        maxIdleTime=integer(5, 2_592_000),
        subscribeUidGroup=integer(0, 5),
        subscribeAudioUids=_uids,
        subscribeVideoUids=_uids,
        unsubscribeAudioUids=_uids,
        unsubscribeVideoUids=_uids,
        videoStreamType=integer(0, 1),
        audioProfile=lambda value: mode == "mix" and integer(0, 2)(value),
        decryptionMode=integer(0, 8),
        secret=text,
        salt=text,
        transcodingConfig=lambda value: mode == "mix" and an_object(value),
        privateParams=text,
    )
    if mode == "individual":
        _require(recording, where, "subscribeUidGroup")
    if recording.get("streamMode") == "original" and recording.get("streamTypes") != 0:
        raise BadParameter("recordingConfig.streamMode original needs streamTypes 0")
    for medium in ("Audio", "Video"):
        if f"subscribe{medium}Uids" in recording and f"unsubscribe{medium}Uids" in recording:
            raise BadParameter(f"recordingConfig has both subscribe{medium}Uids and unsubscribe{medium}Uids")


def _check_files(files: Mapping[str, Any], mode: str) -> None:
    kinds = files.get("avFileType", ["hls"])
    if kinds not in (["hls"], ["hls", "mp4"]):
        raise BadParameter('recordingFileConfig.avFileType must be ["hls"] or ["hls","mp4"]')
    if "mp4" in kinds and mode == "individual":
        raise BadParameter("recordingFileConfig.avFileType mp4 is not supported in individual mode")


def _prefix(value: Any) -> bool:
    return texts(value) and all(_PREFIX_PART.fullmatch(part) for part in value) and len("/".join(value)) <= 128


def _extension(value: Any) -> bool:
    return (
        an_object(value) and value.keys() == {"sse", "tag"} and value["sse"] in ("kms", "aes256") and text(value["tag"])
    )


def _uids(value: Any) -> bool:
    return texts(value) and len(value) <= 32


def _fields(given: Mapping[str, Any], where: str, **checks: Check) -> None:
    for name, check in checks.items():
        if name in given and not check(given[name]):
            raise BadParameter(f"{where}.{name} is invalid")


def _require(given: Mapping[str, Any], where: str, *names: str) -> None:
    missing: Sequence[str] = [name for name in names if name not in given]
    if missing:
        raise BadParameter(f"{where}.{missing[0]} is required")
