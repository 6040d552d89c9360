"""Changes of a recording: whom it hears and sees, how its picture is laid out, whether it pauses, who speaks in it,
what its files are written with.

Agora wants one change of a recorder at a time; each also builds upon the row that the one before has left.
Source: https://docs.agora.io/en/cloud-recording/best-practices/integration-best-practices
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

from recording_insights.agora.client_request import update_request
from recording_insights.agora.fields.layout import LAYOUT, read_layout
from recording_insights.agora.fields.recorder import UPDATE, most_uids, named_uids
from recording_insights.agora.fields.subscriptions import SUBSCRIPTIONS, VIDEO_LISTS, after_change
from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.recordings.request import speaker_names
from recording_insights.redaction import storable
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

LEASE_SECONDS = 30
"""Longer than a function of the API lives: who has not ended its lease by then never will."""
WAITS = (0.5, 1.0, 2.0)
"""Seconds between looks whether another change is through."""
RENEWAL_SECONDS = 20
"""For Agora's answer to a renewal: the watch's function lives longer than the lease, its call must not."""


def update_recording(
    recording_id: str, fields: Mapping[str, Any], *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> RecordingRow:
    """Change whom the recording of a channel hears and sees, or pause and resume that of a web page; returns the row.

    What is left out stays as it is: Agora is told both lists of uids, the one that was not named from the row.
    `speakers` are no concern of Agora's, and may be named when the recording is over.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the field that is unknown or wrong.
        Conflict: it is not under way, or another change is.
        SecretUnusable, AgoraError: it may go on as before.
    """
    recording = store.get(recording_id)
    mode = recording.get("mode", "mix")
    _check_names(fields, recording, mode)
    named: RecordingChanges = (
        {"speakers": speaker_names("speakers", fields["speakers"])} if "speakers" in fields else {}
    )
    told = {name: value for name, value in fields.items() if name not in named}
    if not told:
        return store.update(recording_id, named) or recording
    _check_fit(told, recording)
    update_request(mode, told)  # what is wrong need not wait
    with _alone(recording_id, store, deadline) as recording:
        if mode != "web":
            told = after_change(recording, told)
            _check_number(told, recording)
        _change("update", recording, update_request(mode, told), agora, deadline)
        replaced = {name: None for name in SUBSCRIPTIONS if name in recording and name not in told}
        changes = cast(RecordingChanges, {**storable(told), **replaced, **named})
        return store.update(recording_id, changes) or recording


def update_layout(
    recording_id: str, layout: Mapping[str, Any], *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> RecordingRow:
    """Lay out a mix recording's picture anew; returns the row. What is left out goes back to its default.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the field that is unknown or wrong.
        Conflict: it is not under way, has no picture that can be laid out, or another change is under way.
        SecretUnusable, AgoraError: it may look as before.
    """
    client_request = read_layout(layout)
    recording = store.get(recording_id)
    if recording.get("mode", "mix") != "mix" or recording.get("audio_only"):
        raise Conflict("a layout is for mode mix, and for recordings with video")
    with _alone(recording_id, store, deadline) as recording:
        _change("updateLayout", recording, client_request, agora, deadline)
        canvas = {name: value for name, value in recording.get("transcoding", {}).items() if name not in LAYOUT}
        return store.update(recording_id, {"transcoding": {**canvas, **storable(layout)}}) or recording


def renew_credentials(
    recording: RecordingRow, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> None:
    """Give a recorder new credentials to write into its folder with, and note when; the former ones stay good.

    Raises:
        Conflict: it has left, or is moving to another host, or another change is under way.
        SecretUnusable, UploadCredentialsError, AgoraError: it goes on with those that it has.
    """
    recording_id = recording["recording_id"]
    # Before the lease: while AWS is asked, others may change the recorder.
    storage = agora.uploader.storage_config(recording["prefix"].strip("/").split("/"), deadline)
    with _alone(recording_id, store, deadline) as recording:
        in_time = replace(deadline, ends_at=min(deadline.ends_at, deadline.monotonic() + RENEWAL_SECONDS))
        _change("update", recording, {"storageConfig": storage}, agora, in_time)
        store.update(recording_id, {"credentials_renewed_at": store.timestamp})


def _check_names(fields: Mapping[str, Any], recording: RecordingRow, mode: str) -> None:
    # Files that were put into the bucket by hand may be those of single speakers.
    names = (*UPDATE[mode], *(["speakers"] if mode == "individual" or "channel" not in recording else []))
    if not fields:
        raise InvalidRequest("body", f"must hold one or more of {', '.join(names)}")
    for name in fields:
        if name not in names and (name == "speakers" or any(name in others for others in UPDATE.values())):
            raise InvalidRequest(name, f"is not for mode {mode}, which this recording has")
        if name not in names:
            raise InvalidRequest(name, f"unknown; the fields are {', '.join(names)}")


def _check_fit(told: Mapping[str, Any], recording: RecordingRow) -> None:
    for name in VIDEO_LISTS:
        if name in told and recording.get("audio_only"):
            raise InvalidRequest(name, "is about video, and this recording has none")
    if "rtmp_url" in told and "rtmp_url" not in recording:
        raise InvalidRequest("rtmp_url", "must have been given at the start, too: this page is pushed nowhere")


def _check_number(lists: Mapping[str, Any], recording: RecordingRow) -> None:
    if "expected_uids" not in recording:
        return
    named, most = named_uids(lists), most_uids(recording["expected_uids"])
    if named > most:
        name = next(name for name in ("subscribe_audio_uids", "subscribe_video_uids") if name in lists)
        raise InvalidRequest(name, f"makes {named} uids in all; by expected_uids Agora has reserved servers for {most}")


@contextmanager
def _alone(recording_id: str, store: RecordingStore, deadline: Deadline) -> Iterator[RecordingRow]:
    """The recording as it is when no other change of its recorder is under way; until the end none can begin."""
    waits = iter(WAITS)
    while (leased := store.lease(recording_id, LEASE_SECONDS)) is None:
        wait = next(waits, None)
        if wait is None or not deadline.pause(wait):
            raise Conflict("another change is under way; try again")
    try:
        yield leased
    finally:
        store.end_lease(leased)


def _change(
    call: Literal["update", "updateLayout"],
    recording: RecordingRow,
    client_request: Mapping[str, Any],
    agora: "AgoraClient",
    deadline: Deadline,
) -> None:
    # Its status cannot tell: the first part of a long recording may be done while the recorder goes on.
    over = "channel" not in recording or "stopped_at" in recording
    if over or (recording["status"] == "failed" and "sid" not in recording):
        raise Conflict("this recording is not under way")
    if not {"sid", "resource_id"} <= recording.keys():
        raise Conflict("the recorder has not reported its id yet; try again in a few seconds")
    if not agora.change(call, recording, client_request, deadline):
        raise Conflict("the recorder has left by itself, or is moving to another host")
