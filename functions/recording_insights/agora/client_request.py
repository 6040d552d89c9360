"""Agora's `clientRequest` of acquire, start and update, out of a request's fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recording_insights.agora.fields.recorder import (
    ACQUIRE,
    BESIDE,
    DEFAULTS,
    START,
    UPDATE,
    check_together,
    fields_of,
    usual,
)
from recording_insights.agora.fields.subscriptions import check_pairs, stream_subscribe
from recording_insights.redaction import storable
from recording_insights.validation import read_fields


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
        given = {**DEFAULTS[mode], **usual(mode, given, max_hours), **given}
        read_fields(fields_of(mode), given)
        check_together(mode, given, max_hours)
        return cls(mode, given)

    @property
    def announces_start(self) -> bool:
        """Whether acquire is to be told all that start will be told."""
        return bool(self.given.get("announce_start"))

    def acquire_request(self, max_hours: int) -> dict[str, Any]:
        """`clientRequest` of acquire, without `startParameter`; the task can be asked about for `max_hours`."""
        told = self._read(ACQUIRE)
        told.pop("startParameter", None)
        return {"scene": 1 if self.mode == "web" else 0, "resourceExpiredHour": max_hours, **told}

    def start_request(self) -> dict[str, Any]:
        """`clientRequest` of start, without token and `storageConfig`; may hold the decryption secret."""
        told, beside = self._read(START[self.mode]), self._read(BESIDE[self.mode])
        # Agora makes no MP4 of a single voice.
        files = {"recordingFileConfig": {"avFileType": ["hls"] if self.mode == "individual" else ["hls", "mp4"]}}
        if self.mode != "web":
            return {"recordingConfig": told, **beside, **files}
        services = [_service("web_recorder_service", "error_abort", told)]
        if beside:
            services.append(_service("rtmp_publish_service", "error_ignore", beside))
        return {"extensionServiceConfig": {"errorHandlePolicy": "error_abort", "extensionServices": services}, **files}

    @property
    def kept(self) -> dict[str, Any]:
        """What the row keeps of it: see `storable`."""
        row: dict[str, Any] = storable(self.given)
        return row

    def _read(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return read_fields(fields, {name: self.given[name] for name in fields if name in self.given})


def update_request(mode: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`clientRequest` of update.

    Raises:
        InvalidRequest: names the field that is unknown or wrong.
    """
    told = read_fields(UPDATE[mode], fields)
    if mode != "web":
        check_pairs(fields)
        return {"streamSubscribe": stream_subscribe(told)}
    streams = {"rtmpPublishConfig": {"outputs": told.pop("outputs")}} if "outputs" in told else {}
    return {**({"webRecordingConfig": told} if told else {}), **streams}


def _service(name: str, policy: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {"serviceName": name, "errorHandlePolicy": policy, "serviceParam": told}
