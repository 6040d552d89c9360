"""Recover recording: what no MP4 holds of a recording that is over becomes media objects of its recorders' slices."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from recording_insights.media.intake import ExecutionStarter, begin
from recording_insights.media.track import TrackFiles
from recording_insights.model.media_object import MOST_PARTS, MediaObject
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.watch.lost_parts import Lack, find_lacks
from recording_insights.watch.progress import Watch


def recover_recording(
    watch: Watch,
    *,
    store: RecordingStore,
    media_store: MediaStore,
    folder: TrackFiles,
    bucket: str,
    start_execution: ExecutionStarter,
) -> Watch:
    """One media object and one execution for each recorder whose MP4s lack something; repeating it changes nothing.

    A row that an earlier try has made is taken as it is, even if files have come since.
    """
    found = store.find_with_media(watch.recording_id)
    if found is None or found[0]["created_at"] != watch.opened_at:
        return watch.recovered()
    recording, media = found
    for piece, lack in _pieces(recording, media, folder, bucket, store.now()):
        if lack:
            media_store.admit(watch.recording_id, piece, providers=[recording["provider"]], offset_ms=lack.offset_ms)
        begin(piece, watch.recording_id, store=media_store, start_execution=start_execution)
    return watch.recovered()


def _pieces(
    recording: RecordingRow, media: Sequence[MediaRow], folder: TrackFiles, bucket: str, now: datetime
) -> Iterator[tuple[MediaObject, Lack | None]]:
    """What is to be processed, with what it makes up for where there is no row of it yet."""
    known = {item["key"] for item in media if "recovered" in item}
    for item in media:
        if "recovered" in item:
            piece = MediaObject(bucket, item["key"], "", 0, now, recovers=item["part"] % MOST_PARTS)
            yield piece, None
    listed = folder.list(recording["prefix"])
    sid = recording.get("sid")
    for lack in find_lacks(listed, media, sid=sid, files=folder):
        if lack.playlist not in known:
            piece = MediaObject(bucket, lack.playlist, "", 0, now, recovers=lack.number)
            yield replace(piece, continues_at_ms=lack.continues_at_ms), lack
