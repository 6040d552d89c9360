"""Media objects that lie in the bucket and have no row: no event came for them, or none was admitted."""

from collections.abc import Iterable, Iterator, Sequence

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.store.rows import MediaRow, RecordingRow


def media_without_row(
    files: Iterable[StoredFile], rows: Sequence[MediaRow], *, bucket: str, recording: RecordingRow | None = None
) -> Iterator[MediaObject]:
    """Yield the media among listed files that none of the rows is for, each track once.

    `rows` are those of the files' recordings. A row is also for the copies whose content it holds. `recording` is that
    of `why_ignored`.
    """
    channel = recording.get("channel", "") if recording else ""
    known = {(row.get("key"), etag) for row in rows for etag in (row.get("etag"), row.get("copied_etag"))}
    copies = {key for row in rows for key in row.get("copies", ())}
    for file in files:
        stored = MediaObject(bucket, file.key, file.etag, file.size, file.modified)
        media = stored.in_channel(channel)
        if why_ignored(media, recording=recording) or media.key in copies:
            continue
        if (media.key, media.etag) not in known:
            # The playlists of a track are all announced as the track.
            known.add((media.key, media.etag))
            yield media
