"""Snapshots: pictures of a camera at intervals, beside its recording or instead of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.stand_ins.agora.channel import Stream
from sandbox.stand_ins.agora.media import Span, still_jpeg
from sandbox.stand_ins.agora.tracks import stamped


@dataclass
class Snapshots:
    """One picture of a video stream every `interval` seconds of media, the first at second `position`.

    `stem` is the key without time and suffix. `gaps` returns the spans without video, as known by now. That the first
    picture is taken at once is an assumption: Agora documents only the interval.
    """

    stem: str
    stream: Stream
    zero_ms: int
    position: float
    interval: int
    gaps: Callable[[], Sequence[Span]]

    def upcoming(self, longest: float, end: float) -> Span | None:
        """Return the time of the next picture as a span without length, None if it is not before `end`."""
        at = next_seen(self.position, self.interval, self.gaps())
        return None if at is None or at >= end else (at, at)

    def take(self, at: float) -> tuple[str, bytes]:
        """Return the key and the JPEG of the picture at this second."""
        self.position = at + self.interval
        return stamped(self.stem, self.zero_ms, at, "jpg"), still_jpeg(self.stream.media(), at)


def next_seen(position: float, interval: int, gaps: Sequence[Span]) -> float | None:
    """Return the first second that is whole intervals after `position` and in no gap. `gaps` are in order."""
    at = position
    for dark, seen_again in gaps:
        if dark <= at < seen_again:
            if seen_again == math.inf:
                return None
            at = position + math.ceil((seen_again - position) / interval) * interval
    return at
