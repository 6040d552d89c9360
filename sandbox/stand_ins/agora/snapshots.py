"""Pictures of a camera, taken now and then while it is recorded, or instead of that."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.stand_ins.agora.channel import Stream
from sandbox.stand_ins.agora.media import Span, still_jpeg
from sandbox.stand_ins.agora.tracks import stamped


@dataclass
class Snapshots:
    """One picture of a video stream every `interval` seconds of media, the first of them at second `position`.

    `stem` is the pictures' key without time and suffix; `holes` gives the seconds in which nothing is seen, as they are
    known by now. That the first picture is taken at once is an assumption: Agora gives the interval alone.
    """

    stem: str
    stream: Stream
    zero_ms: int
    position: float
    interval: int
    holes: Callable[[], Sequence[Span]]

    def upcoming(self, longest: float, end: float) -> Span | None:
        """When the next picture is taken, as a span without length; None if that is not before `end`."""
        at = next_seen(self.position, self.interval, self.holes())
        return None if at is None or at >= end else (at, at)

    def take(self, at: float) -> tuple[str, bytes]:
        """The key and the JPEG of what is seen at this second."""
        self.position = at + self.interval
        return stamped(self.stem, self.zero_ms, at, "jpg"), still_jpeg(self.stream.media(), at)


def next_seen(position: float, interval: int, holes: Sequence[Span]) -> float | None:
    """The first of the seconds `position` and whole intervals later that lies in no hole, of several in order."""
    at = position
    for dark, seen_again in holes:
        if dark <= at < seen_again:
            if seen_again == math.inf:
                return None
            at = position + math.ceil((seen_again - position) / interval) * interval
    return at
