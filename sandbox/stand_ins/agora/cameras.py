"""Cameras of the participants, and the picture of a mix. Each uid has its own colour.

A bright bar crosses the picture once a minute.
"""

import hashlib
import math
import threading
from fractions import Fraction
from pathlib import Path

import av

from sandbox.stand_ins.agora.media import joined_mp4

FPS = 5
_MINUTE_SECONDS = 60
_HIGH, _LOW = (192, 108), (96, 54)
_GOLDEN = 0.618034  # turns of the colour wheel from one uid to the next: neighbours look different
_LUMA, _BAR_LUMA, _CHROMA = 110, 230, 60
_BAR_SHARE = 16


class Cameras:
    """Creates the videos of cameras. Each video is encoded once and kept in `scratch`."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._lock = threading.Lock()

    def video(self, uid: str, seconds: float, *, low: bool) -> Path:
        """Return an MP4 with the H.264 video of this uid's camera, so many seconds long, `low` in half the size.

        After a share of the minute the left edge of the bar is at that share of the width. Every picture is a keyframe,
        so that a segment may begin with any: a real recorder requests a keyframe from the sender.
        """
        frames = math.ceil(seconds * FPS)
        made = self._scratch / f"camera-{uid}-{frames}{'-low' if low else ''}.mp4"
        with self._lock:
            if not made.exists():
                partial = made.with_suffix(".partial")
                _encode_video(uid, frames, _LOW if low else _HIGH, partial)
                partial.replace(made)
        return made

    def beside(self, media: Path, uid: str, seconds: float) -> Path:
        """Return an MP4 with the sound of `media` and the video of this uid's camera, so many seconds long."""
        video = self.video(uid, seconds, low=False)
        digest = hashlib.sha256(f"{media} {media.stat().st_mtime_ns} {video.name}".encode()).hexdigest()
        made = self._scratch / f"{digest}.mp4"
        with self._lock:
            if not made.exists():
                partial = made.with_suffix(".partial")
                joined_mp4(media, video, partial)
                partial.replace(made)
        return made


def _encode_video(uid: str, frames: int, size: tuple[int, int], target: Path) -> None:
    """Encode one minute; the others repeat it."""
    with av.open(str(target), "w", format="mp4") as mp4:
        stream = mp4.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.gop_size, stream.thread_count = 1, 1
        shown = [_picture(uid, index / FPS, size) for index in range(min(frames, _MINUTE_SECONDS * FPS))]
        minute = [bytes(packet) for frame in [*shown, None] for packet in stream.encode(frame)]
        for index in range(frames):
            packet = av.Packet(minute[index % len(minute)])
            packet.time_base, packet.pts, packet.dts = Fraction(1, FPS), index, index
            packet.duration, packet.is_keyframe, packet.stream = 1, True, stream
            mp4.mux(packet)


def _picture(uid: str, second: float, size: tuple[int, int]) -> av.VideoFrame:
    width, height = size
    edge, turn = int(width * second / _MINUTE_SECONDS), 2 * math.pi * _GOLDEN * int(uid)
    row = bytearray([_LUMA]) * width
    for x in range(edge, edge + width // _BAR_SHARE):
        row[x % width] = _BAR_LUMA
    chroma = [bytes([128 + round(_CHROMA * part)]) * (width // 2) for part in (math.cos(turn), math.sin(turn))]
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, line in zip(frame.planes, [bytes(row), *chroma], strict=True):
        plane.update(line.ljust(plane.line_size, b"\0") * plane.height)
    return frame
