"""Prepare media: wait until all of a track is in the bucket, then make one file of it that providers take.

So it does with what a recorder's slices hold beyond its MP4s.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from recording_insights.hls.playlist import NotAPlaylist, parse_playlist
from recording_insights.hls.timeline import PlacedSegment
from recording_insights.media.track import Track, TrackFiles
from recording_insights.model.media_object import PREPARED
from recording_insights.processing.progress import Progress
from recording_insights.providers.pacing import GROWTH, LONGEST_WAIT, SHORTEST_WAIT
from recording_insights.store.expressions import utc_text
from recording_insights.store.media import MediaStore

if TYPE_CHECKING:
    from recording_insights.hls.remux.remux import Prepared

SILENT = timedelta(hours=24)
"""A recording of which nobody tells the end is over when nothing was written for so long: Agora's longest silence."""
LONGEST_MS = 72 * 3600 * 1000
"""Three days: a playlist may claim any length, and what never came is filled with silence."""
BUSY = timedelta(minutes=3)
"""A playlist that was written since then is being written: nothing else needs a look."""
LEAST_GROWTH = 0.01
"""Of the time since the first look: files may come every few seconds for days, and a history has 25,000 events."""
LONGEST_NAME = 200

Remux = Callable[[Sequence[PlacedSegment], Callable[[str], bytes | None], Path], "Prepared"]


class TrackFolder(TrackFiles, Protocol):
    """The bucket, where the prepared file is kept as well."""

    def keep(self, key: str, file: Path) -> tuple[str, int]:
        """Store a file; its etag and its size in bytes."""


def prepare_media(
    progress: Progress,
    *,
    store: MediaStore,
    folder: TrackFolder,
    remux: Remux,
    late_minutes: int,
    now: Callable[[], datetime],
) -> Progress:
    """Look at the track; when it is whole, or nothing more of it came for `late_minutes`, prepare it.

    While it is recorded the looks become rarer, as polls do. What never came is left out, keeps its length, and is
    named on the row. A track of which nothing was recorded ends as empty, one that holds no sound as failed. What came
    while the file was made is looked at once more: nobody else would begin it.
    """
    recording_id, media_id = progress.recording_id, progress.media_id
    made_of, changes = None, dict[str, Any]()
    while True:
        item = store.get(recording_id, media_id)
        if item["status"] not in ("waiting", "preparing") or "prepared" in item:
            return _goes_on(progress, item, store)
        recording = store.recording(recording_id)
        ended = recording.get("complete_at") or recording.get("stopped_at")
        if not ended and _is_being_written(str(item["key"]), folder, now()):
            since = str(item["waiting_since"])
            return _look_again(progress, item, store, now(), "it is being recorded", since=since)
        # News before this write is in what the look finds; news after it keeps the conclusion from being written.
        store.note(recording_id, media_id, being_made=(run := uuid4().hex), went_on=None)
        track = Track.look_at(str(item["key"]), folder, continues_at_ms=int(item.get("continues_at_ms", 0)))
        if waits := _waits(progress, item, track, recording, store=store, late_minutes=late_minutes, now=now()):
            return waits
        if track != made_of:
            made_of, changes = track, _conclusion(track, item, store.timestamp, folder, remux)
        if store.conclude(recording_id, media_id, run, **changes):
            return _goes_on(progress, changes, store)


def _goes_on(progress: Progress, concluded: Mapping[str, Any], store: MediaStore) -> Progress:
    """Where a media object leads that needs no more looks."""
    store.settle_recording(progress.recording_id)
    if concluded.get("empty") or concluded["status"] == "failed":
        return progress.end("empty" if "empty" in concluded else "failed", str(concluded.get("reason", "")))
    return progress.restart("submit")


def _is_being_written(key: str, folder: TrackFolder, now: datetime) -> bool:
    """Whether the first recorder's playlist goes on; one GET, where all of the track would be several."""
    found = folder.read(key)
    if found is None or now - found[1] > BUSY:
        return False
    try:
        return not parse_playlist(found[0]).closed
    except NotAPlaylist:
        return False


def _waits(
    progress: Progress,
    item: Mapping[str, Any],
    track: Track,
    recording: Mapping[str, Any],
    *,
    store: MediaStore,
    late_minutes: int,
    now: datetime,
) -> Progress | None:
    """When to look again for what is missing; None if nothing is, or if it was waited for long enough."""
    wanting = _wanting(track)
    if wanting is None:
        return None
    ended = recording.get("complete_at") or recording.get("stopped_at")
    since = _quiet_since(track, ended) or str(item["arrived_at"])
    if since != item.get("quiet_since"):
        progress = progress.restart("prepare")
        store.note(progress.recording_id, progress.media_id, quiet_since=since)
    goes_on = bool(track.recorders) and not track.closed and not ended
    patience = SILENT if goes_on else timedelta(minutes=late_minutes)
    is_quiet = progress.elapsed_seconds(since, now) >= patience.total_seconds()
    if is_quiet or _is_complete(track, recording):
        return None
    return _look_again(progress, item, store, now, wanting, since=since)


def _wanting(track: Track) -> str | None:
    """What is still missing of a track, in words; None if it is whole."""
    if not track.recorders:
        return "none of its playlists can be read: the first line of one is #EXTM3U"
    if not track.named and track.unnamed:
        return _not_named(track)
    if not track.closed:
        return "its playlist was not closed"
    if absent := track.absent:
        return f"{len(absent)} of {len(track.named)} slices did not come, such as {_short(absent[0])}"
    return None


def _not_named(track: Track) -> str:
    return f"slices that no playlist names: {len(track.unnamed)}, such as {_short(track.unnamed[0])}"


def _short(name: str) -> str:
    """A playlist may name what no key can be."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def _is_complete(track: Track, recording: Mapping[str, Any]) -> bool:
    """Whether nothing more is expected; who says so is mistaken if something came all the same."""
    complete_at = recording.get("complete_at")
    if complete_at is None:
        return False
    return track.written_at is None or track.written_at <= datetime.fromisoformat(str(complete_at))


def _quiet_since(track: Track, ended: Any) -> str | None:
    """When the newest file came, or the recording ended if that was later."""
    moments = [track.written_at] if track.written_at else []
    moments += [datetime.fromisoformat(str(ended))] if ended else []
    return utc_text(max(moments)) if moments else None


def _look_again(
    progress: Progress, item: Mapping[str, Any], store: MediaStore, now: datetime, reason: str, *, since: str
) -> Progress:
    quiet = progress.elapsed_seconds(since, now)
    arrived = (now - datetime.fromisoformat(str(item["waiting_since"]))).total_seconds()
    seconds = round(min(max(quiet * GROWTH, arrived * LEAST_GROWTH, SHORTEST_WAIT), LONGEST_WAIT))
    waits = {"status": "preparing", "reason": f"waits for files: {reason}", "being_made": None, "went_on": None}
    store.note(progress.recording_id, progress.media_id, **waits)
    if item["status"] == "waiting":
        store.settle_recording(progress.recording_id)
    return progress.wait(seconds)


def _conclusion(track: Track, item: Mapping[str, Any], now: str, folder: TrackFolder, remux: Remux) -> dict[str, Any]:
    """What the row gets to know of the track: the prepared file, or why there is none.

    `ends_at_ms` (unix ms) is up to where the track was processed, None where no clock tells: what reaches beyond it
    is a continuation.
    """
    from recording_insights.hls.remux.remux import NoAudio

    if not track.named:
        nothing: dict[str, Any] = {"finished_at": now, "ends_at_ms": track.continues_at_ms}
        if not track.recorders or track.unnamed:
            return {"status": "failed", "reason": _wanting(track), **nothing}
        reason = f"nothing{' more' * bool(track.continues_at_ms)} of this uid was recorded: its playlist names no slice"
        return {"status": "done", "empty": True, "counts": {}, "reason": reason, **nothing}
    timeline = track.timeline
    length_ms = max(segment.at_ms + segment.length_ms for segment in timeline.segments)
    if length_ms > LONGEST_MS:
        reason = f"its playlists claim {length_ms // 3_600_000} hours; the most is {LONGEST_MS // 3_600_000}"
        return {"status": "failed", "finished_at": now, "reason": reason}
    ends_at_ms = None if timeline.starts_at_ms is None else timeline.starts_at_ms + length_ms
    whose = f"uid-{str(item['uid'])[:20]}" if "uid" in item else f"part-{item['part']}"
    key = f"{PREPARED}{item['recording_id']}/{whose}-{item['media_id']}.mp4"
    try:
        prepared = _prepare(track, timeline.segments, key, folder, remux)
    except NoAudio as silent:
        reason = f"there is nothing to hear: {silent}"
        return {"status": "failed", "finished_at": now, "reason": reason, "ends_at_ms": ends_at_ms}
    waiting = {"status": "waiting", "waiting_since": now, "reason": None}
    return {**waiting, **prepared, "starts_at_ms": timeline.starts_at_ms, "ends_at_ms": ends_at_ms}


def _prepare(
    track: Track, segments: Sequence[PlacedSegment], key: str, folder: TrackFolder, remux: Remux
) -> dict[str, Any]:
    """The prepared file, which is kept under the key, and what it lacks."""

    def read(name: str) -> bytes | None:
        slice_key = track.slice_key(name)
        found = folder.read(slice_key) if slice_key else None
        return found[0] if found else None

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "track.mp4"
        prepared = remux(segments, read, file)
        etag, size = folder.keep(key, file)
    gaps = []
    if not track.closed:
        gaps.append("its playlist was never closed")
        # Of a closed one nobody tells whether every slice has to be in it.
        if track.unnamed:
            gaps.append(f"left out were {_not_named(track)}")
    if prepared.lost:
        which = f"{len(prepared.lost)} of {len(track.named)} slices, such as {_short(prepared.lost[0])}"
        gaps.append(f"{which}, never came or cannot be read")
    return {
        "prepared": {"key": key, "etag": etag, "size": size},
        "duration_ms": prepared.duration_ms,
        "silent_ms": prepared.silent_ms,
        "incomplete": "; ".join(gaps) or None,
    }
