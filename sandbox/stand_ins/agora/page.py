"""The services of web mode: the recorder of a page, and the publisher of its picture to CDNs.

Nothing is really published: the stand-in keeps the outputs, and returns the states that a publisher would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RECORDER, PUBLISHER = "web_recorder_service", "rtmp_publish_service"

# By state of the recorder: the publisher's state of each output.
_OUTPUT: Mapping[str, str] = {"init": "connecting", "inProgress": "publishing", "exit": "disconnected"}
_MP4_MINUTES = 120


@dataclass
class Page:
    """The options of both services in a start: whether it begins `onhold`, and the longest recording in hours.

    `mp4_minutes` is the length at which an MP4 ends and another one begins.
    `outputs` are RTMP URLs, which hold stream keys; None without a publisher.
    """

    onhold: bool
    hours: int
    mp4_minutes: int
    outputs: Sequence[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Page | None":
        """Read a start's clientRequest. None in other modes."""
        if "extensionServiceConfig" not in request:
            return None
        services = {each["serviceName"]: each for each in request["extensionServiceConfig"]["extensionServices"]}
        recorder, publisher = services[RECORDER]["serviceParam"], services.get(PUBLISHER)
        return cls(
            recorder.get("onhold", False),
            recorder["maxRecordingHour"],
            recorder.get("maxVideoDuration", _MP4_MINUTES),
            rtmp_urls(publisher["serviceParam"]) if publisher else None,
        )

    def publisher(self, state: str) -> list[dict[str, Any]]:
        """Return the publisher's state, if there is a publisher. Source: Agora's REST client for Go, web recording."""
        if self.outputs is None:
            return []
        outputs = [{"rtmpUrl": url, "status": _OUTPUT[state]} for url in self.outputs]
        return [{"serviceName": PUBLISHER, "payload": {"state": state, "outputs": outputs}}]


def rtmp_urls(given: Mapping[str, Any]) -> list[str]:
    """Return the URLs in the publisher's `serviceParam` of a start, or in `rtmpPublishConfig` of an update."""
    return [output["rtmpUrl"] for output in given["outputs"]]
