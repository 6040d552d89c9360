"""Parses HLS media playlists of Agora and of other tools: names, lengths and start times of the segments.

Agora omits the comma after a length and adds its own tags (`EXT-X-AGORA-TRACK-EVENT`, `EXT-X-AGORA-ROTATE`). The name
of a segment ends in its start time: in UTC, or in milliseconds since 1970 if a web page is recorded.
Source: https://docs.agora.io/en/cloud-recording/develop/manage-files
Source: https://datatracker.ietf.org/doc/html/rfc8216#section-4.3
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST_SECONDS = 24 * 3600.0
"""The longest recording. A segment with a greater length counts as one without a length."""

_HEADER = "#EXTM3U"
_END = "#EXT-X-ENDLIST"
_LENGTH = "#EXTINF:"
_CLOCK = "#EXT-X-PROGRAM-DATE-TIME:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)")
_STAMP = re.compile(r"_(?:(?P<unix_ms>\d{13})|(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3}))\.[0-9A-Za-z]+$", re.ASCII)


class NotAPlaylist(Exception):
    """Raised when an object is not an HLS playlist. The message is a full sentence."""


@dataclass(frozen=True)
class Segment:
    """A segment of a playlist: the last part of its URI, unchanged, its length, and its start time (unix ms, UTC)."""

    name: str
    seconds: float
    starts_at_ms: int | None


@dataclass(frozen=True)
class Playlist:
    """The segments in order. `closed` means that no more will be added."""

    segments: Sequence[Segment]
    closed: bool


def parse_playlist(content: bytes) -> Playlist:
    """Parse a playlist. Unknown tags are skipped, and a length that is not a number is 0.0.

    Raises:
        NotAPlaylist: the content is not text or does not begin with #EXTM3U.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAPlaylist("The object is not a playlist: it is not text.") from None
    lines = (line.strip() for line in text.splitlines())
    if not next((line for line in lines if line), "").startswith(_HEADER):
        raise NotAPlaylist("The object is not a playlist: it does not begin with #EXTM3U.")

    segments: list[Segment] = []
    closed = False
    seconds, clock = 0.0, None
    for line in lines:
        if line.startswith(_LENGTH):
            seconds = _length(line[len(_LENGTH) :])
        elif line.startswith(_CLOCK):
            clock = _date_time(line[len(_CLOCK) :])
        elif line.startswith(_END):
            closed = True
        elif line and not line.startswith("#"):
            name = line.partition("?")[0].rpartition("/")[2]
            stamp = begins_at_ms(name)
            segments.append(Segment(name, seconds, clock if stamp is None else stamp))
            seconds, clock = 0.0, None
    return Playlist(segments, closed)


def _length(written: str) -> float:
    number = _SECONDS.match(written)
    seconds = float(number[1]) if number else 0.0
    return seconds if seconds <= LONGEST_SECONDS else 0.0


def begins_at_ms(name: str) -> int | None:
    """Return the start time (unix ms, UTC) in a segment's name: `…_<yyyyMMddHHmmssSSS>.ts` or `…_<unix ms>.ts`."""
    written = _STAMP.search(name)
    if not written:
        return None
    if written["unix_ms"]:
        return int(written["unix_ms"])
    year, month, day, hour, minute, second, thousandth = map(int, written.groups()[1:])
    try:
        return _unix_ms(datetime(year, month, day, hour, minute, second, thousandth * 1000, UTC))
    except ValueError:
        return None


def _date_time(written: str) -> int | None:
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    return _unix_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _unix_ms(moment: datetime) -> int:
    """Convert without floats, which can be off by a millisecond at this size."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
