"""The arrival of an object in the recordings bucket: one execution per media object, or a reason why not."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from recording_insights.errors import NotMedia
from recording_insights.hls.playlist import NotAPlaylist, Playlist, parse_playlist
from recording_insights.media.probe import RangeReader, media_duration_ms
from recording_insights.media.track import TrackFiles, beyond
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.model.status import FINAL
from recording_insights.store.media import MediaStore
from recording_insights.watch.lost_parts import begins_after_ms

Outcome = Mapping[str, Any]


class ExecutionStarter(Protocol):
    """Starts the workflow; a name that is taken is no error: the execution is there."""

    def __call__(self, *, name: str, state: str) -> None: ...


def providers_by_prefix(key: str, prefixes: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Who gets an object, and who takes over: those of the longest prefix that its key has, nobody for none."""
    fitting = [prefix for prefix in prefixes if key.startswith(prefix)]
    return prefixes[max(fitting, key=len)] if fitting else ()


def admit_media(
    media: MediaObject,
    *,
    store: MediaStore,
    default_provider: str,
    prefix_providers: Mapping[str, Sequence[str]],
    reader: Callable[[MediaObject], RangeReader],
    folder: TrackFiles,
    start_execution: ExecutionStarter,
) -> Outcome:
    """Admit a media object, or say why it is ignored.

    The row is written before the execution starts and the execution's name follows from the object: an event that
    comes again, or a crash in between, leads to the same row and the same execution.

    Returns:
        `{"ignored": reason}` or `{"recording_id", "media_id", "execution"}`.
    """
    if reason := why_ignored(media):
        return {"ignored": reason}
    recording_id = store.recordings.recording_of(media)
    duration_ms = offset_ms = None
    if media.is_track:
        # Its playlist is written anew after every slice.
        waiting = _waiting(media, recording_id, store, folder)
        if waiting is None:
            return {"ignored": "its track is being processed, or was"}
        media = waiting
    else:
        try:
            duration_ms = media_duration_ms(reader(media), media.size)
        except (NotMedia, FileNotFoundError) as error:
            return {"ignored": str(error)}
        offset_ms = begins_after_ms(media.key, folder)
    providers = list(providers_by_prefix(media.key, prefix_providers)) or [default_provider]
    if recording := store.recordings.find(recording_id):
        providers = [recording["provider"]]
    store.admit(recording_id, media, providers=providers, duration_ms=duration_ms, offset_ms=offset_ms)
    return begin(media, recording_id, store=store, start_execution=start_execution)


def begin(media: MediaObject, recording_id: str, *, store: MediaStore, start_execution: ExecutionStarter) -> Outcome:
    """Start the one execution of a media object that has its row; answers as `admit_media` does."""
    # Step Functions frees a name after 90 days; a finished row is for good.
    if store.get(recording_id, media.media_id)["status"] in FINAL:
        return {"ignored": "it was processed before"}
    name = media.execution_name(recording_id)
    state = {"recording_id": recording_id, "media_id": media.media_id, "key": media.key}
    if media.is_prepared_first:
        state["outcome"] = "prepare"
    start_execution(name=name, state=json.dumps(state))
    return {"recording_id": recording_id, "media_id": media.media_id, "execution": name}


def _waiting(media: MediaObject, recording_id: str, store: MediaStore, folder: TrackFiles) -> MediaObject | None:
    """The media object that a playlist's news begins: its track, or what continues that; None if it has begun.

    News of a track that was processed costs one look at the row and one at the playlist that announced it; a
    continuation costs one more row.
    """
    playlist: Playlist | None = None
    while known := store.find(recording_id, media.media_id):
        if known["status"] in ("waiting", "preparing") and "prepared" not in known:
            if "being_made" not in known:
                # Whatever is looked at from now on has the news in it.
                return media if known["status"] == "waiting" else None
            if store.note_going_on(recording_id, media.media_id):
                return None
            continue
        if "ends_at_ms" not in known:
            return None
        ended_at_ms = known["ends_at_ms"]
        playlist = playlist or _playlist(media.playlist, folder)
        if not beyond(playlist, ended_at_ms).segments:
            return None
        media = media.going_on(ended_at_ms)
    return media


def _playlist(key: str, folder: TrackFiles) -> Playlist:
    """A playlist as it is now; what is none names nothing."""
    content = folder.read(key)
    try:
        return parse_playlist(content[0] if content else b"")
    except NotAPlaylist:
        return Playlist((), closed=False)
