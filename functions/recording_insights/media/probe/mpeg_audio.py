"""Length of MPEG audio: MP3 and its older layers, and AAC with ADTS headers.

Nothing but a Xing or VBRI header says how long such a stream is, and that header is often absent or speaks of another
stream. Without it the frames are counted, or, in a large object, samples of it show that all frames have one bitrate.
Source: http://www.mp3-tech.org/programmer/frame_header.html, https://wiki.multimedia.cx/index.php/ADTS
"""

import re
from dataclasses import dataclass

from recording_insights.media.probe.ranged_object import BLOCK, RangedObject

_SEARCHED = (BLOCK, 8 * BLOCK)
"""Bytes that are searched for the first frame, one GET each: some files begin with zeros or junk."""
_FEWEST = 3
"""Fewest frames in a row that are no coincidence where a stream goes on."""
_FEWEST_TO_BEGIN = 10
"""Fewest frames in a row that are no coincidence in an object of a format that is not recognised."""
_LEAST_FRAME = 24
"""Least bytes of an MP3 frame: 8 kbit/s at 24 kHz."""

_SYNC = re.compile(rb"\xff[\xe0-\xff][^\xff]", re.DOTALL)
_KBPS = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
"""kbit/s by version (3 is MPEG 1, 2 is MPEG 2 and 2.5) and layer code (3 is layer I, 1 is layer III)."""
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


@dataclass(frozen=True)
class _Frame:
    """A frame of `size` bytes. `kind` is the same in all frames of a stream; `kbps` is 0 in ADTS."""

    kind: tuple[int, int]
    size: int
    samples: int
    rate: int
    kbps: int = 0


@dataclass(frozen=True)
class _Chain:
    """Frames in a row, from one offset in the data to another; `reaches_end` if no other data follows."""

    start: int
    end: int
    frames: list[_Frame]
    reaches_end: bool

    @property
    def kbps(self) -> set[tuple[tuple[int, int], int]]:
        """The kinds and bitrates of the frames."""
        return {(frame.kind, frame.kbps) for frame in self.frames}


def mpeg_seconds(media: RangedObject, at: int) -> float | None:
    """Return the length in seconds of the stream at or after byte `at`; None if there is none or it cannot be known."""
    for length in _SEARCHED:
        data = media.read(at, length)
        chain = _first_chain(data, _FEWEST_TO_BEGIN)
        if chain:
            return _seconds(media, at + chain.start, chain, data)
        if at + length >= media.size:
            break
    return None


def _seconds(media: RangedObject, start: int, head: _Chain, data: bytes) -> float | None:
    held = media.size - start
    seconds = _declared_seconds(media, start, head.frames[0], data[head.start : head.start + 200])
    if seconds is not None:
        return seconds
    if held <= media.bytes_left:
        return _counted_seconds(media.read(start, held))
    return _constant_seconds(media, start, head)


def _declared_seconds(media: RangedObject, start: int, frame: _Frame, data: bytes) -> float | None:
    """Return the length that a Xing or VBRI header in the first frame says, if the header speaks of this object."""
    frames, size = _declared(data[: frame.size])
    if not frames or not size or frames * _LEAST_FRAME > size or start + size > media.size:
        return None
    follows = media.read(start + size, BLOCK)
    if follows.startswith(b"ID3") or _first_chain(follows, _FEWEST):
        return None  # another stream was appended
    return frames * frame.samples / frame.rate


def _declared(data: bytes) -> tuple[int, int]:
    """Return the numbers of frames and bytes in a Xing or VBRI header, 0 for what is not in it."""
    at = max(data.find(b"Xing", 0, 50), data.find(b"Info", 0, 50))
    if at >= 0:
        flags = data[at + 7]
        frames = int.from_bytes(data[at + 8 : at + 12], "big") if flags & 1 else 0
        size_at = at + 8 + 4 * (flags & 1)
        return frames, int.from_bytes(data[size_at : size_at + 4], "big") if flags & 2 else 0
    if data[36:40] == b"VBRI":
        return int.from_bytes(data[50:54], "big"), int.from_bytes(data[46:50], "big")
    return 0, 0


def _counted_seconds(data: bytes) -> float:
    """Return the sum of the lengths of all frames. What lies between frames is skipped."""
    seconds = 0.0
    chain = _first_chain(data, _FEWEST)
    while chain:
        seconds += sum(frame.samples for frame in chain.frames) / chain.frames[0].rate
        chain = None if chain.reaches_end else _first_chain(data, _FEWEST, chain.end)
    return seconds


def _constant_seconds(media: RangedObject, start: int, head: _Chain) -> float | None:
    """Return the length of a stream of one bitrate; None if the bitrate differs anywhere that is looked at."""
    found = head.kbps
    end = start
    for offset in (start + (media.size - start) // 3, start + (media.size - start) * 2 // 3, media.size - BLOCK):
        chain = _first_chain(media.read(offset, BLOCK), _FEWEST)
        if chain is None:
            return None
        found |= chain.kbps
        end = offset + chain.end
    [(_, kbps), *others] = found
    return None if others or not kbps else (end - start) * 8 / (kbps * 1000)


def _first_chain(data: bytes, fewest: int, at: int = 0) -> _Chain | None:
    """Return the first row of frames in the data that is no coincidence.

    That is a row of `fewest` frames or more, or one of at least two that reaches the end of the data.
    """
    while sync := _SYNC.search(data, at):
        chain = _chain_at(data, sync.start())
        if len(chain.frames) >= fewest or (chain.reaches_end and len(chain.frames) >= 2):
            return chain
        at = sync.start() + 1
    return None


def _chain_at(data: bytes, start: int) -> _Chain:
    frames: list[_Frame] = []
    at = start
    while (frame := _frame_at(data, at)) and at + frame.size <= len(data):
        if frames and frame.kind != frames[0].kind:
            break
        frames.append(frame)
        at += frame.size
    cut_off = frame is not None and at + frame.size > len(data)
    return _Chain(start, at, frames, reaches_end=cut_off or len(data) - at < 7)


def _frame_at(data: bytes, at: int) -> _Frame | None:
    header = data[at : at + 7]
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    layer = header[1] >> 1 & 3
    return _mpeg_frame(header, layer) if layer else _adts_frame(header)


def _mpeg_frame(header: bytes, layer: int) -> _Frame | None:
    version = header[1] >> 3 & 3
    kbps = _KBPS[min(version | 2, 3), layer if version == 3 else max(layer, 2)][header[2] >> 4]
    rate_code = header[2] >> 2 & 3
    if version == 1 or rate_code == 3 or not kbps:
        return None
    rate = _RATES[version][rate_code]
    padding = header[2] >> 1 & 1
    kind = (header[1] & 0xFE, header[2] & 0x0C)
    if layer == 3:
        return _Frame(kind, (12_000 * kbps // rate + padding) * 4, 384, rate, kbps)
    samples = 576 if layer == 1 and version != 3 else 1152
    return _Frame(kind, samples // 8 * 1000 * kbps // rate + padding, samples, rate, kbps)


def _adts_frame(header: bytes) -> _Frame | None:
    rate_code = header[2] >> 2 & 0xF
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if header[1] & 0xF0 != 0xF0 or rate_code >= len(_ADTS_RATES) or size < 7:
        return None
    kind = (header[1] & 0xFE, header[2] & 0xFC)
    return _Frame(kind, size, 1024 * ((header[6] & 3) + 1), _ADTS_RATES[rate_code])
