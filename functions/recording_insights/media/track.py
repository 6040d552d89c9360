"""A track: all that Agora writes of one uid, as it lies in the bucket, or all that one recorder writes of a mix.

That of a uid is a playlist and its slices of each recorder: usually one, another for each that took over after a
failure (`bak0_`, `bak1_`, …). What could not be uploaded at once comes later from Agora's backup, a playlist under a
name of its own (`…_<tick>_<index>.m3u8`), of which the highest index is the good one.
Source: https://docs.agora.io/en/cloud-recording/develop/manage-files
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

from recording_insights.agora.file_names import AgoraName
from recording_insights.hls.playlist import NotAPlaylist, Playlist, Segment, begins_at_ms, parse_playlist
from recording_insights.hls.timeline import TOLERANCE_MS, Timeline, place_segments


@dataclass(frozen=True)
class StoredFile:
    """An object of the bucket and when it was written."""

    key: str
    modified: datetime

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


class TrackFiles(Protocol):
    """The bucket, as far as tracks need it."""

    def read(self, key: str) -> tuple[bytes, datetime] | None:
        """An object and when it was written; None if there is none."""

    def list(self, prefix: str) -> Sequence[StoredFile]:
        """Every object whose key begins so; those of folders further down may be left out."""


@dataclass(frozen=True)
class Track:
    """The track of a playlist's `key`, as it is now.

    `recorders` are the slices that each recorder's best playlist names, the first recorder first; `closed` is whether
    the last of them has ended its playlist; `written_at` is when the newest file came; `slices` are the keys of
    the slices that are there, by name. Of one that `continues_at_ms` (unix ms; 0 if it is the first) only what
    reaches beyond that moment is named: the rest was processed before.
    """

    key: str
    recorders: Sequence[Sequence[Segment]]
    closed: bool
    written_at: datetime | None = field(compare=False)
    slices: Mapping[str, str]
    continues_at_ms: int = 0

    @classmethod
    def look_at(cls, key: str, files: TrackFiles, *, continues_at_ms: int = 0) -> "Track":
        """List what there is of the track and read its playlists."""
        folder, slash, name = key.rpartition("/")
        own = AgoraName.parse(name)
        found = [*files.list(key.removesuffix(".m3u8"))]
        if own and own.is_track:
            found += files.list(f"{folder}{slash}bak")
        return cls.among(found, key, files, continues_at_ms=continues_at_ms)

    @classmethod
    def among(cls, found: Sequence[StoredFile], key: str, files: TrackFiles, *, continues_at_ms: int = 0) -> "Track":
        """The same of files that were listed."""
        folder, slash, name = key.rpartition("/")
        own = AgoraName.parse(name)
        copies: dict[int, list[StoredFile]] = {}
        slices: dict[str, str] = {}
        written_at = None
        for file in found:
            parsed = AgoraName.parse(file.name)
            if parsed is None or not _is_of(own, parsed) or file.key != f"{folder}{slash}{file.name}":
                continue
            if parsed.is_playlist:
                copies.setdefault(parsed.recorder, []).append(file)
            else:
                slices[file.name] = file.key
            written_at = max(written_at or file.modified, file.modified)
        best = [playlist for _, of in sorted(copies.items()) if (playlist := _best_of(of, files, continues_at_ms))]
        if continues_at_ms:
            # One that had its end before says nothing about this one's.
            best = [playlist for playlist in best if playlist.segments] or best
        recorders = [playlist.segments for playlist in best]
        return cls(key, recorders, bool(best) and best[-1].closed, written_at, slices, continues_at_ms)

    @property
    def timeline(self) -> Timeline:
        """Where its slices belong. What began before the moment that it continues at is heard from there on only."""
        timeline = place_segments(self.recorders)
        if not self.continues_at_ms:
            return timeline
        if timeline.starts_at_ms is None:
            return replace(timeline, starts_at_ms=self.continues_at_ms)
        heard = self.continues_at_ms - timeline.starts_at_ms
        if heard <= TOLERANCE_MS:
            return timeline
        moved = [
            replace(each, at_ms=each.at_ms - heard, trim=each.trim or each.at_ms < heard) for each in timeline.segments
        ]
        return Timeline(self.continues_at_ms, moved)

    @property
    def named(self) -> list[str]:
        """Every slice that a playlist names, once."""
        return list(dict.fromkeys(segment.name for segments in self.recorders for segment in segments))

    @property
    def absent(self) -> list[str]:
        """Those that are not there."""
        return [name for name in self.named if self.slice_key(name) is None]

    @property
    def unnamed(self) -> list[str]:
        """Those that are there, but in no playlist."""
        named = {self.slice_key(name) for name in self.named}
        return [name for name, key in self.slices.items() if key not in named and not self._is_before(name)]

    def slice_key(self, name: str) -> str | None:
        """The key of a slice that a playlist names, None if it is not there.

        Nobody tells whether Agora writes a channel's spaces as they are or as a link has them.
        """
        return self.slices.get(name) or self.slices.get(unquote(name))

    def _is_before(self, name: str) -> bool:
        """Whether a slice begins before the moment that the track continues at, or does not tell."""
        return (begins_at_ms(name) or 0) < self.continues_at_ms


def _is_of(own: AgoraName | None, name: AgoraName) -> bool:
    """Whether a file is a playlist or a slice of a track: of a uid's whoever wrote it, of a mix its recorder's own."""
    if own is None or name.stem != own.stem or not (name.is_playlist or name.is_slice):
        return False
    return own.is_track or name.recorder == own.recorder


def beyond(playlist: Playlist, moment_ms: int) -> Playlist:
    """What of a playlist reaches beyond a moment (unix ms): all of it beyond 0, nothing where no clock tells.

    Here it is laid out alone, then perhaps behind another recorder's: each may be off by the tolerance.
    """
    if not moment_ms:
        return playlist
    timeline = place_segments([playlist.segments])
    starts = timeline.starts_at_ms
    later = {
        segment.name
        for segment in timeline.segments
        if starts is not None and starts + segment.at_ms + segment.length_ms > moment_ms + 2 * TOLERANCE_MS
    }
    return replace(playlist, segments=[segment for segment in playlist.segments if segment.name in later])


def _best_of(copies: Sequence[StoredFile], files: TrackFiles, continues_at_ms: int) -> Playlist | None:
    """The copy that names most, then a closed one, then the last; None if none of them is a playlist.

    One that names more than a closed one was written when the track went on.
    """
    playlists = []
    for file in sorted(copies, key=_order):
        content = files.read(file.key)
        try:
            playlists.append(beyond(parse_playlist(content[0] if content else b""), continues_at_ms))
        except NotAPlaylist:
            continue
    return max(reversed(playlists), key=lambda each: (len(each.segments), each.closed), default=None)


def _order(file: StoredFile) -> tuple[int, int]:
    name = AgoraName.parse(file.name)
    return (int(name.rest or 0), name.copy or 0) if name else (0, 0)
