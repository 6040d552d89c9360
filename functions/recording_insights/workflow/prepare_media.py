"""Prepare media: wait until all of a track is in the bucket, then make one file of it that providers take."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from recording_insights.hls.playlist import NotAPlaylist, parse_playlist
from recording_insights.hls.timeline import Piece, lay_out
from recording_insights.media import PREPARED
from recording_insights.polling import GROWTH, LONGEST_WAIT, SHORTEST_WAIT
from recording_insights.store.conditions import utc_text
from recording_insights.store.media import MediaStore
from recording_insights.track import Track, TrackFiles
from recording_insights.workflow.progress import Progress

if TYPE_CHECKING:
    from recording_insights.hls.remux import Prepared

SILENT = timedelta(hours=24)
"""A recording of which nobody tells the end is over when nothing was written for so long: Agora's longest silence."""
LONGEST_MS = 72 * 3600 * 1000
"""Three days: a playlist may claim any length, and what never came is filled with silence."""
BUSY = timedelta(minutes=3)
"""A playlist that was written since then is being written: nothing else needs a look."""
LEAST_GROWTH = 0.01
"""Of the time since the first look: files may come every few seconds for days, and a history has 25,000 events."""
LONGEST_NAME = 200

Remux = Callable[[Sequence[Piece], Callable[[str], bytes | None], Path], "Prepared"]


class TrackFolder(TrackFiles, Protocol):
    """The bucket, where the prepared file is kept as well."""

    def keep(self, key: str, file: Path) -> tuple[str, int]:
        """Store a file; its etag and its size in bytes."""


class Unusable(Exception):
    """Nothing can be made of the track; the text says why."""


def prepare_media(
    progress: Progress,
    *,
    store: MediaStore,
    folder: TrackFolder,
    remux: Remux,
    late_minutes: int,
    now: Callable[[], datetime],
) -> Progress:
    """Look at the track once; when it is whole, or nothing more of it came for `late_minutes`, prepare it.

    While it is recorded the looks become rarer, as polls do. What never came is left out, keeps its length, and is
    named on the row. A track of which nothing was recorded ends as empty, one that holds no sound as failed.
    """
    recording_id, media_id = progress.recording_id, progress.media_id
    item = store.get(recording_id, media_id)
    if item.get("empty"):
        store.settle_recording(recording_id)
        return progress.end("empty", str(item["reason"]))
    if item["status"] not in ("waiting", "preparing") or "prepared" in item:
        return progress.restart("submit")
    recording = store.recording(recording_id)
    ended = recording.get("complete_at") or recording.get("stopped_at")
    if not ended and _is_being_written(str(item["key"]), folder, now()):
        return _look_again(progress, item, store, now(), "it is being recorded", since=str(item["waiting_since"]))
    track = Track.look_at(str(item["key"]), folder)
    if wanting := _wanting(track):
        since = _quiet_since(track, ended) or str(item["arrived_at"])
        if since != item.get("quiet_since"):
            progress = progress.restart("prepare")
            store.note(recording_id, media_id, quiet_since=since)
        goes_on = bool(track.recorders) and not track.closed and not ended
        patience = SILENT if goes_on else timedelta(minutes=late_minutes)
        is_quiet = progress.elapsed_seconds(since, now()) >= patience.total_seconds()
        if not is_quiet and not _is_complete(track, recording):
            return _look_again(progress, item, store, now(), wanting, since=since)
    if track.recorders and not track.named and not track.unnamed:
        reason = "nothing of this uid was recorded: its playlist names no slice"
        store.finish(recording_id, media_id, "done", empty=True, counts={}, reason=reason)
        return progress.end("empty", reason)
    try:
        key = f"{PREPARED}{recording_id}/uid-{str(item['uid'])[:20]}-{media_id}.mp4"
        changes = _prepare(track, key, folder, remux)
    except Unusable as unusable:
        return progress.end("failed", str(unusable))
    waiting = {"status": "waiting", "waiting_since": store.timestamp, "reason": None, "quiet_since": None}
    store.note(recording_id, media_id, **waiting, **changes)
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
    store.note(progress.recording_id, progress.media_id, status="preparing", reason=f"waits for files: {reason}")
    if item["status"] == "waiting":
        store.settle_recording(progress.recording_id)
    return progress.wait(seconds)


def _prepare(track: Track, key: str, folder: TrackFolder, remux: Remux) -> dict[str, Any]:
    """What the row gets to know of the prepared file, which is kept under the key."""
    from recording_insights.hls.remux import NothingToHear

    if not track.named:
        raise Unusable(str(_wanting(track)))

    def read(name: str) -> bytes | None:
        slice_key = track.slice_key(name)
        found = folder.read(slice_key) if slice_key else None
        return found[0] if found else None

    timeline = lay_out(track.recorders)
    length_ms = max(piece.at_ms + piece.length_ms for piece in timeline.pieces)
    if length_ms > LONGEST_MS:
        raise Unusable(f"its playlists claim {length_ms // 3_600_000} hours; the most is {LONGEST_MS // 3_600_000}")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "track.mp4"
        try:
            prepared = remux(timeline.pieces, read, file)
        except NothingToHear as nothing:
            raise Unusable(f"there is nothing to hear: {nothing}") from nothing
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
        "starts_at_ms": timeline.starts_at_ms,
        "incomplete": "; ".join(gaps) or None,
    }
