"""A track: all that Agora writes of one uid, as it lies in the bucket.

That is a playlist and its slices of each recorder: usually one, another for each that took over after a failure
(`bak0_`, `bak1_`, …). What could not be uploaded at once comes later from Agora's backup, a playlist under a name of
its own (`…_<tick>_<index>.m3u8`), of which the highest index is the good one.
Source: https://docs.agora.io/en/cloud-recording/develop/manage-files
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

from recording_insights.agora.file_names import AgoraName
from recording_insights.hls.playlist import NotAPlaylist, Playlist, Segment, parse_playlist

_SLICES = (".ts", ".webm")


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
    the slices that are there, by name.
    """

    key: str
    recorders: Sequence[Sequence[Segment]]
    closed: bool
    written_at: datetime | None
    slices: Mapping[str, str]

    @classmethod
    def look_at(cls, key: str, files: TrackFiles) -> "Track":
        """List what there is of the track and read its playlists."""
        folder, slash, name = key.rpartition("/")
        own = name.removesuffix(".m3u8")
        found = [*files.list(f"{folder}{slash}{own}"), *files.list(f"{folder}{slash}bak")]
        copies: dict[int, list[StoredFile]] = {}
        slices: dict[str, str] = {}
        written_at = None
        for file in found:
            parsed = AgoraName.parse(file.name)
            if parsed is None or parsed.track != own or file.key != f"{folder}{slash}{file.name}":
                continue
            if parsed.is_track:
                copies.setdefault(parsed.recorder, []).append(file)
            else:
                slices[file.name] = file.key
            written_at = max(written_at or file.modified, file.modified)
        best = [playlist for _, of in sorted(copies.items()) if (playlist := _best_of(of, files))]
        return cls(key, [playlist.segments for playlist in best], bool(best) and best[-1].closed, written_at, slices)

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
        return [name for name, key in self.slices.items() if name.endswith(_SLICES) and key not in named]

    def slice_key(self, name: str) -> str | None:
        """The key of a slice that a playlist names, None if it is not there.

        Nobody tells whether Agora writes a channel's spaces as they are or as a link has them.
        """
        return self.slices.get(name) or self.slices.get(unquote(name))


def _best_of(copies: Sequence[StoredFile], files: TrackFiles) -> Playlist | None:
    """The closed one, then the longest, then the last copy; None if none of them is a playlist."""
    playlists = []
    for file in sorted(copies, key=_order):
        content = files.read(file.key)
        try:
            playlists.append(parse_playlist(content[0] if content else b""))
        except NotAPlaylist:
            continue
    return max(reversed(playlists), key=lambda each: (each.closed, len(each.segments)), default=None)


def _order(file: StoredFile) -> tuple[int, int]:
    name = AgoraName.parse(file.name)
    return (int(name.rest or 0), name.copy or 0) if name else (0, 0)
