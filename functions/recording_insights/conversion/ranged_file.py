"""An object in S3 as a file that FFmpeg's libraries read from and seek in. Nothing of it is stored."""

import io
from collections import OrderedDict
from collections.abc import Callable

BLOCK = 4 << 20
"""Bytes of one ranged GET: 10 h of sound at 64 kbit/s take 69 GETs."""
BLOCKS = 6
"""Blocks that are kept in memory. Picture and sound of a file may lie far apart and be read in turns."""


class RangedFile:
    """A readable and seekable file of `size` bytes; `read_range(first, last)` gets the bytes, both ends included.

    An error of `read_range` is raised by `read` unchanged, and by FFmpeg's callers too.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size: int) -> None:
        self._read_range = read_range
        self._size = size
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read(self, count: int = -1) -> bytes:
        """Return at most `count` bytes, fewer at the end of a block; b"" at the end of the file."""
        number, offset = divmod(self._at, BLOCK)
        if self._at >= self._size:
            return b""
        block = self._block(number)
        found = block[offset:] if count < 0 else block[offset : offset + count]
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset from the begin, the present place or the end, and return the new place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the present place."""
        return self._at

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            first = number * BLOCK
            self._blocks[number] = self._read_range(first, min(first + BLOCK, self._size) - 1)
        self._blocks.move_to_end(number)
        if len(self._blocks) > BLOCKS:
            self._blocks.popitem(last=False)
        return self._blocks[number]
