"""The services of web mode: the recorder of a page, and the one that pushes its picture to CDNs.

Nothing is really pushed: the stand-in keeps the outputs that it was given, and what a publisher would say of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RECORDER, PUBLISHER = "web_recorder_service", "rtmp_publish_service"

# What the publisher says of each output while the recorder is in this state.
_OUTPUT: Mapping[str, str] = {"init": "connecting", "inProgress": "publishing", "exit": "disconnected"}


@dataclass
class Page:
    """What a start asked of both services: to begin `onhold`, and to record for so many `hours` at most.

    `outputs` are RTMP URLs, which hold stream keys; None without a publisher.
    """

    onhold: bool
    hours: int
    outputs: Sequence[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "Page | None":
        """That of a start's clientRequest; None in other modes."""
        if "extensionServiceConfig" not in wanted:
            return None
        services = {each["serviceName"]: each for each in wanted["extensionServiceConfig"]["extensionServices"]}
        recorder, publisher = services[RECORDER]["serviceParam"], services.get(PUBLISHER)
        return cls(
            recorder.get("onhold", False),
            recorder["maxRecordingHour"],
            rtmp_urls(publisher["serviceParam"]) if publisher else None,
        )

    def publisher(self, state: str) -> list[dict[str, Any]]:
        """What the publisher says of itself, if there is one. Source: Agora's REST client for Go, web recording."""
        if self.outputs is None:
            return []
        outputs = [{"rtmpUrl": url, "status": _OUTPUT[state]} for url in self.outputs]
        return [{"serviceName": PUBLISHER, "payload": {"state": state, "outputs": outputs}}]


def rtmp_urls(given: Mapping[str, Any]) -> list[str]:
    """Those of `serviceParam` of the publisher in a start, or of `rtmpPublishConfig` in an update."""
    return [output["rtmpUrl"] for output in given["outputs"]]
