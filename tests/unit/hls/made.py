"""Slices made for a test, with a tone in them, and ears for what became of them."""

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
from recording_insights.hls.timeline import Piece

FRAME_MS = 1024 / 48
"""One frame of AAC at 48 kHz: nothing can be placed more exactly than half of it."""


@cache
def slice_of(
    seconds: float,
    *,
    rate: int = 48_000,
    layout: str = "mono",
    codec: str = "aac",
    form: str = "mpegts",
    begins_at: float = 0.0,
    pause: tuple[float, float] | None = None,
    load: int = 700_000,
    picture: bool = False,
) -> bytes:
    """A tone of 440 Hz.

    `pause`: at this second the timestamps jump by so many; `load`: µs of sound that the transport carries in one load.
    """
    target = BytesIO()
    with av.open(target, "w", format=form, container_options={"max_delay": str(load)}) as file:
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
        # What the encoder still holds would be one frame more than was asked for.
    return target.getvalue()


def _move(packet: Any, time_base: Fraction, begins_at: float, pause: tuple[float, float] | None) -> None:
    moved = begins_at + 1
    if pause and packet.pts * packet.time_base >= pause[0]:
        moved += pause[1]
    packet.pts += int(moved / packet.time_base)
    packet.dts = packet.pts


def _tone(frames: int, size: int, rate: int, layout: str, codec: str) -> Iterator[Any]:
    form = {"libopus": "flt", "mp2": "s16"}.get(codec, "fltp")
    for index in range(frames):
        frame: Any = av.AudioFrame(format=form, layout=layout, samples=size)
        frame.sample_rate = rate
        wave = [0.5 * sin(2 * pi * 440 * (index * size + n) / rate) for n in range(size)]
        samples = array("h", [int(value * 32767) for value in wave]) if form == "s16" else array("f", wave)
        for plane in frame.planes:
            plane.update(samples.tobytes())
        yield frame


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


def written(pieces: Sequence[Piece], slices: Mapping[str, bytes], target: Path) -> Prepared:
    return remux(pieces, slices.get, target)


def in_a_row(*lengths_ms: int) -> list[Piece]:
    """Pieces a, b, c, … without holes."""
    starts = [sum(lengths_ms[:index]) for index in range(len(lengths_ms))]
    return [
        Piece(chr(97 + i), at, length, False) for i, (at, length) in enumerate(zip(starts, lengths_ms, strict=True))
    ]


def loud(file: Path) -> list[tuple[float, float]]:
    """Where the decoded file has the tone, in ms, by the sound that a decoder hands out and not by timestamps."""
    spans: list[tuple[float, float]] = []
    with av.open(str(file)) as opened:
        at = 0.0
        for frame in opened.decode(audio=0):
            assert isinstance(frame, av.AudioFrame)
            step = frame.samples * 1000 / frame.sample_rate
            samples = array("f", bytes(frame.planes[0]))[: frame.samples]
            if sum(value * value for value in samples) / frame.samples > 0.02:
                begins = spans.pop()[0] if spans and at - spans[-1][1] < step / 2 else at
                spans.append((begins, at + step))
            at += step
    return spans


def heard_ms(file: Path) -> float:
    """The length of what a decoder hands out."""
    with av.open(str(file)) as opened:
        return sum(frame.samples * 1000 / frame.sample_rate for frame in opened.decode(audio=0))  # type: ignore[attr-defined]


def stamps(file: Path) -> list[int]:
    """The timestamps in the file, in samples."""
    with av.open(str(file)) as opened:
        return [packet.pts for packet in opened.demux(audio=0) if packet.pts is not None]


def packets(content: bytes | Path) -> list[bytes]:
    """The frames of sound without whatever wraps them."""
    with av.open(BytesIO(content) if isinstance(content, bytes) else str(content)) as opened:
        return [_bare(bytes(packet)) for packet in opened.demux(audio=0) if packet.size]


def _bare(frame: bytes) -> bytes:
    return frame[7:] if frame[0] == 0xFF and frame[1] & 0xF6 == 0xF0 else frame
