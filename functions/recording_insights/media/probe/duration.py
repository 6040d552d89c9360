"""Probe of a media object: whether it is media, and how long it is, without reading all of it.

Reads a few blocks by ranged GETs. The index of an MP4 may be at the end of a file of gigabytes, so the reader seeks.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinytag import TinyTag
from tinytag.tinytag import ParseError, UnsupportedFormatError

from recording_insights.errors import NotMedia
from recording_insights.media.probe.not_media import what_else

RangeReader = Callable[[int, int], bytes]
"""(first byte, last byte) → the bytes of the object; raises the errors of S3."""

BLOCK = 64 * 1024
MOST_BYTES = 16 * 1024 * 1024
"""Upper bound on the bytes read of one object. A sound index takes a few blocks; a broken one may claim gigabytes."""


def media_duration_ms(read_range: RangeReader, size: int) -> int | None:
    """Return the length in ms; None if it cannot be read, which a provider may still do.

    Raises:
        NotMedia: the object is recognised as something else.
    """
    source = io.BufferedReader(_RangeFile(read_range, size), buffer_size=BLOCK)
    try:
        if other := what_else(source.read(BLOCK)):
            raise NotMedia(f"the object is {other}, not media")
        source.seek(0)
        seconds = TinyTag.get(file_obj=source, tags=False).duration
    except UnsupportedFormatError:
        return None
    except ParseError as error:
        # tinytag wraps every error that is raised below it. An error of S3 must reach the caller, who retries.
        if isinstance(error.__cause__, _ReadFailed):
            raise error.__cause__.error from None
        return None
    except _ReadFailed as failed:
        raise failed.error from None
    return round(seconds * 1000) if seconds else None


@dataclass
class _ReadFailed(Exception):
    """Carries an error of S3 through the parser."""

    error: Exception


class _RangeFile(io.RawIOBase):
    """The object as a file that can seek; reads at most `MOST_BYTES`."""

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
            raise OSError(f"cannot seek to {start + offset}: the object begins at 0")
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
            raise ValueError(f"the object's index needs more than {MOST_BYTES} bytes")
        try:
            data = self._read_range(self._position, last)
        except Exception as error:
            raise _ReadFailed(error) from error
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
