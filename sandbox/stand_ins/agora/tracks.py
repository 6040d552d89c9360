"""One playlist of a recorder with its segments: their times, their names, and the content of the playlist."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.stand_ins.agora.channel import Stream
from sandbox.stand_ins.agora.media import Span

SHORTEST_SECONDS = 0.2


@dataclass(frozen=True)
class Segment:
    """A segment: its name in the playlist, its length, and its media."""

    name: str
    seconds: float
    content: bytes = field(repr=False)


@dataclass
class Track:
    """The segments of one stream. `stem` is the key of the playlist without its suffix.

    `zero_ms` is the unix time of the media's first sound, `position` the second up to which it is recorded. `gaps`
    returns the spans in which nothing is recorded, as known by now. `peak` is the highest bit rate of a segment.
    `stamps_unix_ms`: the names of the segments have their beginning in unix ms instead of a date and a time.
    """

    stem: str
    stream: Stream
    zero_ms: int
    position: float
    gaps: Callable[[], Sequence[Span]]
    stamps_unix_ms: bool = False
    segments: list[tuple[str, float]] = field(default_factory=list)
    begins_ms: int = 0
    peak: int = 0

    def upcoming(self, longest: float, end: float) -> Span | None:
        """Return the span of the next segment, not beyond `end`; None if nothing is left."""
        return next_span(self.position, end, longest, self.gaps())

    def cut(self, start: float, end: float) -> Segment | None:
        """Cut the segment of these seconds; None if the media ended before.

        The name of a uid's segment has its true beginning: media can be cut only between frames.
        """
        self.position = end
        cut = self.stream.cut(start, end)
        if not cut.content:
            return None
        if not self.stream.mixed:
            start, end = cut.start, cut.end
        if not self.segments:
            self.begins_ms = self.zero_ms + int(start * 1000)
        name = self._key_at(start).rpartition("/")[2]
        self.segments.append((name, end - start))
        self.peak = max(self.peak, int(len(cut.content) * 8 / (end - start)))
        return Segment(name, end - start, cut.content)

    def _key_at(self, start: float) -> str:
        if self.stamps_unix_ms:
            return f"{self.stem}_{self.zero_ms + int(start * 1000)}.ts"
        return stamped(self.stem, self.zero_ms, start, "ts")

    def playlist(self, *, closed: bool, correct_extinf: bool) -> bytes:
        """Return the present m3u8. Agora leaves out the comma of EXTINF unless a start requests correct lines."""
        longest = max(seconds for _, seconds in self.segments)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-ALLOW-CACHE:YES",
            f"#EXT-X-TARGETDURATION:{int(longest) + 1}",
        ]
        for medium in self.stream.medium.upper().split("_AND_"):
            lines.append(f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE={medium},TIME={self.begins_ms}")
        comma = "," if correct_extinf else ""
        for name, seconds in self.segments:
            lines += [f"#EXTINF:{seconds:.6f}{comma}", name]
        if closed:
            lines.append("#EXT-X-ENDLIST")
        return ("\n".join(lines) + "\n").encode()


def next_span(start: float, end: float, longest: float, gaps: Sequence[Span]) -> Span | None:
    """Return the next span that can be recorded in one piece from `start` on. `gaps` are in order."""
    stop = end
    for gap_start, gap_end in gaps:
        if gap_start - start >= SHORTEST_SECONDS:
            stop = min(end, gap_start)
            break
        start = max(start, gap_end)
    stop = min(stop, start + longest)
    return (start, stop) if stop - start >= SHORTEST_SECONDS else None


def stamped(stem: str, zero_ms: int, second: float, suffix: str) -> str:
    """Return the key of a file that begins at this second of the media."""
    at = datetime.fromtimestamp(zero_ms / 1000, UTC) + timedelta(seconds=second)
    return f"{stem}_{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}.{suffix}"


def merged_playlist(tracks: Sequence[Track]) -> bytes:
    """Return one playlist for audio and video of a uid. Each of the `tracks` has segments.

    Agora documents only its name. That it is a master playlist (RFC 8216) of both playlists is our assumption.
    """
    names = {track.stream.medium: f"{track.stem}.m3u8".rpartition("/")[2] for track in tracks}
    described = f"BANDWIDTH={sum(track.peak for track in tracks)}"
    lines = ["#EXTM3U", "#EXT-X-VERSION:4"]
    if len(names) == 2:
        sound = 'TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES'
        lines.append(f'#EXT-X-MEDIA:{sound},URI="{names["audio"]}"')
        described += ',AUDIO="audio"'
    lines += [f"#EXT-X-STREAM-INF:{described}", names.get("video") or names["audio"]]
    return ("\n".join(lines) + "\n").encode()


def listed(name: str, track_type: str, track: Track) -> dict[str, Any]:
    """Return a file as Agora lists it. `track` is its content, or the first track in it."""
    return {
        "fileName": name,
        "trackType": track_type,
        "uid": track.stream.uid,
        "mixedAllUser": track.stream.mixed,
        "isPlayable": True,
        "sliceStartTime": track.begins_ms,
    }
