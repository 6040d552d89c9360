"""An object in S3 that is read by a few ranged GETs."""

import struct
from collections.abc import Callable
from typing import Any

RangeReader = Callable[[int, int], bytes]
"""(first byte, last byte) → the bytes of the object; raises the errors of S3."""

BLOCK = 64 * 1024
"""Least bytes of one GET: the next read is often close by."""
MOST_READS = 8
"""Upper bound on the ranged GETs of one object."""
MOST_BYTES = 16 * 1024 * 1024
"""Upper bound on the bytes read of one object. A broken index may claim gigabytes."""


class ReadLimit(Exception):
    """The next read would exceed `MOST_READS` or `MOST_BYTES`."""


class RangedObject:
    """Reads parts of an object of `size` bytes. A part that was read before costs no further GET."""

    def __init__(self, read_range: RangeReader, size: int) -> None:
        self.size = size
        self.bytes_left = MOST_BYTES
        self._read_range = read_range
        self._stretches: list[tuple[int, bytes]] = []

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`, fewer at the end of the object.

        Raises:
            ReadLimit: the read would exceed a limit.
            Exception: an error of S3, unchanged.
        """
        end = min(offset + count, self.size)
        if offset >= end:
            return b""
        for start, stretch in self._stretches:
            if start <= offset and end <= start + len(stretch):
                return stretch[offset - start : end - start]
        stretch = self._get(offset, min(max(end, offset + BLOCK), self.size))
        return stretch[: end - offset]

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """Return the values of a `struct` layout at `offset`.

        Raises:
            struct.error: the object ends before.
            ReadLimit: the read would exceed a limit.
        """
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def _get(self, offset: int, end: int) -> bytes:
        if len(self._stretches) == MOST_READS or end - offset > self.bytes_left:
            raise ReadLimit
        self.bytes_left -= end - offset
        stretch = self._read_range(offset, end - 1)
        self._stretches.append((offset, stretch))
        return stretch
