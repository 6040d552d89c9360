"""Writes recordings of any length as Agora writes them: a folder with a playlist and its segments.

`python -m benchmarks.hls FOLDER SECONDS PES_US` writes one, see `write_recording`.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import av

from benchmarks import PLAYLIST

SAMPLE = Path(__file__).parent.parent / "sandbox" / "sample" / "conversation.mp4"
RATE = 48_000
FRAME = 1024
FRAMES_PER_SEGMENT = 703
"""15 s."""
SID = "0123456789abcdef0123456789abcdef"
BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
_ADTS_HEADER = 7


def conversation() -> Sequence[bytes]:
    """Return the sample's audio as ADTS frames in Agora's format: LC-AAC, 48 kHz, mono, 48 kbit/s."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    encoder: Any = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "mono", "fltp", 48_000
    queue = av.AudioFifo()
    with av.open(str(SAMPLE)) as file:
        for frame in file.decode(audio=0):
            for resampled in resampler.resample(frame):
                resampled.pts = None
                queue.write(resampled)
    frames: list[bytes] = []
    while ready := queue.read(FRAME):
        frames += [_with_header(bytes(packet)) for packet in encoder.encode(ready)]
    return frames


def write_recording(folder: Path, frames: Sequence[bytes], seconds: int, pes_us: int) -> None:
    """Repeat the frames until the recording has the given length. Timestamps continue from segment to segment.

    `pes_us`: µs of audio in one PES packet, at most. 0 is a PES packet for each frame.
    """
    folder.mkdir(parents=True)
    endless, segments = enumerate(cycle(frames)), -(-seconds * RATE // FRAME // FRAMES_PER_SEGMENT)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:16", "#EXT-X-MEDIA-SEQUENCE:0"]
    for index in islice(count(), segments):
        begins = BEGAN + timedelta(seconds=index * FRAMES_PER_SEGMENT * FRAME / RATE)
        name = f"{SID}_bench__uid_s_1__uid_e_audio_{begins:%Y%m%d%H%M%S}{begins.microsecond // 1000:03}.ts"
        _write_segment(folder / name, islice(endless, FRAMES_PER_SEGMENT), pes_us)
        lines += [f"#EXTINF:{FRAMES_PER_SEGMENT * FRAME / RATE:.6f},", name]
    (folder / PLAYLIST).write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def _write_segment(target: Path, frames: Iterator[tuple[int, bytes]], pes_us: int) -> None:
    with av.open(str(target), "w", format="mpegts", container_options={"max_delay": str(pes_us)}) as file:
        stream: Any = file.add_mux_stream("aac", rate=RATE)
        time_base = Fraction(1, RATE)
        for index, frame in frames:
            packet: Any = av.Packet(frame)
            packet.stream, packet.time_base, packet.duration = stream, time_base, FRAME
            packet.pts = packet.dts = index * FRAME
            file.mux_one(packet)


def _with_header(payload: bytes) -> bytes:
    """Prepend an ADTS header: LC, 48 kHz, one channel, no checksum. Source: https://wiki.multimedia.cx/index.php/ADTS"""
    length = _ADTS_HEADER + len(payload)
    return bytes((0xFF, 0xF1, 0x4C, 0x40 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC)) + payload


if __name__ == "__main__":
    write_recording(Path(sys.argv[1]), conversation(), int(sys.argv[2]), int(sys.argv[3]))
