"""Length of Matroska and WebM files from the segment information, if the object holds the whole segment.

Browsers write a file while they record, and leave the length and the segment's size unknown. Programs that add the
length later leave the size unknown. In such a file, the time of the last cluster shows whether the length is right.
Source: https://www.rfc-editor.org/rfc/rfc9559, https://www.rfc-editor.org/rfc/rfc8794
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from recording_insights.media.probe.ranged_object import RangedObject

HEADER = b"\x1aE\xdf\xa3"
_SEGMENT = 0x18538067
_INFO = 0x1549A966
_CLUSTER = 0x1F43B675
_TIMESTAMP_SCALE = 0x2AD7B1
_DURATION = 0x4489
_TIMESTAMP = 0xE7
_UNKNOWN = None
_DEFAULT_SCALE = 1_000_000
"""Nanoseconds of one unit of time."""
_TAIL = 4 << 20
"""Bytes at the end of the object that are searched for the last cluster."""
_LONGEST_CLUSTER = 60.0
"""Seconds. A timestamp in a block has 16 bits: with the usual scale a cluster ends after 33 s."""


@dataclass(frozen=True)
class _Element:
    """An element: its id, and the offsets where its content begins and ends; `end` is None if its size is unknown."""

    name: int
    content: int
    end: int | None


def matroska_seconds(media: RangedObject) -> float | None:
    """Return the length in seconds; None if it cannot be known. The object begins with `HEADER`."""
    segment = next((each for each in _elements(media, 0, media.size) if each.name == _SEGMENT), None)
    if segment is None or (segment.end is not _UNKNOWN and segment.end != media.size):
        return None  # cut off, or another file was appended
    for each in _elements(media, segment.content, media.size):
        if each.name == _INFO and each.end is not _UNKNOWN:
            scale, length = _scale_and_length(media, each.content, each.end)
            seconds = length * scale / 1e9
            return seconds if segment.end is not _UNKNOWN or _ends_with(media, seconds, scale) else None
        if each.name == _CLUSTER:
            return None
    return None


def _scale_and_length(media: RangedObject, at: int, end: int) -> tuple[int, float]:
    """Return nanoseconds of a unit, and the number of units, 0 if it is not there."""
    scale, length = _DEFAULT_SCALE, 0.0
    for each in _elements(media, at, end):
        content = media.read(each.content, (each.end or each.content) - each.content)
        if each.name == _TIMESTAMP_SCALE:
            scale = int.from_bytes(content, "big")
        elif each.name == _DURATION:
            (length,) = struct.unpack(">f" if len(content) == 4 else ">d", content)
    return scale, length


def _ends_with(media: RangedObject, seconds: float, scale: int) -> bool:
    """Return whether the last cluster begins shortly before the end of a file of this length."""
    tail_at = max(media.size - _TAIL, 0)
    at = media.read(tail_at, _TAIL).rfind(_CLUSTER.to_bytes(4, "big"))
    if at < 0:
        return False
    cluster = next(_elements(media, tail_at + at, media.size))
    time = next((each for each in _elements(media, cluster.content, media.size) if each.name == _TIMESTAMP), None)
    if time is None or time.end is None:
        return False
    begins = int.from_bytes(media.read(time.content, time.end - time.content), "big") * scale / 1e9
    return begins <= seconds <= begins + _LONGEST_CLUSTER


def _elements(media: RangedObject, at: int, end: int) -> Iterator[_Element]:
    """Yield the elements between two offsets, up to the first one whose size is unknown."""
    while at < end:
        name, content_at = _number(media, at, keeps_marker=True)
        size, content_at = _number(media, content_at, keeps_marker=False)
        if name is None:
            return
        element = _Element(name, content_at, None if size is None else content_at + size)
        yield element
        if element.end is None:
            return
        at = element.end


def _number(media: RangedObject, at: int, *, keeps_marker: bool) -> tuple[int | None, int]:
    """Return a number of variable length, and the offset behind it; None for a number that stands for "unknown"."""
    (first,) = media.unpack(">B", at)
    length = 9 - first.bit_length()
    if length > 8:
        raise struct.error("no number begins with a zero byte")
    value = int.from_bytes(media.read(at, length), "big")
    bare = value & ((1 << 7 * length) - 1)
    is_unknown = bare == (1 << 7 * length) - 1
    return (None if is_unknown else value if keeps_marker else bare), at + length
