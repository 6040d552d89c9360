"""Arrival of an object in the recordings bucket: one execution per media object, or the reason why there is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recording_insights.errors import MediaObjectGone, NotMedia, StatusContended
from recording_insights.hls.playlist import Playlist
from recording_insights.media.begins import begins_after_ms
from recording_insights.media.executions import ExecutionStarter, begin
from recording_insights.media.probe.duration import media_duration_ms
from recording_insights.media.probe.ranged_object import RangeReader
from recording_insights.media.track import TrackFiles, beyond, playlist_in
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.model.parts import is_overwritten
from recording_insights.model.reasons import because_of_upload
from recording_insights.model.status import ERASING
from recording_insights.store.contents import Content, part_name
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import Derivation, MediaRow, RecordingChanges, RecordingRow

_ROUNDS = 5
"""A round is lost only to another copy that arrives at the same moment."""

Admission = Mapping[str, Any]
"""What follows from an arrival: `{"ignored": reason}` or `{"recording_id", "media_id", "execution"}`."""


def providers_by_prefix(key: str, prefixes: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the providers of the longest prefix that a key begins with; empty if it begins with none."""
    matching = [prefix for prefix in prefixes if key.startswith(prefix)]
    return prefixes[max(matching, key=len)] if matching else ()


def admit_media(
    media: MediaObject,
    *,
    store: MediaStore,
    default_provider: str,
    prefix_providers: Mapping[str, Sequence[str]],
    reader: Callable[[MediaObject], RangeReader],
    checksum: Callable[[MediaObject], str | None],
    folder: TrackFiles,
    start_execution: ExecutionStarter,
    end_wait: Callable[[str], None],
    who: str | None = None,
    provider: str | None = None,
    erase_late: Callable[[MediaObject], None] = lambda media: None,
    derivation: Derivation | None = None,
) -> Admission:
    """Write the row of a media object and start its execution, or return why it is ignored.

    The row is written before the execution starts, and the execution's name follows from the object. A repeated event,
    also after a crash in between, leads to the same row and the same execution. So does another version of the object
    with the same `checksum`, S3's own: a copy in place, for example. A copy under another key is ignored. A closed
    playlist ends the wait of the track's execution, by its task token. `who` is the caller who named the object, if one
    did, and `provider` the one that this caller wants. `erase_late` has an object deleted that came for a recording
    which was erased. A recording that is new by this gets the `derivation`.
    """
    recording = store.recordings.find_by_folder(media)
    if recording and "channel" in recording:
        media = media.in_channel(recording["channel"])
    if reason := why_ignored(media, recording=recording):
        return {"ignored": reason}
    recording_id = recording["recording_id"] if recording else store.recordings.recording_put_by_hand(media)
    arrival = _Arrival(recording_id, media, checksum, who=who, derivation=derivation)
    if media.is_track:
        # Agora rewrites the playlist after every segment.
        track = _to_be_started(media, recording_id, store, folder, end_wait)
        if track is None:
            return {"ignored": "the track is being processed, or was processed before"}
        arrival = replace(arrival, media=track)
    else:
        try:
            arrival = replace(
                arrival,
                checksum=checksum(media),
                duration_ms=media_duration_ms(reader(media), media.size),
            )
        except (NotMedia, MediaObjectGone) as error:
            if recording and "file" in recording and isinstance(error, NotMedia):
                _refuse_upload(recording_id, error, store)
            return {"ignored": str(error)}
        arrival = replace(arrival, offset_ms=begins_after_ms(media.key, folder, channel=media.channel))
    providers = list(providers_by_prefix(media.key, prefix_providers)) or [default_provider]
    recording = recording or store.recordings.find(recording_id)
    if _is_erased(media, recording_id, recording, store):
        erase_late(media)
        return {"ignored": f"recording {recording_id} was erased, or is being erased: the object is deleted"}
    if provider:
        providers = [provider]
    elif recording and "provider" in recording:
        providers = [recording["provider"]]
    return arrival.admit(store, providers, start_execution)


def _refuse_upload(recording_id: str, error: NotMedia, store: MediaStore) -> None:
    """End a recording whose one file is no media file. A file that is processed already has come with its media."""
    failed: RecordingChanges = {"status": "failed", **because_of_upload("not_media", str(error))}
    store.recordings.update(recording_id, failed, only_in=("starting", "empty"), only_without="media")


def _is_erased(media: MediaObject, recording_id: str, recording: RecordingRow | None, store: MediaStore) -> bool:
    """Return whether an object belongs to a recording that was erased, or is being erased."""
    if recording:
        return recording.get("status") == ERASING
    ids = (*media.folder_ids, recording_id)
    return any(store.recordings.erasures.find_receipt(each) for each in dict.fromkeys(ids))


@dataclass(frozen=True)
class _Arrival:
    """A media object that arrived for a recording; `checksum` is S3's own, None for a track or if S3 has none."""

    recording_id: str
    media: MediaObject
    read_checksum: Callable[[MediaObject], str | None]
    checksum: str | None = None
    duration_ms: int | None = None
    offset_ms: int | None = None
    who: str | None = None
    derivation: Derivation | None = None

    def admit(self, store: MediaStore, providers: Sequence[str], start_execution: ExecutionStarter) -> Admission:
        """Write its row and start its execution, unless a media object of the recording holds the same content.

        Raises:
            StatusContended: others kept writing which media objects hold the content.
        """
        for _ in range(_ROUNDS):
            holders = store.contents.holders(self.recording_id, self.checksum) if self.checksum else {}
            media = self.media
            if same := self._same_content(holders, store):
                if same["key"] != media.key:
                    store.add_copy(self.recording_id, same["media_id"], media.key)
                    return {"ignored": f"media object {same['media_id']} of the recording holds the same content"}
                # The media object keeps the id that follows from its first ETag.
                media = replace(media, etag=same["etag"])
            if store.admit(
                self.recording_id,
                media,
                providers=providers,
                duration_ms=self.duration_ms,
                offset_ms=self.offset_ms,
                content=Content(self.checksum, holders) if self.checksum else None,
                admitted_by=self.who,
                derivation=self.derivation,
            ):
                row = store.get(self.recording_id, media.media_id)
                name = begin(row, store=store, start_execution=start_execution)
                if name is None:
                    return {"ignored": "the media object was processed before"}
                return {"recording_id": self.recording_id, "media_id": media.media_id, "execution": name}
        raise StatusContended(f"other copies of {self.media.key} kept arriving at the same moment")

    def _same_content(self, holders: Mapping[str, str], store: MediaStore) -> MediaRow | None:
        """Return the media object of the recording that is processed in place of this one, or None.

        One with the same key is this one, written anew. Two parts with the same content are both processed. A media
        object that failed stands for no other one. Neither does one whose key has another content by now, or whose
        object was moved here before a provider got it.
        """
        if not holders:
            return None
        rows = store.recordings.media_rows(self.recording_id)
        part = self.media.part
        named = holders.values() if part is None else [holders.get(part_name(each)) for each in (part, None)]
        unfailed = [row for row in rows if row["status"] != "failed"]
        same = [row for row in unfailed if row["media_id"] in named]
        for row in same:
            if row["key"] == self.media.key:
                store.written_again(row, self.media, is_overwritten=is_overwritten(row, rows))
                return row
        return next((row for row in same if not is_overwritten(row, unfailed) and not self._was_moved(row)), None)

    def _was_moved(self, row: MediaRow) -> bool:
        """Return whether the object of a media object is gone, and no provider has accepted it yet."""
        if row["status"] != "waiting":
            return False
        etag = row.get("copied_etag", row["etag"])
        try:
            self.read_checksum(replace(self.media, key=row["key"], etag=etag))
        except MediaObjectGone:
            return True
        return False


def _to_be_started(
    track: MediaObject,
    recording_id: str,
    store: MediaStore,
    folder: TrackFiles,
    end_wait: Callable[[str], None],
) -> MediaObject | None:
    """Return the media object whose execution a playlist's event starts: the track, or its next continuation.

    None if an execution will process the segments in the playlist, or has processed them. If the execution waits for
    the end of the playlist and that has come, its wait ends. An event costs one read of the row and one of the
    playlist. Each continuation costs one more read of a row.
    """
    media = track
    playlist: Playlist | None = None
    while row := store.find(recording_id, media.media_id):
        playlist = playlist or _read_playlist(track.playlist, folder)
        if row["status"] in ("waiting", "preparing") and "prepared" not in row:
            # Without a run, the track is read after this moment, and what the playlist names now will be in it.
            if playlist.closed or "being_made" in row:
                noted = store.note_going_on(recording_id, media.media_id)
                if noted is None:
                    continue  # the run that prepared the track has just ended
                if "task_token" in noted:
                    end_wait(noted["task_token"])
            return media if row["status"] == "waiting" and "being_made" not in row else None
        if "ends_at_ms" not in row:
            return None
        if not beyond(playlist, row["ends_at_ms"]).segments:
            return None
        media = media.next_continuation(row["ends_at_ms"])
    return media


def _read_playlist(key: str, folder: TrackFiles) -> Playlist:
    """Return the playlist as it is now; without segments if the object is gone or is no playlist."""
    found = folder.read(key)
    return playlist_in(found[0] if found else b"") or Playlist((), closed=False)
