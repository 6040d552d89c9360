"""One recorder, and the files it writes: segments and playlists, snapshots, MP4s. A fail-over creates another one."""

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.stand_ins.agora import notifications as events
from sandbox.stand_ins.agora.channel import Channel, Stream
from sandbox.stand_ins.agora.media import Span, part_mp4
from sandbox.stand_ins.agora.mp4s import Mp4s
from sandbox.stand_ins.agora.notifications import Notifications
from sandbox.stand_ins.agora.page import Page
from sandbox.stand_ins.agora.snapshots import Snapshots, next_seen
from sandbox.stand_ins.agora.tracks import Track, listed, merged_playlist, next_span
from sandbox.stand_ins.agora.uploads import Uploads

_DEFAULT_INTERVAL = 10
_AV, _BOTH = "av", "audio_and_video"
_MP4_MINUTES = 120
"""Length of an MP4 of a mix. A page has its own."""

Source = Track | Snapshots | Mp4s
"""What a recorder records piece by piece."""

Gaps = Callable[[Stream], Sequence[Span]]
"""Returns the spans in which nothing of a stream is recorded, as known by now, in order."""


@dataclass(frozen=True)
class RequestedFiles:
    """The files that a start requests. `merged` are playlists of audio and video of a uid together.

    An MP4 has at most `mp4_minutes`. Each camera gets a snapshot every `snapshot_seconds` of media, with None no
    snapshots.
    """

    playlists: bool = True
    mp4s: bool = False
    mp4_minutes: int = _MP4_MINUTES
    merged: bool = False
    snapshot_seconds: int | None = None
    correct_extinf: bool = False

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "RequestedFiles":
        """Read a start's clientRequest. snapshotConfig alone requests snapshots only."""
        config, snapshots, page = request.get("recordingConfig", {}), request.get("snapshotConfig"), Page.of(request)
        return cls(
            playlists=snapshots is None or "recordingFileConfig" in request,
            mp4s="mp4" in request.get("recordingFileConfig", {}).get("avFileType", []),
            mp4_minutes=page.mp4_minutes if page else _MP4_MINUTES,
            merged=config.get("streamMode") == "standard",
            snapshot_seconds=None if snapshots is None else snapshots.get("captureInterval", _DEFAULT_INTERVAL),
            correct_extinf=wants_correct_extinf(config.get("privateParams")),
        )

    def any_from(self, stream: Stream, seconds: float, gaps: Sequence[Span]) -> bool:
        """Whether this number of seconds of a stream produces any file."""
        if self.playlists and next_span(0.0, seconds, math.inf, gaps):
            return True
        if not self.snapshot_seconds or stream.medium != "video":
            return False
        seen = next_seen(0.0, self.snapshot_seconds, gaps)
        return seen is not None and seen < seconds


@dataclass
class Recorder:
    """Records all streams of the channel from second `begins` of the media on. Second 0 is `zero_ms` (unix time).

    At second `ends` it dies, and loses what it has not uploaded.
    The keys of its files begin with `name`. `stamps_unix_ms` is that of its tracks.
    """

    name: str
    channel: Channel
    requested_files: RequestedFiles
    gaps: Gaps
    zero_ms: int
    begins: float
    uploads: Uploads
    notifications: Notifications
    stamps_unix_ms: bool = False
    ends: float = math.inf

    def __post_init__(self) -> None:
        streams = self.channel.streams
        self._tracks = [self._track(stream) for stream in streams if self.requested_files.playlists]
        interval, cameras = self.requested_files.snapshot_seconds, [each for each in streams if each.medium == "video"]
        self._snapshots = [self._snapshots_of(camera, interval) for camera in cameras] if interval else []
        self._mp4s = [self._mp4s_of(track) for track in self._tracks] if self.requested_files.mp4s else []
        self._sources: Sequence[Source] = [*self._tracks, *self._snapshots, *self._mp4s]
        self._snapshots_taken = 0
        self._playlist_announced = False

    @property
    def wrote(self) -> bool:
        """Whether it has written any file."""
        return self._snapshots_taken > 0 or any(track.segments for track in self._tracks)

    @property
    def files(self) -> list[dict[str, Any]]:
        """The written playlists, then the MP4s, as Agora lists them."""
        written = [track for track in self._tracks if track.segments]
        files = [listed(f"{track.stem}.m3u8", track.stream.medium, track) for track in written]
        if self.requested_files.merged:
            firsts = {track.stream.uid: track for track in reversed(written)}
            merged = [track for track in written if track is firsts[track.stream.uid]]
            files += [listed(f"{self._stem(track.stream.uid, _AV)}.m3u8", _BOTH, track) for track in merged]
        return files + [
            listed(name, mp4s.track.stream.medium, mp4s.track) for mp4s in self._mp4s for name in mp4s.names
        ]

    def upcoming(self, end: float) -> tuple[Source, Span] | None:
        """Return the source whose next piece is complete first, and its span; None if that is after second `end`."""
        longest, last = self.channel.slice_seconds, self.channel.seconds
        spans = [(source, source.upcoming(longest, last)) for source in self._sources]
        whole = [(source, span) for source, span in spans if span and span[1] <= min(end, self.ends)]
        return min(whole, key=lambda piece: piece[1][1], default=None)

    def record(self, source: Source, span: Span) -> None:
        """Upload a segment, a snapshot, or an MP4 that has reached its limit."""
        with self.uploads.at(span[1]):
            if isinstance(source, Track):
                self._upload_segment(source, *span)
            elif isinstance(source, Mp4s):
                self._upload_mp4(source, *span)
            else:
                self._upload_snapshot(source, span[0])

    def record_rest(self, end: float) -> None:
        """Record the rest until this second, in segments of any length."""
        for source in self._sources:
            while span := source.upcoming(self.channel.slice_seconds, end):
                self.record(source, span)

    def close(self) -> None:
        """Close the playlists and upload the last MP4."""
        written = [track for track in self._tracks if track.segments]
        for track in written:
            self._upload_playlist(track, closed=True)
        for mp4s in self._mp4s:
            if mp4s.track in written and mp4s.position < mp4s.track.position:
                self._upload_mp4(mp4s, mp4s.position, mp4s.track.position)

    def _stem(self, uid: str, kind: str) -> str:
        return f"{self.name}__uid_s_{uid}__uid_e_{kind}"

    def _track(self, stream: Stream) -> Track:
        stem = self.name if stream.mixed else self._stem(stream.uid, stream.medium)
        return Track(stem, stream, self.zero_ms, self.begins, partial(self.gaps, stream), self.stamps_unix_ms)

    def _snapshots_of(self, camera: Stream, interval: int) -> Snapshots:
        stem = self._stem(camera.uid, camera.medium)
        return Snapshots(stem, camera, self.zero_ms, self.begins, interval, partial(self.gaps, camera))

    def _mp4s_of(self, track: Track) -> Mp4s:
        most_seconds = self.channel.mp4_seconds(self.begins, self.requested_files.mp4_minutes)
        return Mp4s(track, self.begins, most_seconds, self.channel.dials.mp4_bytes)

    def _upload_segment(self, track: Track, start: float, end: float) -> None:
        if (piece := track.cut(start, end)) is None:
            return
        self.uploads.put_segment(track.stem, len(track.segments) - 1, piece.name, piece.content)
        for mp4s in self._mp4s:
            mp4s.grew(len(piece.content))
        self._upload_playlist(track, closed=False)
        if self.requested_files.merged and len(track.segments) == 1:
            self._upload_merged(track.stream.uid)

    def _upload_snapshot(self, camera: Snapshots, at: float) -> None:
        key, content = camera.take(at)
        self._snapshots_taken += 1
        if self.uploads.put_picture(key, content):
            self.notifications.notify(events.SNAPSHOT, fileName=key)

    def _upload_playlist(self, track: Track, *, closed: bool) -> None:
        content = track.playlist(closed=closed, correct_extinf=self.requested_files.correct_extinf)
        taken = self.uploads.put_playlist(track.stem, content, closed=closed)
        if taken and not self._playlist_announced:
            self._playlist_announced = True
            self.notifications.notify(events.FIRST_PLAYLIST, fileList=f"{track.stem}.m3u8")

    def _upload_merged(self, uid: str) -> None:
        tracks = [track for track in self._tracks if track.stream.uid == uid and track.segments]
        self.uploads.put_playlist(self._stem(uid, _AV), merged_playlist(tracks), closed=False)

    def _upload_mp4(self, mp4s: Mp4s, start: float, end: float) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "part.mp4"
            part_mp4(mp4s.track.stream.media(), start, end, file, media=mp4s.track.stream.medium)
            self.uploads.put_mp4(mp4s.begin_next(end), file)


def wants_correct_extinf(private_params: str | None) -> bool:
    """Whether `privateParams`, JSON in a string, requests standard EXTINF lines in playlists."""
    try:
        params = json.loads(private_params or "{}")
    except ValueError:
        return False
    return isinstance(params, dict) and params.get("correctEXTINF") is True
