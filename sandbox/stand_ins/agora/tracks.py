"""One playlist of a recorder with its slices: which are next, how they are cut and named, what the playlist says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.stand_ins.agora.channel import Stream
from sandbox.stand_ins.agora.media import Span

SHORTEST_SECONDS = 0.2


@dataclass(frozen=True)
class Slice:
    """A slice as its playlist names it, and its media."""

    name: str
    seconds: float
    content: bytes = field(repr=False)


@dataclass
class Track:
    """What a recorder makes of a stream. `stem` is the playlist's key without its suffix.

    `zero_ms` is the unix time of the media's first sound, `position` the second up to which it is recorded. `holes`
    gives the seconds in which nothing is recorded, as they are known by now. `peak` is of the slices, in bits a second.
    """

    stem: str
    stream: Stream
    zero_ms: int
    position: float
    holes: Callable[[], Sequence[Span]]
    slices: list[tuple[str, float]] = field(default_factory=list)
    begins_ms: int = 0
    peak: int = 0

    def upcoming(self, longest: float, end: float) -> Span | None:
        """The seconds of the next slice, not beyond `end`; None when nothing is left."""
        return next_span(self.position, end, longest, self.holes())

    def cut(self, start: float, end: float) -> Slice | None:
        """The slice with these seconds, None if the media ended before.

        A uid's slice tells where it truly begins; sound and pictures can be cut only between frames.
        """
        self.position = end
        cut = self.stream.cut(start, end)
        if not cut.content:
            return None
        if not self.stream.mixed:
            start, end = cut.start, cut.end
        if not self.slices:
            self.begins_ms = self.zero_ms + int(start * 1000)
        name = stamped(self.stem, self.zero_ms, start, "ts").rpartition("/")[2]
        self.slices.append((name, end - start))
        self.peak = max(self.peak, int(len(cut.content) * 8 / (end - start)))
        return Slice(name, end - start, cut.content)

    def playlist(self, *, closed: bool, correct_extinf: bool) -> bytes:
        """The m3u8 as it is by now. Agora leaves out the comma of EXTINF unless it is asked to be correct."""
        longest = max(seconds for _, seconds in self.slices)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-ALLOW-CACHE:YES",
            f"#EXT-X-TARGETDURATION:{int(longest) + 1}",
            f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE={self.stream.medium.upper()},TIME={self.begins_ms}",
        ]
        comma = "," if correct_extinf else ""
        for name, seconds in self.slices:
            lines += [f"#EXTINF:{seconds:.6f}{comma}", name]
        if closed:
            lines.append("#EXT-X-ENDLIST")
        return ("\n".join(lines) + "\n").encode()


def next_span(start: float, end: float, longest: float, holes: Sequence[Span]) -> Span | None:
    """What can be recorded in one piece from `start` on; the first hole, of several in order, cuts it at once."""
    stop = end
    for deaf, heard_again in holes:
        if deaf - start >= SHORTEST_SECONDS:
            stop = min(end, deaf)
            break
        start = max(start, heard_again)
    stop = min(stop, start + longest)
    return (start, stop) if stop - start >= SHORTEST_SECONDS else None


def stamped(stem: str, zero_ms: int, second: float, suffix: str) -> str:
    """The key of a file that begins, or was seen, at this second of the media."""
    at = datetime.fromtimestamp(zero_ms / 1000, UTC) + timedelta(seconds=second)
    return f"{stem}_{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}.{suffix}"


def merged_playlist(tracks: Sequence[Track]) -> bytes:
    """One playlist for what there is by now of the audio and the video of a uid, `tracks` with slices.

    Agora documents its name alone. That it is a master playlist (RFC 8216) over both playlists is our assumption.
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
    """A file as Agora lists it; `track` is what is in it, or the first of that."""
    return {
        "fileName": name,
        "trackType": track_type,
        "uid": track.stream.uid,
        "mixedAllUser": track.stream.mixed,
        "isPlayable": True,
        "sliceStartTime": track.begins_ms,
    }
