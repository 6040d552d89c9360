"""What follows from Agora's notifications: an end is known early. Nothing depends on them.

They come in any order, twice or never. Each effect changes nothing when it is repeated, and only after it a
notification counts as taken in: where that breaks off, Agora's repeat does the rest.
"""

from typing import cast

from recording_insights.agora.notifications import (
    BACKED_UP,
    CLOUD_RECORDING,
    ERROR,
    FAIL_OVER,
    RECORDER_LEAVE,
    SESSION_EXIT,
    UPLOADED,
    WEB_RECORDER_STOPPED,
    Notification,
)
from recording_insights.recordings.end import end_left, free_channel
from recording_insights.store.notices import NoticeStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

_ENDS = (SESSION_EXIT, RECORDER_LEAVE, WEB_RECORDER_STOPPED, UPLOADED)
_MOMENTS = {UPLOADED: "complete_at", BACKED_UP: "backed_up_at"}
"""Events of which the row keeps when the first one came."""


def take_in(notice: Notification, *, store: RecordingStore, notices: NoticeStore) -> str | None:
    """Note what a notification says; returns why it was ignored, if it was."""
    if notice.product != CLOUD_RECORDING:
        return "it is not about cloud recording"
    if notice.event not in (*_ENDS, *_MOMENTS, ERROR, FAIL_OVER):
        return "nothing follows from this event"
    if notices.has(notice.notice_id):
        return "it was taken in before"
    recording_id = store.recorders.find(notice.sid) if notice.sid else None
    recording = store.find(recording_id) if recording_id else None
    # A recording that was begun again under its id has another recorder.
    if recording is None or recording.get("sid") != notice.sid:
        return "its recorder was not started here"
    _note(notice, recording, store)
    notices.keep(notice.notice_id)
    return None


def _note(notice: Notification, recording: RecordingRow, store: RecordingStore) -> None:
    recording_id = recording["recording_id"]
    if notice.event in _ENDS:
        # The recorder that leaves may be one that is replaced; the news of that may come before or after.
        if notice.event == RECORDER_LEAVE and ("fail_overs" in recording or not notice.ends_recording):
            return
        end_left(recording_id, store=store, why=_why(notice))
        free_channel(recording, store=store)
    if notice.event in _MOMENTS:
        name = _MOMENTS[notice.event]
        store.update(recording_id, cast(RecordingChanges, {name: store.timestamp}), only_without=name)
    elif notice.event == ERROR:
        store.update(recording_id, {"agora_error": notice.error})
    elif notice.event == FAIL_OVER and recording.get("last_fail_over") != notice.notice_id:
        count = recording.get("fail_overs", 0) + 1
        store.update(recording_id, {"fail_overs": count, "last_fail_over": notice.notice_id})


def _why(notice: Notification) -> str:
    if notice.event == UPLOADED:
        return "all of its files are uploaded"
    return notice.leave_cause if notice.event == RECORDER_LEAVE else notice.exit_meaning
