"""What the demo records, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from sandbox.sample.conversation import SAMPLE

FORMATS = (".mp4", ".m4a", ".mp3", ".wav")
MODES = ("mix", "individual")
STREAM_MODES = ("default", "original")
SPEAKERS = {"1001": "Agent", "1002": "Caller"}
"""Names of the uids in individual mode, in the order in which the sample's voices first speak."""
MUTE = {"uid": "1002", "from_seconds": 20.0, "to_seconds": 26.0}
"""With stream mode `original`, Agora records nothing while a uid is muted: the track has a gap."""


class DemoError(Exception):
    """The demo cannot go on. The text says why, and what to do."""


@dataclass(frozen=True)
class RecordingPlan:
    """The media that is played in the channel, and how Agora records it.

    `parts` is the number of MP4s of a recording in mode mix.
    """

    media: Path = SAMPLE
    mode: str = "mix"
    stream_mode: str = "default"
    parts: int = 1

    @property
    def request(self) -> dict[str, Any]:
        """Body of POST /recordings, without the channel."""
        if self.mode == "mix":
            return {}
        return {"mode": self.mode, "stream_mode": self.stream_mode, "speakers": SPEAKERS}

    @property
    def dials(self) -> dict[str, Any]:
        """Dials of Agora's stand-in."""
        muted = [MUTE] if self.mode == "individual" and self.stream_mode == "original" else []
        return {"media_path": str(self.media.resolve()), "parts": self.parts, "uids": list(SPEAKERS), "mutes": muted}

    @property
    def media_objects(self) -> int:
        """Number of media objects that this recording becomes."""
        return self.parts if self.mode == "mix" else len(SPEAKERS)


def check_media(path: Path) -> float:
    """Return the length in seconds of a file that the demo can record.

    Raises:
        DemoError: the file is missing, has another format, or has no audio.
    """
    if not path.is_file():
        raise DemoError(f"{path}: there is no such file. Give the path of a recording: {', '.join(FORMATS)}.")
    if path.suffix.lower() not in FORMATS:
        raise DemoError(f"{path}: this format is not supported. Give a file in one of these: {', '.join(FORMATS)}.")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise DemoError(f"{path}: the file has no audio. Give a recording with speech.")
            return float((container.duration or 0) / av.time_base)
    except av.error.FFmpegError as error:
        raise DemoError(f"{path}: the file cannot be read as audio or video ({error.strerror}).") from error
