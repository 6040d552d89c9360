"""Length of MP4, M4A and QuickTime files: from `mvhd`, or from the fragments if there are any.

The header of a fragmented file was written before its end was known, so `mvhd` says nothing about the fragments. The
index of the fragments (`sidx`) or the time in the last one (`moof`) does. A file that ends before its last box does is
cut off: `mvhd` speaks of a whole that the object does not hold.
Source: ISO/IEC 14496-12, https://developer.apple.com/documentation/quicktime-file-format
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from recording_insights.media.probe.ranged_object import RangedObject

FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"sidx", b"moof")
"""The boxes that a file begins with. Old QuickTime files and fragments have no `ftyp`."""
_UNKNOWN = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_LARGEST_HEADER = 1 << 20
"""Upper bound on the bytes of `moov` in a fragmented file, and of one `moof`. Both list little there."""
_TAILS = (1 << 20, 8 << 20)
"""Bytes at the end of the object that are searched for the last fragment, one GET each."""


@dataclass(frozen=True)
class _Box:
    """A box: its name, and the offsets where the box begins, its content begins, and both end."""

    name: bytes
    start: int
    content: int
    end: int


def mp4_seconds(media: RangedObject) -> float | None:
    """Return the length in seconds; None if it cannot be known."""
    moov = index = None
    samples_before_fragments = False
    for box in _boxes(media, 0, media.size):
        if box.name == b"moof":
            return _fragments_seconds(media, moov, box, samples_before_fragments) if moov else None
        if box.end > media.size:
            return None
        if box.name == b"moov":
            moov = box
        elif box.name == b"mdat":
            samples_before_fragments = True
        elif box.name == b"sidx" and index is None:
            index = box
            seconds = _indexed_seconds(media, box)
            if seconds is not None:
                return seconds
    return _movie_seconds(media, moov) if moov else None


def _boxes(media: RangedObject, at: int, end: int) -> Iterator[_Box]:
    while at + 8 <= end:
        size, name = media.unpack(">I4s", at)
        content = at + 8
        if size == 1:
            size, content = media.unpack(">Q", at + 8)[0], at + 16
        box = _Box(name, at, content, at + size if size else end)
        if box.end < content:
            return
        yield box
        at = box.end


def _children(media: RangedObject, parent: _Box, name: bytes) -> Iterator[_Box]:
    """Yield the boxes of a name in a box; those that reach beyond their parent are left out."""
    return (box for box in _boxes(media, parent.content, parent.end) if box.name == name and box.end <= parent.end)


def _descendant(media: RangedObject, box: _Box, *path: bytes) -> _Box | None:
    """Return the first box on a path of names below a box."""
    found: _Box | None = box
    for name in path:
        found = next(_children(media, found, name), None) if found else None
    return found


def _movie_seconds(media: RangedObject, moov: _Box) -> float | None:
    mvhd = _descendant(media, moov, b"mvhd")
    if mvhd is None:
        return None
    scale, length = _scale_and_length(media, mvhd)
    return None if length in _UNKNOWN else length / scale


def _scale_and_length(media: RangedObject, box: _Box) -> tuple[int, int]:
    """Return units a second and number of units in `mvhd` or `mdhd`."""
    (version,) = media.unpack(">B", box.content)
    scale, length = media.unpack(*((">IQ", box.content + 20) if version else (">II", box.content + 12)))
    return scale, length


def _indexed_seconds(media: RangedObject, sidx: _Box) -> float | None:
    """Return the length of what an index covers; None unless it covers the object to its end."""
    (version,) = media.unpack(">B", sidx.content)
    scale = media.unpack(">I", sidx.content + 8)[0]
    first_offset, _, count = media.unpack(
        *((">QHH", sidx.content + 20) if version else (">IHH", sidx.content + 16)),
    )
    entries = media.unpack(f">{3 * count}I", sidx.content + (32 if version else 24))
    end = sidx.end + first_offset + sum(size & 0x7FFFFFFF for size in entries[::3])
    follows = media.read(end + 4, 4) if end < media.size else b"mfra"
    if end > media.size or follows != b"mfra":
        return None
    return float(sum(entries[1::3]) / scale)


@dataclass(frozen=True)
class _Run:
    """The samples of a track in one fragment: begin and end in seconds of the track's clock."""

    begins: float
    ends: float


def _fragments_seconds(media: RangedObject, moov: _Box, first: _Box, samples_before: bool) -> float | None:
    """Return the time from the first fragment's begin to the last one's end; None if the end is not found."""
    if moov.end - moov.start > _LARGEST_HEADER or first.end - first.start > _LARGEST_HEADER:
        return None
    clocks = _clocks(media, moov)
    runs = _runs(media, first, clocks)
    begins = 0.0 if samples_before else min((run.begins for run in runs), default=None)
    for length in _TAILS:
        tail_at = max(media.size - length, first.start)
        tail = media.read(tail_at, media.size - tail_at)
        ends = [run for moof in _fragments_in(tail, tail_at) for run in _runs(media, moof, clocks)]
        if ends and begins is not None:
            return max(run.ends for run in ends) - begins
        if tail_at == first.start:
            return None
    return None


def _fragments_in(tail: bytes, tail_at: int) -> Iterator[_Box]:
    """Yield each `moof` in the last bytes of an object: its first box is `mfhd`, which is 16 bytes long."""
    at = tail.find(b"moof\0\0\0\x10mfhd")
    while at >= 4:
        start = tail_at + at - 4
        end = start + int(struct.unpack_from(">I", tail, at - 4)[0])
        if end - tail_at <= len(tail):
            yield _Box(b"moof", start, start + 8, end)
        at = tail.find(b"moof\0\0\0\x10mfhd", at + 4)


def _clocks(media: RangedObject, moov: _Box) -> dict[int, tuple[int, int]]:
    """Return units a second and the usual units of a sample, by number of the track."""
    usual: dict[int, int] = {}
    for mvex in _children(media, moov, b"mvex"):
        for trex in _children(media, mvex, b"trex"):
            track, _, units = media.unpack(">III", trex.content + 4)
            usual[track] = units
    clocks = {}
    for trak in _children(media, moov, b"trak"):
        tkhd = _descendant(media, trak, b"tkhd")
        mdhd = _descendant(media, trak, b"mdia", b"mdhd")
        if tkhd and mdhd:
            (version,) = media.unpack(">B", tkhd.content)
            (track,) = media.unpack(">I", tkhd.content + (20 if version else 12))
            clocks[track] = (_scale_and_length(media, mdhd)[0], usual.get(track, 0))
    return clocks


def _runs(media: RangedObject, moof: _Box, clocks: dict[int, tuple[int, int]]) -> list[_Run]:
    """Return the runs of a fragment that have a time. Samples that the object does not hold are left out."""
    is_whole = _is_whole(media, moof)
    runs = []
    for traf in _children(media, moof, b"traf"):
        tfhd, tfdt = _descendant(media, traf, b"tfhd"), _descendant(media, traf, b"tfdt")
        if tfhd is None or tfdt is None:
            continue
        flags, track = media.unpack(">II", tfhd.content)
        scale, usual = clocks.get(track, (0, 0))
        if flags & 0x8:
            (usual,) = media.unpack(">I", tfhd.content + 8 + 8 * (flags & 1) + 2 * (flags & 2))
        (version,) = media.unpack(">B", tfdt.content)
        (begins,) = media.unpack(">Q" if version else ">I", tfdt.content + 4)
        units = sum(_units(media, trun, usual) for trun in _children(media, traf, b"trun")) if is_whole else 0
        if scale:
            runs.append(_Run(begins / scale, (begins + units) / scale))
    return runs


def _is_whole(media: RangedObject, moof: _Box) -> bool:
    """Return whether the object holds the samples of a fragment, which follow in `mdat`."""
    mdat = next(_boxes(media, moof.end, media.size), None)
    return mdat is not None and mdat.end <= media.size


def _units(media: RangedObject, trun: _Box, usual: int) -> int:
    """Return the sum of the lengths of a run's samples."""
    flags, count = media.unpack(">II", trun.content)
    if not flags & 0x100:
        return int(count * usual)
    at = trun.content + 8 + 4 * (flags & 1) + (flags & 4)
    columns = (flags >> 8 & 0xF).bit_count()
    return int(sum(media.unpack(f">{columns * count}I", at)[::columns]))
