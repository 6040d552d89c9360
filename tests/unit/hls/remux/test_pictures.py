"""Segments of a mix or a page hold pictures as well: H.264 beside the sound, and before it in the stream."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest

from tests.unit.hls.remux.made import FRAME_MS, decoded_ms, in_a_row, packets, segment_of, tone_spans, written

RATE = 15
QUICKLY = {"preset": "ultrafast", "threads": "1"}


def filmed(sound: bytes, seconds: float) -> bytes:
    """The sound of a segment with a picture 15 times a second, both in the order of time."""
    target = BytesIO()
    with av.open(target, "w", format="mpegts") as file, av.open(BytesIO(sound), "r") as given:
        picture: Any = file.add_stream("libx264", rate=RATE, width=64, height=36, pix_fmt="yuv420p", options=QUICKLY)
        heard = file.add_stream_from_template(given.streams.audio[0])
        pictures = _pictures(picture, round(seconds * RATE))
        for packet in given.demux(audio=0):
            if packet.pts is None or packet.time_base is None:
                continue
            while pictures and pictures[0].dts * pictures[0].time_base + 1 <= packet.pts * packet.time_base:
                file.mux(_later(pictures.pop(0)))
            packet.stream = heard
            file.mux(packet)
        for packet in pictures:
            file.mux(_later(packet))
    return target.getvalue()


def _pictures(stream: Any, count: int) -> list[Any]:
    made: list[Any] = []
    for number in range(count):
        frame = av.VideoFrame(64, 36, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        made += stream.encode(frame)
    return [*made, *stream.encode(None)]


def _later(packet: Any) -> Any:
    second = int(1 / packet.time_base)
    packet.pts, packet.dts = packet.pts + second, packet.dts + second
    return packet


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_the_sound_of_filmed_segments_is_copied_frame_by_frame(tmp_path: Path, layout: str) -> None:
    sounds = [segment_of(seconds, layout=layout) for seconds in (3.0, 2.0)]
    segments = {"a": filmed(sounds[0], 3.0), "b": filmed(sounds[1], 2.0)}
    with av.open(BytesIO(segments["a"])) as made:
        assert [stream.codec_context.name for stream in made.streams] == ["h264", "aac"]
    target = tmp_path / "part.mp4"

    prepared = written(in_a_row(3_000, 2_000), segments, target)

    assert prepared.lost == ()
    assert packets(target) == [frame for sound in sounds for frame in packets(sound)]
    assert abs(decoded_ms(target) - 5_000) < 3 * FRAME_MS
    [(begins, ends)] = tone_spans(target)
    assert begins < 3 * FRAME_MS
    assert abs(ends - 5_000) < 4 * FRAME_MS
    with av.open(str(target)) as file:
        assert [stream.type for stream in file.streams] == ["audio"]
