"""Changes of a recording that is under way: whom it hears and sees, how its picture is laid out, whether it pauses."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from recording_insights.agora.client_request import UPDATE, storable, subscriptions_of, update_request
from recording_insights.agora.layout import LAYOUT, read_layout
from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.recordings import existing
from recording_insights.store.recordings import Item, RecordingStore

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient


def update_recording(
    recording_id: str, fields: Mapping[str, Any], *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> Item:
    """Change whom a mix recording hears and sees, or pause and resume that of a web page; returns the row.

    What is left out stays as it is: Agora is told both lists of uids, the one that was not named from the row.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the field that is unknown or wrong.
        Conflict: it is not under way.
        SecretUnusable, AgoraError: it may go on as before.
    """
    recording = existing(recording_id, store)
    mode = str(recording.get("mode", "mix"))
    _check_names(fields, mode)
    if recording.get("audio_only") and "subscribe_video_uids" in fields:
        raise InvalidRequest("subscribe_video_uids", "is about video, and this recording has none")
    changed = {**(subscriptions_of(recording) if mode == "mix" else {}), **fields}
    _change("update", recording, update_request(mode, changed), agora, deadline)
    return store.update(recording_id, storable(changed)) or recording


def update_layout(
    recording_id: str, layout: Mapping[str, Any], *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> Item:
    """Lay out a mix recording's picture anew; returns the row. What is left out goes back to its default.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the field that is unknown or wrong.
        Conflict: it is not under way, or has no picture of several.
        SecretUnusable, AgoraError: it may look as before.
    """
    client_request = read_layout(layout)
    recording = existing(recording_id, store)
    if recording.get("mode", "mix") != "mix" or recording.get("audio_only"):
        raise Conflict("only a mix recording with video has a layout")
    _change("updateLayout", recording, client_request, agora, deadline)
    canvas = {name: value for name, value in recording.get("transcoding", {}).items() if name not in LAYOUT}
    return store.update(recording_id, {"transcoding": {**canvas, **storable(layout)}}) or recording


def _check_names(fields: Mapping[str, Any], mode: str) -> None:
    if not fields:
        raise InvalidRequest("body", f"must hold one or more of {', '.join(UPDATE[mode])}")
    for name in fields:
        if name not in UPDATE[mode] and any(name in others for others in UPDATE.values()):
            raise InvalidRequest(name, f"is not for mode {mode}, which this recording has")


def _change(
    call: Literal["update", "updateLayout"],
    recording: Item,
    client_request: Mapping[str, Any],
    agora: "AgoraClient",
    deadline: Deadline,
) -> None:
    # Its status cannot tell: the first part of a long recording may be done while the recorder goes on.
    over = "channel" not in recording or "stopped_at" in recording or recording["status"] == "empty"
    if over or (recording["status"] == "failed" and "sid" not in recording):
        raise Conflict("this recording is not under way")
    if not {"sid", "resource_id"} <= recording.keys():
        raise Conflict("the recorder has not reported its id yet; try again in a few seconds")
    if not agora.change(call, recording, client_request, deadline):
        raise Conflict("the recorder has left by itself, or is moving to another host")
