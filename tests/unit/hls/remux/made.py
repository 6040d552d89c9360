"""Segments with a tone in them for tests, and readers of the file that the remux makes of them."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from io import BytesIO
from math import pi, sin
from pathlib import Path
from typing import Any

import av

from recording_insights.hls.remux.remux import Prepared, remux
from recording_insights.hls.timeline import PlacedSegment

FRAME_MS = 1024 / 48
"""Length of an AAC frame at 48 kHz. Positions are exact to half a frame."""


@cache
def segment_of(
    seconds: float,
    *,
    rate: int = 48_000,
    layout: str = "mono",
    codec: str = "aac",
    form: str = "mpegts",
    begins_at: float = 0.0,
    pause: tuple[float, float] | None = None,
    pes_us: int = 700_000,
    picture: bool = False,
) -> bytes:
    """Make a segment with a tone of 440 Hz.

    `pause`: the second at which the timestamps jump ahead, and by how many seconds. `pes_us`: µs of audio in one PES
    packet, 0 for a frame each.
    """
    target = BytesIO()
    with av.open(target, "w", format=form, container_options={"max_delay": str(pes_us)}) as file:
        stream: Any = file.add_stream(codec, rate=rate, layout=layout)
        size = stream.codec_context.frame_size or 1024
        time_base = Fraction(1, rate)
        if picture:
            file.mux(_picture(file, begins_at + 1))
        for index, frame in enumerate(_tone(round(seconds * rate / size), size, rate, layout, codec)):
            frame.pts = index * size
            for packet in stream.encode(frame):
                _move(packet, time_base, begins_at, pause)
                file.mux(packet)
        # The encoder is not flushed: the segment would be one frame too long.
    return target.getvalue()


def _move(packet: Any, time_base: Fraction, begins_at: float, pause: tuple[float, float] | None) -> None:
    moved = begins_at + 1
    if pause and packet.pts * packet.time_base >= pause[0]:
        moved += pause[1]
    packet.pts += int(moved / packet.time_base)
    packet.dts = packet.pts


def _tone(frames: int, size: int, rate: int, layout: str, codec: str) -> Iterator[Any]:
    form = {"libopus": "flt", "mp2": "s16"}.get(codec, "fltp")
    second = _second_of_tone(rate)
    for index in range(frames):
        frame: Any = av.AudioFrame(format=form, layout=layout, samples=size)
        frame.sample_rate = rate
        wave = [second[(index * size + n) % rate] for n in range(size)]
        samples = array("h", [int(value * 32767) for value in wave]) if form == "s16" else array("f", wave)
        for plane in frame.planes:
            plane.update(samples.tobytes())
        yield frame


@cache
def _second_of_tone(rate: int) -> Sequence[float]:
    """It ends where it begins."""
    return [0.5 * sin(2 * pi * 440 * n / rate) for n in range(rate)]


def video_only() -> bytes:
    target = BytesIO()
    with av.open(target, "w", format="mpegts") as file:
        file.mux(_picture(file, 0.0))
    return target.getvalue()


def _picture(file: Any, begins_at: float) -> list[Any]:
    """A second of black."""
    stream = file.add_stream("mpeg2video", rate=25, width=64, height=64, pix_fmt="yuv420p")
    packets = [packet for _ in range(25) for packet in stream.encode(av.VideoFrame(64, 64, "yuv420p"))]
    packets += stream.encode(None)
    for packet in packets:
        packet.pts += int(begins_at / packet.time_base)
        packet.dts += int(begins_at / packet.time_base)
    return packets


def written(placed: Sequence[PlacedSegment], contents: Mapping[str, bytes], target: Path) -> Prepared:
    return remux(placed, contents.get, target)


def in_a_row(*lengths_ms: int) -> list[PlacedSegment]:
    """Place segments a, b, c, … without gaps."""
    starts = [sum(lengths_ms[:index]) for index in range(len(lengths_ms))]
    return [
        PlacedSegment(chr(97 + i), at, length, False)
        for i, (at, length) in enumerate(zip(starts, lengths_ms, strict=True))
    ]


def tone_spans(file: Path) -> list[tuple[float, float]]:
    """Return where the tone is, in ms, by the length of the decoded audio and not by timestamps."""
    spans: list[tuple[float, float]] = []
    with av.open(str(file)) as opened:
        at = 0.0
        for frame in opened.decode(audio=0):
            assert isinstance(frame, av.AudioFrame)
            step = frame.samples * 1000 / frame.sample_rate
            samples = array("f", bytes(frame.planes[0]))[: frame.samples : 4]
            if sum(value * value for value in samples) / len(samples) > 0.02:
                begins = spans.pop()[0] if spans and at - spans[-1][1] < step / 2 else at
                spans.append((begins, at + step))
            at += step
    return spans


def decoded_ms(file: Path) -> float:
    """Return the length of the decoded audio."""
    with av.open(str(file)) as opened:
        return sum(frame.samples * 1000 / frame.sample_rate for frame in opened.decode(audio=0))


def timestamps(file: Path) -> list[int]:
    """Return the timestamps in the file, in samples."""
    with av.open(str(file)) as opened:
        return [packet.pts for packet in opened.demux(audio=0) if packet.pts is not None]


def packets(content: bytes | Path) -> list[bytes]:
    """Return the encoded frames, without ADTS headers."""
    source: Any = BytesIO(content) if isinstance(content, bytes) else str(content)
    with av.open(source, "r") as opened:
        return [_bare(bytes(packet)) for packet in opened.demux(audio=0) if packet.size]


def is_copied(file: Path, segment: bytes) -> bool:
    """Whether the file contains encoded frames of a segment unchanged."""
    return not set(packets(segment)).isdisjoint(packets(file))


def _bare(frame: bytes) -> bytes:
    return frame[7:] if frame[0] == 0xFF and frame[1] & 0xF6 == 0xF0 else frame
