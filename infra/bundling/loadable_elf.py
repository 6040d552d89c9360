"""Shared objects of Linux, cut down to what the dynamic loader maps into memory.

A wheel's libraries carry symbols for debuggers, and between their segments room for the largest pages that a kernel
of their architecture may have (64 KiB on arm64). The loader reads neither: it goes by the program headers alone, maps
the segments of type PT_LOAD, and asks of each that its offset in the file and its address in memory are alike modulo
its alignment, which must be a multiple of the kernel's page.

Sources: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html (program header, "p_align") and
https://man7.org/linux/man-pages/man5/elf.5.html (layout of both headers)
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise

_FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SUPPORTED = b"\x7fELF\x02\x01\x01"
"""64 bits, little-endian, the one version there is."""
_SHARED_OBJECT = 3
_NULL, _LOAD, _NOTE = 0, 1, 4
_IN_MEMORY = 2


class _NotUnderstood(Exception):
    """This file is better left alone."""


@dataclass(frozen=True)
class Segment:
    """A program header: `size` bytes at `offset` of the file, `memory` bytes at `address`."""

    kind: int
    flags: int
    offset: int
    address: int
    physical_address: int
    size: int
    memory: int
    alignment: int

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.offset + self.size


@dataclass(frozen=True)
class _FileHeader:
    identity: bytes
    kind: int
    machine: int
    version: int
    entry: int
    segments_at: int
    sections_at: int
    flags: int
    size: int
    segment_size: int
    segments: int
    section_size: int
    sections: int
    names_section: int


def loadable(content: bytes, *, page: int) -> bytes:
    """The same shared object for kernels whose pages have `page` bytes, as short as possible.

    Whatever is no shared object of 64 bits, or is built in a way that is not known here, comes back as it is.
    """
    try:
        cut = _cut(content, page)
    except (_NotUnderstood, struct.error):
        return content
    return cut if len(cut) < len(content) else content


def segments_of(content: bytes) -> Sequence[Segment]:
    """The program headers of a file of 64 bits, little-endian."""
    header = _FileHeader(*_FILE_HEADER.unpack_from(content))
    return list(_segments(content, header))


def _cut(content: bytes, page: int) -> bytes:
    header = _FileHeader(*_FILE_HEADER.unpack_from(content))
    _check_header(header)
    segments = list(_segments(content, header))
    loads = sorted((segment for segment in segments if segment.kind == _LOAD), key=lambda load: load.offset)
    _check_loads(loads, len(content), page)
    if any(alignment > page for alignment in _alignments_in_memory(content, header)):
        raise _NotUnderstood("some of its data wants a better place than the start of a page")
    cut = bytearray()
    places: list[tuple[Segment, int]] = []
    for load in loads:
        cut += bytes((load.address - len(cut)) % page)
        places.append((load, len(cut)))
        cut += content[load.offset : load.end]
    if places[0][1] != 0:
        raise _NotUnderstood("the file's own header would not come first")
    segments_at = _moved(header.segments_at, header.segments * _SEGMENT.size, places)
    for number, segment in enumerate(segments):
        changed = astuple(_placed(segment, places, page))
        _SEGMENT.pack_into(cut, segments_at + number * _SEGMENT.size, *changed)
    without_sections = replace(header, segments_at=segments_at, sections_at=0, sections=0, names_section=0)
    _FILE_HEADER.pack_into(cut, 0, *astuple(without_sections))
    return bytes(cut)


def _segments(content: bytes, header: _FileHeader) -> Iterator[Segment]:
    for number in range(header.segments):
        yield Segment(*_SEGMENT.unpack_from(content, header.segments_at + number * _SEGMENT.size))


def _alignments_in_memory(content: bytes, header: _FileHeader) -> Iterator[int]:
    """Of the sections: a segment's own alignment cannot tell what its content needs from what its pages need."""
    for number in range(header.sections):
        section = _SECTION.unpack_from(content, header.sections_at + number * _SECTION.size)
        if section[2] & _IN_MEMORY:
            yield section[8]


def _check_header(header: _FileHeader) -> None:
    if not header.identity.startswith(_SUPPORTED) or header.kind != _SHARED_OBJECT:
        raise _NotUnderstood("no shared object of 64 bits")
    if header.segment_size != _SEGMENT.size or (header.sections and header.section_size != _SECTION.size):
        raise _NotUnderstood("headers of another size")


def _check_loads(loads: Sequence[Segment], length: int, page: int) -> None:
    if not loads or loads[0].offset != 0 or loads[-1].end > length:
        raise _NotUnderstood("its segments do not begin with the file, or end after it")
    if any(load.alignment == 0 or load.alignment % page for load in loads):
        raise _NotUnderstood("not made for pages of this size")
    if any(one.end > other.offset for one, other in pairwise(loads)):
        raise _NotUnderstood("segments that overlap in the file")


def _placed(segment: Segment, places: Sequence[tuple[Segment, int]], page: int) -> Segment:
    if segment.kind == _LOAD:
        place = next(place for load, place in places if load is segment)
        return replace(segment, offset=place, alignment=page)
    if segment.size == 0:
        return segment
    try:
        return replace(segment, offset=_moved(segment.offset, segment.size, places))
    except _NotUnderstood:
        if segment.kind != _NOTE:
            raise
        return replace(segment, kind=_NULL)  # a note for tools, which was never mapped


def _moved(offset: int, size: int, places: Sequence[tuple[Segment, int]]) -> int:
    for load, place in places:
        if load.offset <= offset and offset + size <= load.end:
            return offset - load.offset + place
    raise _NotUnderstood("part of what the loader needs lies outside of all segments")
