"""A look into a media object without loading it: is it media at all, and how long is it?

Reads a few blocks by ranged GETs. The MP4 index may lie at the end of a file of gigabytes, so the reader seeks.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinytag import TinyTag
from tinytag.tinytag import ParseError, UnsupportedFormatError

RangeReader = Callable[[int, int], bytes]
"""(first byte, last byte) → the bytes of the object; raises what S3 raises."""

BLOCK = 64 * 1024
MOST_BYTES = 16 * 1024 * 1024
"""Read for one object. A sound index takes a few blocks; a broken one may claim gigabytes, and a function's memory."""


class NotMedia(Exception):
    """The first bytes belong to no media format, whatever the key says."""


def media_duration_ms(read_range: RangeReader, size: int) -> int | None:
    """Length in ms; None when it is media whose index cannot be read (the provider will judge it).

    Raises:
        NotMedia: the object is something else.
    """
    source = io.BufferedReader(_RangeFile(read_range, size), buffer_size=BLOCK)
    try:
        seconds = TinyTag.get(file_obj=source, tags=False).duration
    except UnsupportedFormatError:
        raise NotMedia("its first bytes belong to no media format") from None
    except ParseError as error:
        # tinytag wraps whatever happens below it; a fault of S3 must stay one, to be retried.
        if error.__cause__ is not None and isinstance(error.__cause__, RangeFault):
            raise error.__cause__.fault from None
        return None
    except RangeFault as error:
        raise error.fault from None
    return round(seconds * 1000) if seconds else None


@dataclass
class RangeFault(Exception):
    """Carries S3's own error through the parser."""

    fault: Exception


class _RangeFile(io.RawIOBase):
    def __init__(self, read_range: RangeReader, size: int) -> None:
        self._read_range = read_range
        self._size = size
        self._position = 0
        self._bytes_left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("seek before the start")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._size:
            return 0
        last = min(self._position + len(buffer), self._size) - 1
        self._bytes_left -= last + 1 - self._position
        if self._bytes_left < 0:
            raise ValueError("the index of the file is beyond reason")
        try:
            data = self._read_range(self._position, last)
        except Exception as error:
            raise RangeFault(error) from error
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
