"""The file that is prepared from a track, and what the media object's row says of it."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from recording_insights.hls.timeline import PlacedSegment
from recording_insights.media.track import Track, TrackFiles
from recording_insights.media.track_gaps import what_is_left_out, what_is_missing
from recording_insights.model.media_object import PREPARED
from recording_insights.model.reasons import NO_REASON, because
from recording_insights.store.rows import MediaChanges, MediaRow

if TYPE_CHECKING:
    from recording_insights.hls.remux.remux import Prepared

LONGEST_MS = 72 * 3600 * 1000
"""Three days. A playlist may claim any length, and missing segments are filled with silence."""
_HOUR_MS = 3_600_000

Remux = Callable[[Sequence[PlacedSegment], Callable[[str], bytes | None], Path], "Prepared"]
"""`hls.remux.remux`: writes the segments to a file; the second argument reads a segment by its name."""


class TrackFolder(TrackFiles, Protocol):
    """The recordings bucket, where the prepared file is stored too."""

    def keep(self, key: str, file: Path) -> tuple[str, int]:
        """Store a file and return its etag and its size in bytes."""


@dataclass(frozen=True)
class FilePreparation:
    """Makes one file of a track's segments and stores it in the recordings bucket."""

    folder: TrackFolder
    remux: Remux

    def conclude(self, track: Track, row: MediaRow, now: str) -> MediaChanges:
        """Prepare the file, and return what changes in the row: the prepared file, or why there is none.

        `ends_at_ms` (unix ms) is where the processed part of the track ends; what follows is a continuation. It is None
        if no segment has a start time.
        """
        from recording_insights.hls.remux.remux import NoAudio

        if not track.named:
            return _without_segments(track, now)
        timeline = track.timeline
        length_ms = max(segment.at_ms + segment.length_ms for segment in timeline.segments)
        if length_ms > LONGEST_MS:
            return _failed(
                "too_large",
                f"its playlists claim {length_ms // _HOUR_MS} hours; the limit is {LONGEST_MS // _HOUR_MS}",
                now,
            )
        ends_at_ms = None if timeline.starts_at_ms is None else timeline.starts_at_ms + length_ms
        try:
            prepared = self._prepare(track, timeline.segments, _key_of(row))
        except NoAudio as error:
            return {**_failed("no_sound", f"the track holds no sound: {error}", now), "ends_at_ms": ends_at_ms}
        waiting = cast(MediaChanges, {"status": "waiting", "waiting_since": now, **NO_REASON})
        return {**waiting, **prepared, "starts_at_ms": timeline.starts_at_ms, "ends_at_ms": ends_at_ms}

    def _prepare(self, track: Track, segments: Sequence[PlacedSegment], key: str) -> MediaChanges:
        """Make the file, store it under the key, and return what the row says of it."""

        def read(name: str) -> bytes | None:
            segment_key = track.key_of(name)
            found = self.folder.read(segment_key) if segment_key else None
            return found[0] if found else None

        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "track.mp4"
            prepared = self.remux(segments, read, file)
            etag, size = self.folder.keep(key, file)
        return {
            "prepared": {"key": key, "etag": etag, "size": size},
            "duration_ms": prepared.duration_ms,
            "silent_ms": prepared.silent_ms,
            "incomplete": what_is_left_out(track, prepared.lost),
        }


def _without_segments(track: Track, now: str) -> MediaChanges:
    """Return what changes in the row of a track whose playlists name no segment."""
    ends_at_ms = track.continues_at_ms
    if not track.recorders or track.unnamed:
        return {**_failed("files_incomplete", what_is_missing(track) or "", now), "ends_at_ms": ends_at_ms}
    recorded = "nothing more of this uid was recorded" if track.continues_at_ms else "nothing of this uid was recorded"
    why = because("preparation", "nothing_recorded", f"{recorded}: its playlist names no segment")
    empty = {"status": "done", "finished_at": now, "empty": True, "counts": {}, "ends_at_ms": ends_at_ms}
    return cast(MediaChanges, {**empty, **why})


def _failed(code: str, reason: str, now: str) -> MediaChanges:
    return cast(MediaChanges, {"status": "failed", "finished_at": now, **because("preparation", code, reason)})


def _key_of(row: MediaRow) -> str:
    name = f"uid-{row['uid'][:20]}" if "uid" in row else f"part-{row['part']}"
    return f"{PREPARED}{row['recording_id']}/{name}-{row['media_id']}.mp4"
