"""Opens a segment and reads its encoded audio. Nothing is decoded, except to check damaged frames."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Any, NamedTuple

import av

from recording_insights.hls.timeline import TOLERANCE_MS

ADTS_HEADER = 7
"""Bytes of an ADTS header without a checksum. Source: https://wiki.multimedia.cx/index.php/ADTS"""
ADTS_SAMPLES = 1024
"""Samples of an ADTS frame with one block."""

_WEBM = b"\x1aE\xdf\xa3"
"""The first bytes of WebM. All other segments are opened as MPEG-TS.

FFmpeg must not detect the format: it could take a segment for a playlist and open any file that the playlist names.
"""


@dataclass(frozen=True)
class AudioFormat:
    """The properties that packets of one track must share to be copied.

    `adts` is the part of an ADTS header that encodes rate, channels and profile. It is empty if the packets are not
    ADTS frames, or if it changes within the segment.
    """

    codec: str
    profile: str | None
    rate: int
    layout: str
    adts: bytes

    @property
    def is_copyable(self) -> bool:
        """True for LC-AAC, mono or stereo: `silent_packet` can make silence of this format."""
        return bool(self.adts) and self.profile == "LC" and self.layout in ("mono", "stereo")


@dataclass(frozen=True)
class PacketRun:
    """Packets without a pause between them. `at_ms` counts from the segment's first packet; each lasts `packet_ms`."""

    at_ms: float
    packets: list[Any]
    packet_ms: float


@dataclass(frozen=True)
class SegmentAudio:
    """The audio of a segment. `stream` belongs to PyAV and is valid while the segment is open."""

    format: AudioFormat
    runs: Sequence[PacketRun]
    stream: Any


class _PesPacket(NamedTuple):
    """Audio packets that share the timestamp `pts`, as in a PES packet of MPEG-TS. Times are in ticks of the stream."""

    pts: int | None
    packets: list[Any]
    length: float


@contextmanager
def open_segment(content: bytes, longest_ms: float) -> Iterator[SegmentAudio | None]:
    """Yield the readable part of the first audio stream of a segment, or None if there is none.

    Pauses that would make the segment longer than `longest_ms` are ignored.
    """
    with _open_container(content, split_frames=False) as container:
        stream = _audio_stream(container)
        if stream is not None and stream.codec_context.name == "aac":
            yield _adts_audio(stream, _split_into_frames(container, stream), longest_ms)
            return
    with _open_container(content, split_frames=True) as container:
        stream = _audio_stream(container)
        packets = _readable_packets(container, stream)
        each = [_PesPacket(packet.pts, [packet], packet.duration or 0) for packet in packets]
        yield _segment_audio(stream, each, b"", longest_ms) if each else None


@contextmanager
def _open_container(content: bytes, split_frames: bool) -> Iterator[Any]:
    """Yield the opened segment, or None if FFmpeg cannot open it.

    Without `split_frames` each packet is a whole PES packet, which may hold half a second of audio.
    """
    known = "matroska" if content.startswith(_WEBM) else "mpegts"
    # FFmpeg would read the whole segment once more to estimate its duration, which is not used.
    options = {"skip_estimate_duration_from_pts": "1"} | ({} if split_frames else {"fflags": "noparse"})
    try:
        container = av.open(BytesIO(content), format=known, container_options=options, metadata_errors="replace")
    except av.FFmpegError:
        yield None
        return
    with container:
        yield container


def _audio_stream(container: Any) -> Any:
    streams = container.streams.audio if container else ()
    return next((stream for stream in streams if stream.codec_context and stream.codec_context.sample_rate), None)


def _readable_packets(container: Any, stream: Any) -> list[Any]:
    """Return the packets up to the first error that FFmpeg cannot skip."""
    packets: list[Any] = []
    while stream is not None:
        try:
            packets.extend(container.demux(stream))
        except IndexError:
            # Damage can look like a further stream, which PyAV does not expect. The next call knows the stream.
            continue
        except av.FFmpegError:
            pass
        break
    return [packet for packet in packets if packet.size]


def _split_into_frames(container: Any, stream: Any) -> list[_PesPacket]:
    """Split PES packets into ADTS frames, however damaged the segment is.

    FFmpeg's parser splits a whole PES packet in one call. The demuxer would return the frames one by one, which takes
    twice as long.
    """
    parser: Any = av.CodecContext.create("aac", "r")
    frame_ticks = ADTS_SAMPLES / stream.codec_context.sample_rate / float(stream.time_base)
    packets = _readable_packets(container, stream)
    if _are_single_frames(packets, frame_ticks, float(stream.time_base * 1000)):
        return [_PesPacket(packets[0].pts, packets, len(packets) * frame_ticks)]
    split: list[_PesPacket] = []
    after_damage = False
    for packet in packets:
        content = bytes(packet)
        frames = [packet] if _adts_length(content) == len(content) else parser.parse(content)
        # A frame whose start was lost can end in the next PES packet.
        if packet.is_corrupt or after_damage:
            frames = [frame for frame in frames if _can_be_decoded(frame)]
        after_damage = packet.is_corrupt
        split.append(_PesPacket(packet.pts, frames, len(frames) * frame_ticks))
    return split


def _are_single_frames(packets: Sequence[Any], frame_ticks: float, tick_ms: float) -> bool:
    """Whether each packet is one intact frame and no pause lies between them.

    The result would be the same with a `_PesPacket` for each, but the remux would take half as long again.
    """
    if not packets or not _adts_format(packets[0]) or not _adts_format(packets[-1]):
        return False
    first, last = packets[0].pts, packets[-1].pts
    if first is not None and last is not None:
        pauses_ms = (last - first - (len(packets) - 1) * frame_ticks) * tick_ms
        if pauses_ms > TOLERANCE_MS:
            return False
    return all(_adts_length(content := bytes(packet)) == len(content) and not packet.is_corrupt for packet in packets)


def _can_be_decoded(frame: Any) -> bool:
    """Not every decoder skips a damaged frame, so damaged frames are left out."""
    decoder: Any = av.CodecContext.create("aac", "r")
    try:
        return bool(decoder.decode(frame))
    except av.FFmpegError:
        return False


def _adts_audio(stream: Any, split: list[_PesPacket], longest_ms: float) -> SegmentAudio | None:
    # A truncated segment can begin or end with part of a frame, or with a PES packet without frames.
    for end in (0, -1):
        while split and not (split[end].packets and _adts_format(split[end].packets[end])):
            (split[end].packets or split).pop(end)
    if not split:
        return None
    first, last = _adts_format(split[0].packets[0]), _adts_format(split[-1].packets[-1])
    return _segment_audio(stream, split, first if first == last else b"", longest_ms)


def _segment_audio(stream: Any, split: Sequence[_PesPacket], adts: bytes, longest_ms: float) -> SegmentAudio:
    codec = stream.codec_context
    # FFmpeg finds no profile if the first frame is damaged. The first two bits of the header encode it: 1 is LC.
    profile = codec.profile or ("LC" if adts and adts[0] >> 6 == 1 else None)
    audio_format = AudioFormat(codec.name, profile, codec.sample_rate, codec.layout.name, adts)
    return SegmentAudio(audio_format, _split_at_pauses(split, float(stream.time_base * 1000), longest_ms), stream)


def _adts_format(packet: Any) -> bytes:
    """Return profile, rate and channels as two bytes of a whole frame's ADTS header, or b"" if it is no such frame.

    Frames of several blocks are excluded: they have more samples than `ADTS_SAMPLES`.
    Source: https://wiki.multimedia.cx/index.php/ADTS
    """
    header = bytes(memoryview(packet)[:ADTS_HEADER])
    if _adts_length(header) != packet.size or header[6] & 3:
        return b""
    return bytes((header[2] & 0xFD, header[3] & 0xC0))


def _adts_length(frame: bytes) -> int:
    """Return the length of an ADTS frame in bytes, as its header says, or 0 if there is no header."""
    if len(frame) < ADTS_HEADER or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0:
        return 0
    return (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5


def _split_at_pauses(split: Sequence[_PesPacket], tick_ms: float, longest_ms: float) -> list[PacketRun]:
    """Start a new run wherever the timestamps jump ahead. Timestamps are comparable within one segment only."""
    first, last = split[0], split[-1]
    packet_ms = first.length / len(first.packets) * tick_ms
    audio = sum(pes.length for pes in split)
    if first.pts is None or last.pts is None or (last.pts + last.length - first.pts - audio) * tick_ms <= TOLERANCE_MS:
        return [PacketRun(0.0, [packet for pes in split for packet in pes.packets], packet_ms)]

    pauses_left_ms = longest_ms + TOLERANCE_MS - audio * tick_ms
    runs = [PacketRun(0.0, list(first.packets), packet_ms)]
    at_ms = 0.0
    for pes, following in pairwise(split):
        at_ms += pes.length * tick_ms
        pause_ms = _pause_ms(pes, following, tick_ms)
        if TOLERANCE_MS < pause_ms <= pauses_left_ms:
            pauses_left_ms -= pause_ms
            at_ms += pause_ms
            runs.append(PacketRun(at_ms, [], packet_ms))
        runs[-1].packets.extend(following.packets)
    return runs


def _pause_ms(pes: _PesPacket, following: _PesPacket, tick_ms: float) -> float:
    if pes.pts is None or following.pts is None:
        return 0.0
    return float((following.pts - pes.pts - pes.length) * tick_ms)
