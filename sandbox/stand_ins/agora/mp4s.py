"""The MP4s of one recorder: a new one begins when the present one has reached its limit."""

from dataclasses import dataclass, field

from sandbox.stand_ins.agora.media import Span
from sandbox.stand_ins.agora.tracks import SHORTEST_SECONDS, Track


@dataclass
class Mp4s:
    """The MP4s of a mix or a page, which `track` holds as segments too.

    `position` is the second of the media with which the present MP4 begins. An MP4 ends after `most_seconds`, or with
    the segment with which it has `most_bytes` (0: any number). The segments are about as large as the MP4. `names` are
    the keys of the MP4s that have ended.

    Source: docs.agora.io/en/cloud-recording/develop/manage-files, "approximately two hours" or "approximately 2 GB".
    """

    track: Track
    position: float
    most_seconds: float
    most_bytes: int
    names: list[str] = field(default_factory=list)
    _bytes: int = 0

    def upcoming(self, longest: float, end: float) -> Span | None:
        """Return the span of the next MP4 that reaches its limit before `end`, None if only the last one is left."""
        if 0 < self.most_bytes <= self._bytes:
            return self.position, self.track.position
        stop = self.position + self.most_seconds
        return (self.position, stop) if stop < end - SHORTEST_SECONDS else None

    def grew(self, size: int) -> None:
        """Count the bytes of another segment."""
        self._bytes += size

    def begin_next(self, position: float) -> str:
        """Begin another MP4 at this second of the media, and return the key of the one that ends there."""
        self.names.append(f"{self.track.stem}_{len(self.names)}.mp4")
        self.position, self._bytes = position, 0
        return self.names[-1]
