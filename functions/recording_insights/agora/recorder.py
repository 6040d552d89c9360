"""What the client takes and returns: the order for a recorder, and what Agora reports about one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recording_insights.agora.client_request import RecorderSettings

STATUS_MEANINGS: Mapping[int, str] = {
    0: "not started",
    1: "initialised",
    2: "components starting",
    3: "some components ready",
    4: "all components ready",
    5: "in progress",
    6: "stop requested",
    7: "components stopped",
    8: "exited",
    20: "exited abnormally",
}


@dataclass(frozen=True)
class RecorderOrder:
    """An order for a recorder: the input of `AgoraClient.start`.

    `channel` is the channel's name, or any label where a web page is recorded. `uid` is the recorder's own, in digits.
    `max_hours` is how long Agora answers queries about the recorder. `token` admits the uid to a protected channel;
    without one, the client makes a token if the project has an App Certificate.
    """

    channel: str
    uid: str
    settings: RecorderSettings
    max_hours: int
    token: str | None = field(default=None, repr=False)

    @property
    def mode(self) -> str:
        """Agora's recording mode: mix, individual or web."""
        return self.settings.mode


@dataclass(frozen=True)
class LiveState:
    """The state of a recorder, from Agora's answer to a query.

    `status` is Agora's number, or None if Agora finds no such recorder: it has ended, or moves to another host.
    `onhold` says whether the recording of a web page is paused; None if Agora does not report it.
    """

    status: int | None
    files: tuple[str, ...] = ()
    onhold: bool | None = None

    @classmethod
    def from_reply(cls, body: Mapping[str, Any]) -> "LiveState":
        """Read a query's answer.

        `fileList` is a text or a list, and absent before the first segment. A web page's recorder has its files in the
        state of a service, as `filename` instead of `fileName`.
        """
        response = body.get("serverResponse")
        response = response if isinstance(response, dict) else {}
        page = _page_state(response)
        status, onhold = response.get("status"), page.get("onhold")
        return cls(
            status=status if isinstance(status, int) else None,
            files=_file_names(response.get("fileList") or page.get("fileList")),
            onhold=onhold if isinstance(onhold, bool) else None,
        )

    def to_row(self) -> dict[str, Any]:
        """Return the state as it is stored and shown: `status`, `meaning`, `files`, and `onhold` of a web page."""
        state: dict[str, Any] = {"status": self.status, "meaning": self.meaning, "files": list(self.files)}
        return state if self.onhold is None else {**state, "onhold": self.onhold}

    @property
    def meaning(self) -> str:
        """The status in words."""
        if self.status is None:
            return "Agora finds no such recorder: it has ended, or is moving to another host"
        return STATUS_MEANINGS.get(self.status, f"unknown status {self.status}")

    @property
    def records(self) -> bool:
        """The recorder is in the channel."""
        return self.status in (4, 5)

    @property
    def over(self) -> bool:
        """The recorder has left, or is leaving."""
        return self.status in (None, 6, 7, 8, 20)


def _file_names(files: Any) -> tuple[str, ...]:
    entries = [files] if isinstance(files, str) else files if isinstance(files, list) else []
    names = (entry.get("fileName", entry.get("filename")) if isinstance(entry, dict) else entry for entry in entries)
    return tuple(name for name in names if isinstance(name, str))


def _page_state(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of a web page's recorder; Agora's older reference spells the key `playload`."""
    services = response.get("extensionServiceState")
    for service in services if isinstance(services, list) else ():
        if isinstance(service, dict) and service.get("serviceName") == "web_recorder_service":
            payload = service.get("payload", service.get("playload"))
            return payload if isinstance(payload, dict) else {}
    return {}


@dataclass(frozen=True)
class Recorder:
    """A recorder that Agora has started; a field is None if the answer that names it was lost."""

    resource_id: str | None
    sid: str | None


@dataclass(frozen=True)
class Stopped:
    """The result of a stop.

    `empty`: the recorder wrote nothing, so no file will arrive. `left`: the recorder had left before. `lost`: Agora
    finds no such recorder, which proves nothing for 100 s. `reason`: why.
    """

    empty: bool = False
    left: bool = False
    lost: bool = False
    reason: str | None = None
