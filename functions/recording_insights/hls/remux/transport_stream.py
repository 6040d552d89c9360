"""Reads one stream out of an MPEG transport stream that lacks nothing.

FFmpeg reads any, but hands over load by load: where each frame is a load of its own, that takes twice as long.

Source: ISO/IEC 13818-1, https://www.itu.int/rec/T-REC-H.222.0
"""

from struct import Struct
from typing import NamedTuple

PACKET = 188
CLOCK_HZ = 90_000

_COUNTERS = bytes(range(16))
_LOAD_HEADER = Struct(">3sxHBBBBHH")
"""Prefix, length, three bytes of flags and the rest's length, and 33 bits of the clock among markers."""
_SYNC = b"\x47"
_PREFIX = b"\x00\x00\x01"


class Payload(NamedTuple):
    """What the loads (PES packets) of a stream carry, end to end.

    `ends`: where in it each load ends, `clocks`: the clock (90 kHz) at which each begins; these never go back.
    """

    content: bytes
    ends: list[int]
    clocks: list[int]


def payload(content: bytes, stream: int) -> Payload | None:
    """The stream with that PID.

    None if anything is missing, damaged, scrambled, without a clock or otherwise odd: what to make of that is left to
    FFmpeg.
    """
    marks, lows, flags = content[1::PACKET], content[2::PACKET], content[3::PACKET]
    if (
        content[::PACKET].strip(_SYNC)
        or len(content) % PACKET
        or max(marks, default=0) & 0x80
        or max(flags, default=0) & 0xC0
    ):
        return None
    high, low = stream >> 8, stream & 0xFF
    counters = bytearray()
    chunks: list[bytes] = []
    ends: list[int] = []
    clocks: list[int] = []
    length = due = 0
    for number, (mark, byte, flag) in enumerate(zip(marks, lows, flags, strict=True)):
        if byte != low or mark & 0x1F != high or not flag & 0x10:
            continue
        counters.append(flag & 0x0F)
        begins = number * PACKET + 4
        end = begins + PACKET - 4
        if flag & 0x20:
            begins += 1 + content[begins]
        if mark & 0x40:
            if length != due or begins + _LOAD_HEADER.size > end:
                return None
            prefix, announced, secret, tells, rest, top, middle, bottom = _LOAD_HEADER.unpack_from(content, begins)
            if prefix != _PREFIX or secret & 0xF0 != 0x80 or not tells & 0x80:
                return None
            begins += 9 + rest
            due += announced - 3 - rest
            ends.append(due)
            clocks.append((top & 0x0E) << 29 | middle >> 1 << 15 | bottom >> 1)
        if begins > end:
            return None
        chunks.append(content[begins:end])
        length += end - begins
    whole = length == due and counters in _COUNTERS * (len(counters) // 16 + 2)
    return Payload(b"".join(chunks), ends, clocks) if chunks and whole and clocks == sorted(clocks) else None
