"""The position of each segment in a track.

Agora does not record a muted uid, so segments joined end to end would move all later speech to an earlier time. The
start time of each segment gives its true position. A recorder that takes over after a failure writes segments of its
own, which can repeat audio of the recorder before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recording_insights.hls.playlist import Segment

TOLERANCE_MS = 100
"""Start times count only where they differ by more than this from the sum of the lengths."""

LONGEST_GAP_MS = 24 * 3600 * 1000
"""A start time further ahead is ignored. A recording ends with its token, after 24 hours at the latest."""


@dataclass(frozen=True)
class PlacedSegment:
    """A segment's position in the track, from the track's first segment on, and its length, in ms.

    `trim`: the segment begins before the end of an earlier recorder's segments. The part before that end is dropped.
    """

    name: str
    at_ms: int
    length_ms: int
    trim: bool


@dataclass(frozen=True)
class Timeline:
    """The segments of a track in order.

    `starts_at_ms` is the time of the first segment (unix ms, UTC), or None if no segment has a usable start time.
    """

    starts_at_ms: int | None
    segments: Sequence[PlacedSegment]


def place_segments(playlists: Sequence[Sequence[Segment]]) -> Timeline:
    """Build the timeline of a track from the segments of each recorder, the first recorder first.

    A segment follows the previous one of its recorder, unless its start time differs from that by more than
    TOLERANCE_MS. Then its start time counts, so that small errors do not add up. A segment never begins before the
    previous one. A name that occurs twice is placed once.
    """
    recorders = list(_without_duplicates(playlists))
    starts_at_ms = _starts_at_ms(recorders[0]) if recorders else None
    placed: list[PlacedSegment] = []
    for recorder in recorders:
        placed += _place_recorder(placed, recorder, starts_at_ms)
    return Timeline(starts_at_ms, placed)


def _place_recorder(
    earlier: Sequence[PlacedSegment], segments: Sequence[Segment], starts_at_ms: int | None
) -> list[PlacedSegment]:
    """Place the segments of one recorder after those of the earlier recorders, or over their end."""
    end = max((segment.at_ms + segment.length_ms for segment in earlier), default=0)
    placed: list[PlacedSegment] = []
    at_ms, exact_ms = 0, float(end)
    for segment, start_time in zip(segments, _start_times(segments), strict=True):
        if start_time is not None and starts_at_ms is not None:
            by_clock_ms = start_time - starts_at_ms
            if abs(by_clock_ms - exact_ms) > TOLERANCE_MS and by_clock_ms - exact_ms <= LONGEST_GAP_MS:
                exact_ms = float(max(at_ms, by_clock_ms))
        at_ms = round(exact_ms)
        exact_ms += segment.seconds * 1000
        if placed and placed[-1].at_ms + placed[-1].length_ms > at_ms:
            placed[-1] = replace(placed[-1], length_ms=at_ms - placed[-1].at_ms)
        overlaps = bool(earlier) and at_ms < end - TOLERANCE_MS
        placed.append(PlacedSegment(segment.name, at_ms, round(exact_ms) - at_ms, trim=overlaps))
    return placed


def _starts_at_ms(segments: Sequence[Segment]) -> int | None:
    """Return when the first segment began: the first start time minus the lengths of the segments before it."""
    before_ms = 0.0
    for segment, start_time in zip(segments, _start_times(segments), strict=True):
        if start_time is not None:
            return start_time - round(before_ms)
        before_ms += segment.seconds * 1000
    return None


def _start_times(segments: Sequence[Segment]) -> list[int | None]:
    """Return the start times, or only None if they are so close that the segments would overlap by half.

    Such start times are those of a tool that wrote all files at once, long after the audio was recorded.
    """
    known = [(segment.starts_at_ms, segment.seconds) for segment in segments if segment.starts_at_ms is not None]
    if known and known[-1][0] - known[0][0] < sum(seconds for _, seconds in known[:-1]) * 1000 / 2:
        return [None] * len(segments)
    return [segment.starts_at_ms for segment in segments]


def _without_duplicates(playlists: Sequence[Sequence[Segment]]) -> Iterator[list[Segment]]:
    seen: set[str] = set()
    for segments in playlists:
        own: list[Segment] = []
        for segment in segments:
            if segment.name not in seen:
                seen.add(segment.name)
                own.append(segment)
        if own:
            yield own
