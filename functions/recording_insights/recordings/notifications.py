"""Process Agora's notifications. They only show the end of a recording earlier: no other module depends on them.

Notifications arrive in any order, twice or never. Repeating an effect changes nothing. A notification counts as
processed only after its effects are written, so Agora's repeat completes what a crash interrupted.
"""

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
from recording_insights.store.rows import RecordingRow

_ENDS = (SESSION_EXIT, RECORDER_LEAVE, WEB_RECORDER_STOPPED, UPLOADED)
_EVENTS = (*_ENDS, BACKED_UP, ERROR, FAIL_OVER)


def process_notification(notice: Notification, *, store: RecordingStore, notices: NoticeStore) -> str | None:
    """Write what a notification says about its recording; returns the reason if the notification was ignored."""
    if not notice.is_timely(store.now()):
        return "by its notifyMs it was sent more than a day from now: somebody may have replayed it"
    if notice.product != CLOUD_RECORDING:
        return "it is not about cloud recording"
    if notice.event not in _EVENTS:
        return "nothing follows from this event"
    if notices.has(notice.notice_id):
        return "it was processed before"
    recording_id = store.recorders.find(notice.sid) if notice.sid else None
    recording = store.find(recording_id) if recording_id else None
    # After a repeated start the recording has another recorder than the one that this notification is about.
    if recording is None or recording.get("sid") != notice.sid:
        return "its recorder was not started here"
    _write_end(notice, recording, store)
    _write_event(notice, recording, store)
    notices.keep(notice.notice_id)
    return None


def _write_end(notice: Notification, recording: RecordingRow, store: RecordingStore) -> None:
    if notice.event not in _ENDS:
        return
    # After a fail-over another recorder goes on. The fail-over's own notification may arrive before or after this one.
    if notice.event == RECORDER_LEAVE and ("fail_overs" in recording or not notice.ends_recording):
        return
    end_left(recording["recording_id"], store=store, why=_why(notice))
    free_channel(recording, store=store)


def _write_event(notice: Notification, recording: RecordingRow, store: RecordingStore) -> None:
    recording_id = recording["recording_id"]
    if notice.event == UPLOADED:
        store.update(recording_id, {"complete_at": store.timestamp}, only_without="complete_at")
    elif notice.event == BACKED_UP:
        store.update(recording_id, {"backed_up_at": store.timestamp}, only_without="backed_up_at")
    elif notice.event == ERROR:
        store.update(recording_id, {"agora_error": notice.error})
    elif notice.event == FAIL_OVER:
        store.count_fail_over(recording_id, notice.notice_id)


def _why(notice: Notification) -> str:
    if notice.event == UPLOADED:
        return "all of its files are uploaded"
    return notice.leave_cause if notice.event == RECORDER_LEAVE else notice.exit_meaning
