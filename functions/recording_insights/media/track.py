"""Tracks: what Agora writes of one uid in individual mode, or what one recorder writes of a mix, read from the bucket.

The track of a uid consists of a playlist and its segments from each recorder. Usually there is one recorder; another
one takes over after a failure (`bak0_`, `bak1_`, …). Agora's backup uploads the files that
a recorder cannot upload at once, with a playlist under another name (`…_<tick>_<index>.m3u8`). Of several such
playlists, the one with the highest index is right.
Source: https://docs.agora.io/en/cloud-recording/develop/manage-files
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

from recording_insights.agora.file_names import AgoraName
from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.hls.playlist import NotAPlaylist, Playlist, Segment, begins_at_ms, parse_playlist
from recording_insights.hls.timeline import TOLERANCE_MS, Timeline, place_segments


class TrackFiles(Protocol):
    """The recordings bucket, as far as tracks need it."""

    def read(self, key: str) -> tuple[bytes, datetime] | None:
        """Return an object and when it was written; None if there is none."""

    def list(self, prefix: str) -> Sequence[StoredFile]:
        """Return every object whose key begins with the prefix; objects in folders below may be left out."""


LARGEST_PLAYLIST = 2 << 20
"""In bytes. A day of segments takes 1 MB. Lines of one letter take 70 times their bytes of a function's memory."""


@dataclass(frozen=True)
class Track:
    """A track as it is in the bucket now; `key` is that of its playlist.

    - `recorders` holds the segments in the best playlist of each recorder, the first recorder first.
    - `closed` tells whether the playlist of the last recorder is closed.
    - `written_at` is when the newest file was written.
    - `segment_keys` maps the names of the segments that are in the bucket to their keys.
    - `continues_at_ms` (unix ms) is 0 for a whole track. For a continuation, `recorders` holds only the segments that
      reach beyond that moment: the earlier ones are processed already.
    """

    key: str
    recorders: Sequence[Sequence[Segment]]
    closed: bool
    written_at: datetime | None = field(compare=False)
    segment_keys: Mapping[str, str]
    continues_at_ms: int = 0

    @classmethod
    def read(cls, key: str, files: TrackFiles, *, continues_at_ms: int = 0) -> "Track":
        """List the files of a track and read its playlists."""
        folder, slash, name = key.rpartition("/")
        own = AgoraName.of_playlist(name)
        listed = [*files.list(key.removesuffix(".m3u8"))]
        if own and own.is_track:
            listed += files.list(f"{folder}{slash}bak")
        return cls.of_listed(listed, key, files, continues_at_ms=continues_at_ms)

    @classmethod
    def of_listed(
        cls, listed: Sequence[StoredFile], key: str, files: TrackFiles, *, continues_at_ms: int = 0
    ) -> "Track":
        """Find the files of a track among listed files and read its playlists."""
        copies, segment_keys, written_at = _sort_out(listed, key)
        playlists = [
            playlist for _, of_one in sorted(copies.items()) if (playlist := _best_of(of_one, files, continues_at_ms))
        ]
        if continues_at_ms:
            # A recorder that ended before the continuation does not tell whether the continuation is complete.
            playlists = [playlist for playlist in playlists if playlist.segments] or playlists
        recorders = [playlist.segments for playlist in playlists]
        closed = bool(playlists) and playlists[-1].closed
        return cls(key, recorders, closed, written_at, segment_keys, continues_at_ms)

    @property
    def timeline(self) -> Timeline:
        """The position of each segment. A segment that began before a continuation is cut where that begins."""
        timeline = place_segments(self.recorders)
        if not self.continues_at_ms:
            return timeline
        if timeline.starts_at_ms is None:
            return replace(timeline, starts_at_ms=self.continues_at_ms)
        processed_ms = self.continues_at_ms - timeline.starts_at_ms
        if processed_ms <= TOLERANCE_MS:
            return timeline
        moved = [
            replace(each, at_ms=each.at_ms - processed_ms, trim=each.trim or each.at_ms < processed_ms)
            for each in timeline.segments
        ]
        return Timeline(self.continues_at_ms, moved)

    @property
    def named(self) -> list[str]:
        """The names of all segments in the playlists, each once."""
        return list(dict.fromkeys(segment.name for segments in self.recorders for segment in segments))

    @property
    def absent(self) -> list[str]:
        """The segments in the playlists that are not in the bucket."""
        return [name for name in self.named if self.key_of(name) is None]

    @property
    def unnamed(self) -> list[str]:
        """The segments in the bucket that are in no playlist, without those that begin before a continuation."""
        named = {self.key_of(name) for name in self.named}
        return [name for name, key in self.segment_keys.items() if key not in named and not self._is_processed(name)]

    def key_of(self, name: str) -> str | None:
        """Return the key of a segment in a playlist, or None if the segment is not in the bucket.

        Agora does not document whether a playlist holds a channel's spaces as they are or URL-encoded.
        """
        return self.segment_keys.get(name) or self.segment_keys.get(unquote(name))

    def _is_processed(self, name: str) -> bool:
        """Return whether a segment begins before a continuation; one without a start time counts as such."""
        return (begins_at_ms(name) or 0) < self.continues_at_ms


def playlist_in(content: bytes) -> Playlist | None:
    """Return the playlist that an object holds; None if the object is no playlist, whatever its key."""
    if len(content) > LARGEST_PLAYLIST:
        return None
    try:
        return parse_playlist(content)
    except NotAPlaylist:
        return None


def beyond(playlist: Playlist, moment_ms: int) -> Playlist:
    """Return the segments that reach beyond a moment (unix ms): all for 0, none if no segment has a start time.

    Twice the tolerance is allowed: the playlist is laid out alone here, and perhaps after another recorder's in a
    track. Each layout may be off by the tolerance.
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


def _sort_out(
    listed: Sequence[StoredFile], key: str
) -> tuple[dict[int, list[StoredFile]], dict[str, str], datetime | None]:
    """Return the copies of each recorder's playlist, the first upload first, the keys of the segments by name, and when
    the newest file was written.
    """
    folder, slash, name = key.rpartition("/")
    own = AgoraName.of_playlist(name)
    channel = own.channel if own else ""
    copies: dict[int, list[StoredFile]] = {}
    segment_keys: dict[str, str] = {}
    written_at = None
    for file in listed:
        parsed = AgoraName.parse(file.name, channel=channel)
        if parsed is None or not _is_of(own, parsed) or file.key != f"{folder}{slash}{file.name}":
            continue
        if parsed.is_playlist:
            copies.setdefault(parsed.recorder, []).append(file)
        else:
            segment_keys[file.name] = file.key
        written_at = max(written_at or file.modified, file.modified)
    for of_one in copies.values():
        of_one.sort(key=lambda file: _upload_order(file, channel))
    return copies, segment_keys, written_at


def _is_of(own: AgoraName | None, name: AgoraName) -> bool:
    """Return whether a file belongs to a track: for a uid from any recorder, for a mix from the same recorder."""
    if own is None or name.stem != own.stem or not (name.is_playlist or name.is_segment):
        return False
    return own.is_track or name.recorder == own.recorder


def _best_of(copies: Sequence[StoredFile], files: TrackFiles, continues_at_ms: int) -> Playlist | None:
    """Return the copy with the most segments, then a closed one, then the last; None if none is a playlist.

    `copies` are in the order of upload. A copy with more segments than a closed one was written after the track
    continued.
    """
    playlists = []
    for file in copies:
        found = files.read(file.key)
        playlist = playlist_in(found[0] if found else b"")
        if playlist is not None:
            playlists.append(beyond(playlist, continues_at_ms))
    return max(reversed(playlists), key=lambda each: (len(each.segments), each.closed), default=None)


def _upload_order(file: StoredFile, channel: str) -> tuple[int, int]:
    name = AgoraName.parse(file.name, channel=channel)
    return (int(name.rest or 0), name.copy or 0) if name else (0, 0)
