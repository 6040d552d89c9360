"""The sound of one slice: opened from its bytes, nothing decoded."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import av

from recording_insights.hls.remux.transport_stream import CLOCK_HZ, payload
from recording_insights.hls.timeline import TOLERANCE_MS

ADTS_HEADER = 7
ADTS_SAMPLES = 1024

_WEBM = b"\x1aE\xdf\xa3"
"""How a slice begins that is no MPEG-TS. The format is always named: left to its own guess, FFmpeg may take a slice for
a playlist, and open whatever that names."""


@dataclass(frozen=True)
class Kind:
    """What must stay the same for packets to be copied into one track.

    `frame`: the part of an ADTS header that tells rate, channels and profile; empty if the packets are no ADTS frames
    or it changes inside the slice.
    """

    codec: str
    profile: str | None
    rate: int
    layout: str
    frame: bytes

    @property
    def copyable(self) -> bool:
        """Plain LC-AAC, mono or stereo: silence of the very same kind can be made."""
        return bool(self.frame) and self.profile == "LC" and self.layout in ("mono", "stereo")


@dataclass(frozen=True)
class Stretch:
    """Packets without a pause between them, from `at_ms` after the slice's first one; each lasts `packet_ms`."""

    at_ms: float
    packets: list[Any]
    packet_ms: float


@dataclass(frozen=True)
class Sound:
    """A slice's sound; `stream` is PyAV's and lives as long as the slice is open."""

    kind: Kind
    stretches: Sequence[Stretch]
    stream: Any


@contextmanager
def opened(content: bytes, longest_ms: float) -> Iterator[Sound | None]:
    """The first audio track of a slice, as far as it can be read; None if there is none.

    `longest_ms`: pauses that would make the slice longer than this are not believed.
    """
    with _container(content, whole_loads=True) as container:
        stream = _audio(container)
        if stream is not None and stream.codec_context.name == "aac":
            loads = _whole_loads(content, stream) or _loads_of_frames(container, stream)
            yield _adts_sound(stream, loads, longest_ms)
            return
    with _container(content, whole_loads=False) as container:
        stream = _audio(container)
        loads = [_Load(packet.pts, [packet], packet.duration or 0) for packet in _packets(container, stream)]
        yield _sound(stream, loads, b"", longest_ms) if loads else None


class _Load(NamedTuple):
    """Packets that came together, by the clock at `pts`; time in that clock's ticks."""

    pts: int | None
    packets: list[Any]
    length: float


@contextmanager
def _container(content: bytes, whole_loads: bool) -> Iterator[Any]:
    """The slice, opened, or None if it cannot be.

    `whole_loads`: its packets are what the transport carries in one load, up to half a second of sound, and not frames.
    """
    known = "matroska" if content.startswith(_WEBM) else "mpegts"
    # To learn a length that nobody asks for, FFmpeg would read the slice once more.
    options = {"skip_estimate_duration_from_pts": "1"} | ({"fflags": "noparse"} if whole_loads else {})
    try:
        container = av.open(BytesIO(content), format=known, container_options=options, metadata_errors="replace")
    except av.FFmpegError:
        yield None
        return
    with container:
        yield container


def _audio(container: Any) -> Any:
    streams = container.streams.audio if container else ()
    return next((stream for stream in streams if stream.codec_context and stream.codec_context.sample_rate), None)


def _packets(container: Any, stream: Any) -> list[Any]:
    """As far as they can be read."""
    packets: list[Any] = []
    while stream is not None:
        try:
            packets.extend(container.demux(stream))
        except IndexError:
            # Damage may look like one track more, which PyAV stumbles over; the next call knows of it and goes on.
            continue
        except av.FFmpegError:
            pass
        break
    return [packet for packet in packets if packet.size]


def _whole_loads(content: bytes, stream: Any) -> list[_Load]:
    """The frames of all loads in one go; none if the transport lacks anything, or a frame goes on in the next load.

    FFmpeg would hand over load by load, which takes as long as all the rest where each frame is a load of its own.
    """
    whole = payload(content, stream.id)
    if whole is None:
        return []
    parser: Any = av.CodecContext.create("aac", "r")
    frames = parser.parse(whole.content)
    borders = list(accumulate([frame.size for frame in frames], initial=0))
    if borders[1:] == whole.ends:
        counts: Sequence[int] = range(len(borders))
    else:
        counts = [bisect(borders, end) - 1 for end in (0, *whole.ends)]
        if [borders[count] for count in counts[1:]] != whole.ends:
            return []
    ticks = CLOCK_HZ * ADTS_SAMPLES / stream.codec_context.sample_rate
    if whole.clocks[-1] - whole.clocks[0] - counts[-2] * ticks <= TOLERANCE_MS * CLOCK_HZ / 1000:
        return [_Load(whole.clocks[0], frames, len(frames) * ticks)]
    return [
        _Load(clock, frames[begin:end], (end - begin) * ticks)
        for clock, (begin, end) in zip(whole.clocks, pairwise(counts), strict=True)
    ]


def _loads_of_frames(container: Any, stream: Any) -> list[_Load]:
    """FFmpeg's parser takes each load apart: half the time of having the frames handed over one by one."""
    parser: Any = av.CodecContext.create("aac", "r")
    frame_ticks = ADTS_SAMPLES / stream.codec_context.sample_rate / float(stream.time_base)
    loads: list[_Load] = []
    damaged = False
    for packet in _packets(container, stream):
        content = bytes(packet)
        frames = [packet] if _length(content) == len(content) else parser.parse(content)
        # What the transport lost the start of may end in the next load.
        if packet.is_corrupt or damaged:
            frames = [frame for frame in frames if _decodes(frame)]
        damaged = packet.is_corrupt
        loads.append(_Load(packet.pts, frames, len(frames) * frame_ticks))
    return loads


def _decodes(frame: Any) -> bool:
    """Not every decoder passes over a damaged frame and goes on."""
    decoder: Any = av.CodecContext.create("aac", "r")
    try:
        return bool(decoder.decode(frame))
    except av.FFmpegError:
        return False


def _adts_sound(stream: Any, loads: list[_Load], longest_ms: float) -> Sound | None:
    # A slice that was cut off may begin in the middle of a frame; one that ends there has lost that frame already.
    for end in (0, -1):
        while loads and not (loads[end].packets and _frame(loads[end].packets[end])):
            (loads[end].packets or loads).pop(end)
    if not loads:
        return None
    first, last = _frame(loads[0].packets[0]), _frame(loads[-1].packets[-1])
    return _sound(stream, loads, first if first == last else b"", longest_ms)


def _sound(stream: Any, loads: Sequence[_Load], frame: bytes, longest_ms: float) -> Sound:
    codec = stream.codec_context
    # A first frame that is damaged does not tell the profile; then its header's word counts.
    profile = codec.profile or ("LC" if frame and frame[0] >> 6 == 1 else None)
    kind = Kind(codec.name, profile, codec.sample_rate, codec.layout.name, frame)
    return Sound(kind, _stretches(loads, float(stream.time_base * 1000), longest_ms), stream)


def _frame(packet: Any) -> bytes:
    """The part of a whole ADTS frame's header that stays the same from frame to frame; empty if it is none.

    Frames of several blocks count as none: their length in time is another.
    Source: https://wiki.multimedia.cx/index.php/ADTS
    """
    head = bytes(memoryview(packet)[:ADTS_HEADER])
    return bytes((head[2] & 0xFD, head[3] & 0xC0)) if _length(head) == packet.size and not head[6] & 3 else b""


def _length(frame: bytes) -> int:
    """Of an ADTS frame, by its header; 0 if it is none."""
    if len(frame) < ADTS_HEADER or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0:
        return 0
    return (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5


def _stretches(loads: Sequence[_Load], tick_ms: float, longest_ms: float) -> list[Stretch]:
    """Parted where the slice's own clock jumps ahead; inside a slice, and only there, it is known to be one clock."""
    first, last = loads[0], loads[-1]
    packet_ms = first.length / len(first.packets) * tick_ms
    sound = sum(load.length for load in loads)
    if first.pts is None or last.pts is None or (last.pts + last.length - first.pts - sound) * tick_ms <= TOLERANCE_MS:
        return [Stretch(0.0, [packet for load in loads for packet in load.packets], packet_ms)]

    room_ms = longest_ms + TOLERANCE_MS - sound * tick_ms
    stretches = [Stretch(0.0, list(loads[0].packets), packet_ms)]
    at_ms = 0.0
    for load, following in pairwise(loads):
        at_ms += load.length * tick_ms
        if load.pts is not None and following.pts is not None:
            pause_ms = (following.pts - load.pts - load.length) * tick_ms
            if TOLERANCE_MS < pause_ms <= room_ms:
                room_ms -= pause_ms
                at_ms += pause_ms
                stretches.append(Stretch(at_ms, [], packet_ms))
        stretches[-1].packets.extend(following.packets)
    return stretches
