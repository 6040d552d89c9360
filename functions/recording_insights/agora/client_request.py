"""Build Agora's `clientRequest` of acquire, start and update from the fields of our API."""

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
from recording_insights.agora.fields.translation import Fields, read_fields
from recording_insights.redaction import storable


@dataclass(frozen=True)
class RecorderSettings:
    """The recording options of a request, checked, with the defaults filled in; `given` has our names and values."""

    mode: str
    given: Mapping[str, Any] = field(repr=False)  # a decryption secret may be in it

    @classmethod
    def read(cls, mode: str, given: Mapping[str, Any], *, max_hours: int) -> "RecorderSettings":
        """Check the fields and fill in the defaults; a page is recorded for `max_hours` unless the fields say less.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        given = {**DEFAULTS[mode], **usual(mode, given, max_hours), **given}
        read_fields(fields_of(mode), given)
        check_together(mode, given, max_hours)
        return cls(mode, given)

    @property
    def announces_start(self) -> bool:
        """Whether acquire sends the whole body of start in advance, as `startParameter`."""
        return bool(self.given.get("announce_start"))

    def acquire_request(self, max_hours: int) -> dict[str, Any]:
        """Build `clientRequest` of acquire, without `startParameter`; Agora answers queries for `max_hours`."""
        fields = self._read(ACQUIRE)
        fields.pop("startParameter", None)
        return {"scene": 1 if self.mode == "web" else 0, "resourceExpiredHour": max_hours, **fields}

    def start_request(self) -> dict[str, Any]:
        """Build `clientRequest` of start, without token and `storageConfig`; it may hold the decryption secret."""
        recording, beside = self._read(START[self.mode]), self._read(BESIDE[self.mode])
        # Agora makes no MP4 in individual mode.
        files = {"recordingFileConfig": {"avFileType": ["hls"] if self.mode == "individual" else ["hls", "mp4"]}}
        if self.mode != "web":
            return {"recordingConfig": recording, **beside, **files}
        services = [_service("web_recorder_service", "error_abort", recording)]
        if beside:
            services.append(_service("rtmp_publish_service", "error_ignore", beside))
        return {"extensionServiceConfig": {"errorHandlePolicy": "error_abort", "extensionServices": services}, **files}

    @property
    def kept(self) -> dict[str, Any]:
        """The options as the row keeps them, without secrets: see `storable`."""
        row: dict[str, Any] = storable(self.given)
        return row

    def _read(self, fields: Fields) -> dict[str, Any]:
        return read_fields(fields, {name: self.given[name] for name in fields if name in self.given})


def update_request(mode: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Build `clientRequest` of update.

    Raises:
        InvalidRequest: names the field that is unknown or wrong.
    """
    changes = read_fields(UPDATE[mode], fields)
    if mode != "web":
        check_pairs(fields)
        return {"streamSubscribe": stream_subscribe(changes)}
    streams = {"rtmpPublishConfig": {"outputs": changes.pop("outputs")}} if "outputs" in changes else {}
    return {**({"webRecordingConfig": changes} if changes else {}), **streams}


def _service(name: str, policy: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"serviceName": name, "errorHandlePolicy": policy, "serviceParam": parameters}
