"""Length of FLAC from its header, if the last frame shows that the object holds all of it.

Source: https://www.rfc-editor.org/rfc/rfc9639
"""

import re
import struct
from dataclasses import dataclass

from recording_insights.media.probe.ranged_object import RangedObject

_TAIL = 128 * 1024
"""Bytes at the end of the object that are searched for the last frame; a frame of stereo seldom has more than 20 KB."""
_SYNC = re.compile(rb"\xff[\xf8\xf9][\x10-\xff]", re.DOTALL)
_SAMPLE_NUMBERS = 0xF9
"""Second byte of a frame that is numbered by its first sample; others are numbered by frame."""


@dataclass(frozen=True)
class StreamInfo:
    """Samples a second, number of samples (0 if unknown), and most samples of a frame."""

    rate: int
    samples: int
    block: int


def stream_info(data: bytes, at: int) -> StreamInfo:
    """Return the content of a STREAMINFO block."""
    _, block, _, packed = struct.unpack_from(">HH6sQ", data, at)
    return StreamInfo(packed >> 44, packed & (1 << 36) - 1, block)


def flac_seconds(media: RangedObject, at: int) -> float | None:
    """Return the length in seconds of the stream that begins at byte `at`; None if it cannot be known."""
    info = stream_info(media.read(at, 42), 8)
    tail_at = max(media.size - _TAIL, at)
    last = _last_frame_at(media.read(tail_at, _TAIL), info.block)
    is_whole = last is not None and last < info.samples <= last + info.block
    return info.samples / info.rate if is_whole else None


def _last_frame_at(tail: bytes, block: int) -> int | None:
    """Return the number of the first sample of the last frame in the data; None if no frame begins in it."""
    last = None
    for sync in _SYNC.finditer(tail):
        number = _number_in(tail[sync.start() : sync.start() + 16])
        if number is not None:
            last = number if tail[sync.start() + 1] == _SAMPLE_NUMBERS else number * block
    return last


def _number_in(header: bytes) -> int | None:
    """Return the number of a frame; None if the checksum shows that this is no header of a frame."""
    if len(header) < 16:
        return None
    more = _bytes_that_follow(header[4])
    number_ends = 5 + more
    block_code, rate_code = header[2] >> 4, header[2] & 0xF
    end = number_ends + {6: 1, 7: 2}.get(block_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if end >= len(header) or _crc_8(header[:end]) != header[end]:
        return None
    number = header[4] & (0x7F if more == 0 else (1 << 6 - more) - 1)
    for byte in header[5:number_ends]:
        number = number << 6 | byte & 0x3F
    return number


def _bytes_that_follow(first: int) -> int:
    """Return how many bytes follow the first one of a number, which is coded as in UTF-8."""
    return max(8 - (~first & 0xFF).bit_length() - 1, 0)


def _crc_8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value
