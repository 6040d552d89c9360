"""Rules for the bodies of Agora's calls: names, storage, files."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.stand_ins.agora.checks import BadParameter, an_object, fields, integer, one_of, require, text, texts, uid
from sandbox.stand_ins.agora.fields import (
    check_page,
    check_page_update,
    check_publishing,
    check_recording,
    check_snapshots,
    check_stream_subscribe,
)
from sandbox.stand_ins.agora.subscriptions import UNSUBSCRIBE

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
"""Agora's numbers of the AWS regions. 17 and 23 are not assigned."""

MODES = ("individual", "mix", "web")

_CHANNEL = re.compile(r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,63}")
_LONGEST_LABEL = 1024
_PREFIX_PART = re.compile(r"[A-Za-z0-9]+")
_AREAS: Mapping[str, str | tuple[str, ...]] = {"CN": "cn-", "AP": "ap-", "EU": "eu-", "NA": ("us-", "ca-")}
_STS_SECONDS = 4 * 3600
_STORAGE_KEYS = {"accessKey": text, "secretKey": text, "stsToken": text, "stsExpiration": integer(0, 1 << 40)}


def channel_name(value: Any, *, web: bool = False) -> bool:
    """Whether the value is a channel name: under 64 of Agora's characters, in web mode a label of up to 1024 bytes."""
    if web:
        return text(value) and len(value.encode(errors="replace")) <= _LONGEST_LABEL
    return isinstance(value, str) and _CHANNEL.fullmatch(value) is not None


def check_uid(value: Any) -> None:
    """Check that a uid is a quoted integer from 1 to 2^32-1. Raises BadParameter."""
    if not uid(value):
        raise BadParameter("uid must be a string of an integer from 1 to 4294967295")


def check_acquire(given: Mapping[str, Any]) -> None:
    """Check `clientRequest` of acquire. Raises BadParameter."""
    known = {
        "scene": integer(0, 2),
        "resourceExpiredHour": integer(1, 720),
        "startParameter": an_object,
        "excludeResourceIds": texts,
        "region": one_of("CN", "AP", "EU", "NA"),
        "regionAffinity": integer(0, 4),
    }
    fields(given, "clientRequest", known)


def check_start(given: Mapping[str, Any], mode: str, now: float, spelling: str = UNSUBSCRIBE) -> None:
    """Check `clientRequest` of start. Raises BadParameter.

    `now` is in unix seconds, `spelling` as in `check_recording`.
    """
    own = {"web": ("extensionServiceConfig",), "mix": ("recordingConfig",)}
    parts = ("storageConfig", "recordingFileConfig", *own.get(mode, ("recordingConfig", "snapshotConfig")))
    fields(given, "clientRequest", {"token": lambda value: isinstance(value, str), **dict.fromkeys(parts, an_object)})
    require(given, "clientRequest", "storageConfig")
    check_storage(given["storageConfig"], now)
    if mode == "web":
        require(given, "clientRequest", "extensionServiceConfig")
        check_page(given["extensionServiceConfig"])
    else:
        require(given, "clientRequest", "recordingConfig")
        check_recording(given["recordingConfig"], mode, spelling)
    if "snapshotConfig" in given:
        check_snapshots(given["snapshotConfig"], given["recordingConfig"])
    _check_files(given.get("recordingFileConfig", {}), mode)


def check_area(storage: Mapping[str, Any], area: str | None) -> None:
    """Check that the bucket is in the area to which acquire restricted the service. Raises BadParameter."""
    if area and not REGIONS[storage["region"]].startswith(_AREAS[area]):
        raise BadParameter(f"storageConfig.region does not match the region {area} of acquire")


def check_storage(storage: Mapping[str, Any], now: float) -> None:
    """Check `storageConfig`. It must be Amazon S3, which is all that this stand-in supports. Raises BadParameter."""
    where = "storageConfig"
    require(storage, where, "vendor", "region", "bucket", "accessKey", "secretKey")
    known = {
        "vendor": integer(1, 1),
        "region": lambda value: type(value) is int and value in REGIONS,
        "bucket": text,
        **_STORAGE_KEYS,
        "fileNamePrefix": _prefix,
        "extensionParams": _extension,
    }
    fields(storage, where, known)
    # Temporary credentials need their expiry.
    if ("stsToken" in storage) != ("stsExpiration" in storage):
        raise BadParameter("storageConfig.stsToken and storageConfig.stsExpiration belong together")
    if "stsToken" in storage and storage["stsExpiration"] < now + _STS_SECONDS:
        raise BadParameter("storageConfig.stsExpiration must be at least 4 hours away")


def check_update(given: Mapping[str, Any], mode: str, now: float, spelling: str = UNSUBSCRIBE) -> None:
    """Check `clientRequest` of update, like that of start. Raises BadParameter."""
    own = ("webRecordingConfig", "rtmpPublishConfig") if mode == "web" else ("streamSubscribe",)
    fields(given, "clientRequest", dict.fromkeys((*own, "storageConfig"), an_object))
    if not given:
        raise BadParameter("clientRequest has nothing to update")
    if "webRecordingConfig" in given:
        check_page_update(given["webRecordingConfig"])
    if "rtmpPublishConfig" in given:
        check_publishing(given["rtmpPublishConfig"], "clientRequest.rtmpPublishConfig")
    if "streamSubscribe" in given:
        check_stream_subscribe(given["streamSubscribe"], spelling)
    if "storageConfig" in given:
        check_storage(given["storageConfig"], now)


def _check_files(files: Mapping[str, Any], mode: str) -> None:
    fields(files, "recordingFileConfig", {"avFileType": texts})
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
