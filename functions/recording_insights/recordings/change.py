"""Change a recording: whose audio and video it records, its layout, its pause, its speakers' names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from recording_insights.agora.client_request import update_request
from recording_insights.agora.fields.layout import LAYOUT, read_layout
from recording_insights.agora.fields.recorder import UPDATE, most_uids, named_uids
from recording_insights.agora.fields.subscriptions import VIDEO_LISTS, after_change
from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.recordings.lease import change_recorder, lease_recorder
from recording_insights.recordings.request import CALLERS_WORDS, part_names, speaker_names
from recording_insights.redaction import storable
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow
from recording_insights.validation import Reader, or_null

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient


OWN_CHANGES: Mapping[str, Reader[Any]] = {
    "speakers": part_names,
    **{name: or_null(reader) for name, reader in CALLERS_WORDS.items()},
}
"""What a change sets besides the recorder's options. Null removes."""


def update_recording(
    recording_id: str,
    fields: Mapping[str, Any],
    *,
    store: RecordingStore,
    agora: "AgoraClient",
    deadline: Deadline,
    who: str | None = None,
) -> RecordingRow:
    """Change the subscriptions of a channel's recording, or pause and resume a web page's; returns the row.

    Fields that the request leaves out stay as they are on the row. `speakers`, `reference` and `metadata` never reach
    Agora, and may be changed after the recording has ended. `who` is the caller's name, for the row.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the field that is unknown or wrong.
        Conflict: the recording is not under way, or another change is.
        SecretUnusable, AgoraError: the recorder may go on unchanged.
    """
    recording = store.get_changeable(recording_id)
    mode = recording.get("mode", "mix")
    _check_names(fields, recording, mode)
    readers = {**OWN_CHANGES, **({"speakers": speaker_names} if mode == "individual" else {})}
    own = {name: read(name, fields[name]) for name, read in readers.items() if name in fields}
    names = cast(RecordingChanges, {"changed_by": who, **own})
    options = {name: value for name, value in fields.items() if name not in OWN_CHANGES}
    if not options:
        return _keep(recording, names, store)
    _check_fit(options, recording)
    update_request(mode, options)  # a wrong value is refused before the wait for the lease
    with lease_recorder(recording_id, store=store, deadline=deadline) as leased:
        if mode != "web":
            options = after_change(leased, options)
            _check_number(options, leased)
        change_recorder("update", leased, update_request(mode, options), agora=agora, deadline=deadline)
        changes = _page_changes(options) if mode == "web" else _subscription_changes(options)
        return _keep(leased, {**changes, **names}, store)


def _keep(recording: RecordingRow, changes: RecordingChanges, store: RecordingStore) -> RecordingRow:
    if "reference" in changes:
        return store.refer(recording["recording_id"], changes)
    return store.update(recording["recording_id"], changes) or recording


def update_layout(
    recording_id: str,
    layout: Mapping[str, Any],
    *,
    store: RecordingStore,
    agora: "AgoraClient",
    deadline: Deadline,
    who: str | None = None,
) -> RecordingRow:
    """Replace the layout of a mix recording; returns the row. Fields that are left out return to their defaults.

    `who` is the caller's name, for the row.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the field that is unknown or wrong.
        Conflict: the recording is not under way, has no video to lay out, or another change is under way.
        SecretUnusable, AgoraError: the layout may be as before.
    """
    client_request = read_layout(layout)
    recording = store.get_changeable(recording_id)
    if recording.get("mode", "mix") != "mix" or recording.get("audio_only"):
        raise Conflict("a layout is for mode mix, and for recordings with video")
    with lease_recorder(recording_id, store=store, deadline=deadline) as leased:
        change_recorder("updateLayout", leased, client_request, agora=agora, deadline=deadline)
        canvas = {name: value for name, value in leased.get("transcoding", {}).items() if name not in LAYOUT}
        changes: RecordingChanges = {"transcoding": {**canvas, **storable(layout)}, "changed_by": who}
        return store.update(recording_id, changes) or leased


def _check_names(fields: Mapping[str, Any], recording: RecordingRow, mode: str) -> None:
    names = (*UPDATE[mode], *OWN_CHANGES)
    if not fields:
        raise InvalidRequest("body", f"must hold one or more of {', '.join(names)}")
    for name in fields:
        if name not in names and any(name in others for others in UPDATE.values()):
            raise InvalidRequest(name, f"is not for mode {mode}, which this recording has")
        if name not in names:
            raise InvalidRequest(name, f"unknown; the fields are {', '.join(names)}")


def _check_fit(options: Mapping[str, Any], recording: RecordingRow) -> None:
    for name in VIDEO_LISTS:
        if name in options and recording.get("audio_only"):
            raise InvalidRequest(name, "is about video, and this recording has none")
    if "rtmp_url" in options and "rtmp_url" not in recording:
        raise InvalidRequest("rtmp_url", "can only be changed if the start request had it: this page has no stream")


def _check_number(lists: Mapping[str, Any], recording: RecordingRow) -> None:
    if "expected_uids" not in recording:
        return
    named, most = named_uids(lists), most_uids(recording["expected_uids"])
    if named > most:
        name = next(name for name in ("subscribe_audio_uids", "subscribe_video_uids") if name in lists)
        raise InvalidRequest(name, f"makes {named} uids in all; Agora reserved servers for {most}, by expected_uids")


def _subscription_changes(lists: Mapping[str, Any]) -> RecordingChanges:
    """Return what a row keeps of the lists, which are all that the recorder has: any other list is removed."""
    return {
        "subscribe_audio_uids": lists.get("subscribe_audio_uids"),
        "unsubscribe_audio_uids": lists.get("unsubscribe_audio_uids"),
        "subscribe_video_uids": lists.get("subscribe_video_uids"),
        "unsubscribe_video_uids": lists.get("unsubscribe_video_uids"),
    }


def _page_changes(options: Mapping[str, Any]) -> RecordingChanges:
    """Return what a row keeps of a web page's options, without the stream's key."""
    changes: RecordingChanges = {}
    if "onhold" in options:
        changes["onhold"] = options["onhold"]
    if "rtmp_url" in options:
        changes["rtmp_url"] = storable(options["rtmp_url"])
    return changes
