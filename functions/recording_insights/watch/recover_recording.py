"""State "Recover recording": complete a recording that has ended, and what is missing of it.

That are the files whose events never came, and the parts that only segments hold.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.media.executions import ExecutionStarter, begin
from recording_insights.media.intake import admit_media
from recording_insights.media.probe.ranged_object import RangeReader
from recording_insights.media.track import TrackFiles
from recording_insights.media.without_row import media_without_row
from recording_insights.model.media_object import MOST_PARTS, MediaObject
from recording_insights.model.status import ERASING
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.watch.completion import complete
from recording_insights.watch.lost_parts import LostParts, find_lost_parts
from recording_insights.watch.progress import Watch


def recover_recording(
    watch: Watch,
    *,
    store: RecordingStore,
    media_store: MediaStore,
    folder: TrackFiles,
    bucket: str,
    reader: Callable[[MediaObject], RangeReader],
    checksum: Callable[[MediaObject], str | None],
    start_execution: ExecutionStarter,
    end_wait: Callable[[str], None],
    late_minutes: int,
) -> Watch:
    """Complete a recording that has ended; returns the watch with its next wait for files, or ended.

    Once no file has arrived for `late_minutes`, the media in the recording's folder that have no row are admitted, then
    the lost parts. Repeating it changes nothing. One execution starts for each recorder whose segments hold lost parts.
    In mode individual, segments are those of tracks, so no part can be lost.

    The row of a media object is written before its execution starts. A row from an earlier try stays as it is, even if
    files have arrived since.
    """
    found = store.find_with_media(watch.recording_id)
    if found is None or found[0]["created_at"] != watch.opened_at or found[0]["status"] == ERASING:
        return watch.end()
    if watch.outcome != "recover":
        watch = complete(watch, *found, store=store, late_minutes=late_minutes)
    if watch.outcome != "recover":
        return watch
    recording, media = found
    listed = folder.list(recording["prefix"])
    for forgotten in media_without_row(listed, media, bucket=bucket, recording=recording):
        admit_media(
            forgotten,
            store=media_store,
            default_provider=recording["provider"],
            prefix_providers={},
            reader=reader,
            checksum=checksum,
            folder=folder,
            start_execution=start_execution,
            end_wait=end_wait,
        )
    if recording.get("mode", "mix") != "individual":
        media = store.media_rows(watch.recording_id)
        for media_object, lost in _recovered(recording, media, listed, folder, bucket, store.now()):
            if lost:
                providers = [recording["provider"]]
                media_store.admit(watch.recording_id, media_object, providers=providers, offset_ms=lost.offset_ms)
            row = media_store.get(watch.recording_id, media_object.media_id)
            begin(row, store=media_store, start_execution=start_execution)
    found = store.find_with_media(watch.recording_id)
    return complete(watch.recovered(), *found, store=store, late_minutes=late_minutes) if found else watch.end()


def _recovered(
    recording: RecordingRow,
    media: Sequence[MediaRow],
    listed: Sequence[StoredFile],
    folder: TrackFiles,
    bucket: str,
    now: datetime,
) -> Iterator[tuple[MediaObject, LostParts | None]]:
    """Yield each media object of lost parts; the second entry is None if the media object has a row already."""
    known = {item["key"] for item in media if "recovered" in item}
    for item in media:
        if "recovered" in item:
            yield MediaObject(bucket, item["key"], "", 0, now, recovers=item["part"] % MOST_PARTS), None
    sid, channel = recording.get("sid"), recording.get("channel", "")
    for lost in find_lost_parts(listed, media, sid=sid, channel=channel, files=folder):
        if lost.playlist not in known:
            media_object = MediaObject(bucket, lost.playlist, "", 0, now, recovers=lost.number)
            yield replace(media_object, continues_at_ms=lost.continues_at_ms), lost
