"""Where in a track each slice belongs.

A uid that mutes is not recorded, so slices laid end to end would move whatever follows to the left; the time at which
a slice began puts it where it was spoken. A recorder that took over after a failure writes slices of its own, which
may repeat what the first one still got.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recording_insights.hls.playlist import Segment

TOLERANCE_MS = 100
"""How far lengths and start times may disagree before the start times are taken."""

LONGEST_HOLE_MS = 24 * 3600 * 1000
"""No recording lasts longer than its token's 24 hours; a start time beyond that is not one."""


@dataclass(frozen=True)
class Piece:
    """One slice in the track: position from the track's first piece and length, in ms.

    `trim`: it repeats, at least in part, what an earlier recorder wrote; what lies before the end of that is dropped.
    """

    name: str
    at_ms: int
    length_ms: int
    trim: bool


@dataclass(frozen=True)
class Timeline:
    """The track; `starts_at_ms` is the time of its first piece (unix ms, UTC), None if no clock tells it."""

    starts_at_ms: int | None
    pieces: Sequence[Piece]


def lay_out(playlists: Sequence[Sequence[Segment]]) -> Timeline:
    """One list of slices per recorder, the first recorder first; a name that comes twice is laid out once.

    Within a recorder a slice follows the one before it, unless its start time says otherwise by more than TOLERANCE_MS:
    then it begins there, so that small errors never add up. It never begins before the slice that it follows. A later
    recorder's slices that begin before the end of what is there are marked `trim`.
    """
    recorders = list(_without_repetitions(playlists))
    starts = _start(recorders[0]) if recorders else None
    pieces: list[Piece] = []
    for recorder in recorders:
        pieces += _behind(pieces, recorder, starts)
    return Timeline(starts, pieces)


def _behind(written: Sequence[Piece], segments: Sequence[Segment], starts: int | None) -> list[Piece]:
    """The pieces of one recorder, laid behind those of the recorders before it or over their end."""
    end = max((piece.at_ms + piece.length_ms for piece in written), default=0)
    own: list[Piece] = []
    last, exact = 0, float(end)
    for segment, stamp in zip(segments, _clock(segments), strict=True):
        if stamp is not None and starts is not None:
            position = stamp - starts
            if abs(position - exact) > TOLERANCE_MS and position - exact <= LONGEST_HOLE_MS:
                exact = float(max(last, position))
        last = round(exact)
        exact += segment.seconds * 1000
        if own and own[-1].at_ms + own[-1].length_ms > last:
            own[-1] = replace(own[-1], length_ms=last - own[-1].at_ms)
        overlaps = bool(written) and last < end - TOLERANCE_MS
        own.append(Piece(segment.name, last, round(exact) - last, trim=overlaps))
    return own


def _start(segments: Sequence[Segment]) -> int | None:
    """When the first slice began, told by the first start time and the lengths before it."""
    before_ms = 0.0
    for segment, stamp in zip(segments, _clock(segments), strict=True):
        if stamp is not None:
            return stamp - round(before_ms)
        before_ms += segment.seconds * 1000
    return None


def _clock(segments: Sequence[Segment]) -> list[int | None]:
    """The start times; none of them if they came in a burst, as when files were made at once, long after the sound.

    A burst is what would have the slices overlap by half.
    """
    stamped = [(segment.starts_at_ms, segment.seconds) for segment in segments if segment.starts_at_ms is not None]
    if stamped and stamped[-1][0] - stamped[0][0] < sum(seconds for _, seconds in stamped[:-1]) * 1000 / 2:
        return [None] * len(segments)
    return [segment.starts_at_ms for segment in segments]


def _without_repetitions(playlists: Sequence[Sequence[Segment]]) -> Iterator[list[Segment]]:
    seen: set[str] = set()
    for segments in playlists:
        own: list[Segment] = []
        for segment in segments:
            if segment.name not in seen:
                seen.add(segment.name)
                own.append(segment)
        if own:
            yield own
