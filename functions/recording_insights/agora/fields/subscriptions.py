"""Which users a recorder records: uids to subscribe to or to leave out, for audio and for video.

Source: `subscribeAudioUids` and its like in https://docs.agora.io/en/cloud-recording/reference/restful-api. Agora's
pages disagree on the spelling of the lists to leave out, so both spellings are sent. If only one were sent and Agora
ignored it, the recorder would record users who must be left out.
"""

from collections.abc import Mapping
from typing import Any

from recording_insights.agora.fields.translation import Field, Fields
from recording_insights.agora.fields.uids import ALL_UIDS, uid_list, uids_or_all
from recording_insights.errors import InvalidRequest
from recording_insights.validation import Reader


def _left_out(medium: str) -> Reader[dict[str, Any]]:
    spellings = (f"unsubscribe{medium}Uids", f"unSubscribe{medium}Uids")
    return uid_list.mapped(lambda uids: dict.fromkeys(spellings, uids))


AUDIO_LISTS: Fields = {
    "subscribe_audio_uids": Field("subscribeAudioUids", uids_or_all),
    "unsubscribe_audio_uids": Field(None, _left_out("Audio")),
}
VIDEO_LISTS: Fields = {
    "subscribe_video_uids": Field("subscribeVideoUids", uids_or_all),
    "unsubscribe_video_uids": Field(None, _left_out("Video")),
}
SUBSCRIPTIONS: Fields = {**AUDIO_LISTS, **VIDEO_LISTS}


def check_subscriptions(given: Mapping[str, Any]) -> None:
    """Check that the lists of a start fit each other, and that the recorder records audio.

    Raises:
        InvalidRequest: names the list that does not fit.
    """
    check_pairs(given)
    if "subscribe_video_uids" in given and "subscribe_audio_uids" not in given:
        raise InvalidRequest("subscribe_audio_uids", "is required beside subscribe_video_uids, or no audio is recorded")
    if "unsubscribe_video_uids" in given and not AUDIO_LISTS.keys() & given.keys():
        either = " or ".join(AUDIO_LISTS)
        raise InvalidRequest("unsubscribe_video_uids", f"needs {either} beside it, or no audio may be recorded")


def check_pairs(given: Mapping[str, Any]) -> None:
    """Check that each medium has either a list to subscribe to or a list to leave out.

    Raises:
        InvalidRequest: both are given; names the list to leave out.
    """
    for subscribe, leave_out in (AUDIO_LISTS, VIDEO_LISTS):
        if subscribe in given and leave_out in given:
            raise InvalidRequest(leave_out, f"must not stand beside {subscribe}")


def after_change(recording: Mapping[str, Any], lists: Mapping[str, Any]) -> dict[str, Any]:
    """Return all lists of a channel's recorder after a change of some; the others stay as they are on the row.

    A list to subscribe to makes Agora leave out the other medium. So the other medium gets a list too if it is
    recorded: "all", unless the start named audio uids and no video uids.
    """
    current = {name: recording[name] for name in SUBSCRIPTIONS if recording.get(name) is not None}
    current = {name: list(map(str, uids)) if isinstance(uids, list) else uids for name, uids in current.items()}
    records_video = not recording.get("audio_only") and "subscribe_audio_uids" not in current
    for medium in (AUDIO_LISTS, VIDEO_LISTS) if records_video else (AUDIO_LISTS,):
        if not medium.keys() & current.keys():
            current[next(iter(medium))] = ALL_UIDS
    changed = [medium for medium in (AUDIO_LISTS, VIDEO_LISTS) if medium.keys() & lists.keys()]
    kept = {name: uids for name, uids in current.items() if not any(name in medium for medium in changed)}
    return kept | dict(lists)


def stream_subscribe(lists: Mapping[str, Any]) -> dict[str, Any]:
    """Return `streamSubscribe` of update: Agora's lists, grouped by medium."""
    by_medium = {
        "audioUidList": {name: uids for name, uids in lists.items() if "Audio" in name},
        "videoUidList": {name: uids for name, uids in lists.items() if "Video" in name},
    }
    return {name: of_medium for name, of_medium in by_medium.items() if of_medium}
