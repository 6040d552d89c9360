"""Media of each container and codec: a second of silence, then two of a tone."""

import io
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import pi, sin
from typing import Any

import av
import pytest

SECONDS = 3
RATE = 48_000
FORMS = {
    "pcm_s16le": "s16",
    "libopus": "flt",
    "vorbis": "fltp",
    "flac": "s16",
    "pcm_s16be": "s16",
    "libmp3lame": "fltp",
    "aac": "fltp",
}

Make = Callable[..., bytes]


def _frames(form: str, layout: str, size: int) -> Iterator[Any]:
    for at in range(0, SECONDS * RATE, size):
        frame: Any = av.AudioFrame(format=form, layout=layout, samples=size)
        wave = [0.5 * sin(2 * pi * 440 * n / RATE) if n >= RATE else 0.0 for n in range(at, at + size)]
        channels = 2 if layout == "stereo" else 1
        if len(frame.planes) < channels:
            wave = [value for value in wave for _ in range(channels)]
        samples = array("h", [int(v * 32767) for v in wave]) if form == "s16" else array("f", wave)
        for plane in frame.planes:
            plane.update(samples.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        yield frame


def make_media(
    codec: str, container: str, *, layout: str = "mono", jump: tuple[float, float] | None = None, picture: bool = False
) -> bytes:
    """Return a file. `jump`: the second at which the timestamps jump ahead, and by how many seconds."""
    target = io.BytesIO()
    options = {"strict": "experimental"} if codec == "vorbis" else {}
    layout = "stereo" if codec == "vorbis" else layout  # FFmpeg's own encoder knows no other
    with av.open(target, "w", format=container) as file:
        video = _picture(file) if picture else []
        stream: Any = file.add_stream(codec, rate=RATE, layout=layout, options=options)
        stream.codec_context.format = FORMS[codec]
        size = stream.codec_context.frame_size or 960
        packets = [packet for frame in _frames(FORMS[codec], layout, size) for packet in stream.encode(frame)]
        for packet in [*video, *packets, *stream.encode(None)]:
            if jump and packet.stream is stream and float(packet.pts * packet.time_base) >= jump[0]:
                packet.pts += round(jump[1] / packet.time_base)
                packet.dts = packet.pts
            file.mux(packet)
    return target.getvalue()


def _picture(file: Any) -> list[Any]:
    stream = file.add_stream("mpeg4", rate=1, width=32, height=32, pix_fmt="yuv420p")
    frame: Any = av.VideoFrame(32, 32, "yuv420p")
    frame.pts, frame.time_base = 0, Fraction(1)
    return [*stream.encode(frame), *stream.encode(None)]


@pytest.fixture
def make() -> Make:
    return make_media
