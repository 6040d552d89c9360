"""Whom a recorder hears and sees: uids to take, or uids to leave out, for sound and for picture.

Source: `subscribeAudioUids` and its like in https://docs.agora.io/en/cloud-recording/reference/restful-api. Agora's
sources disagree on how the lists of those to leave out are spelt, so both spellings are sent: were the wrong one
alone ignored, somebody would be recorded who was to be left out.
"""

from collections.abc import Mapping
from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.validation import EVERYBODY, Field, Fields, Read, few_uids, uids


def _left_out(medium: str) -> Read:
    def read(path: str, value: Any) -> Any:
        return dict.fromkeys((f"unsubscribe{medium}Uids", f"unSubscribe{medium}Uids"), few_uids(path, value))

    return read


HEARD: Fields = {
    "subscribe_audio_uids": Field("subscribeAudioUids", uids),
    "unsubscribe_audio_uids": Field(None, _left_out("Audio")),
}
SEEN: Fields = {
    "subscribe_video_uids": Field("subscribeVideoUids", uids),
    "unsubscribe_video_uids": Field(None, _left_out("Video")),
}
SUBSCRIPTIONS: Fields = {**HEARD, **SEEN}


def check_subscriptions(given: Mapping[str, Any]) -> None:
    """Of a start: the lists fit each other, and somebody is heard.

    Raises:
        InvalidRequest: names the list that does not fit.
    """
    check_pairs(given)
    if "subscribe_video_uids" in given and "subscribe_audio_uids" not in given:
        raise InvalidRequest("subscribe_audio_uids", "is required beside subscribe_video_uids, or nobody is heard")
    if "unsubscribe_video_uids" in given and not HEARD.keys() & given.keys():
        either = " or ".join(HEARD)
        raise InvalidRequest("unsubscribe_video_uids", f"needs {either} beside it, or nobody may be heard")


def check_pairs(given: Mapping[str, Any]) -> None:
    """Of a medium, either those to take or those to leave out are named; raises as `check_subscriptions`."""
    for take, leave_out in (HEARD, SEEN):
        if take in given and leave_out in given:
            raise InvalidRequest(leave_out, f"must not stand beside {take}")


def after_change(recording: Mapping[str, Any], lists: Mapping[str, Any]) -> dict[str, Any]:
    """All lists of a channel's recorder once some are changed; a medium that none of them names stays as in its row.

    Naming whom to take of one medium makes Agora leave out the other, so that is named as well where it is recorded:
    "all", unless the start has named whom to hear and nobody to see.
    """
    named = {name: recording[name] for name in SUBSCRIPTIONS if recording.get(name) is not None}
    named = {name: list(map(str, who)) if isinstance(who, list) else who for name, who in named.items()}
    sees = not recording.get("audio_only") and "subscribe_audio_uids" not in named
    for medium in (HEARD, SEEN) if sees else (HEARD,):
        if not medium.keys() & named.keys():
            named[next(iter(medium))] = EVERYBODY
    changed = [medium for medium in (HEARD, SEEN) if medium.keys() & lists.keys()]
    return {name: who for name, who in named.items() if not any(name in medium for medium in changed)} | dict(lists)


def stream_subscribe(told: Mapping[str, Any]) -> dict[str, Any]:
    """`streamSubscribe` of update, out of Agora's lists."""
    lists = {
        "audioUidList": {name: who for name, who in told.items() if "Audio" in name},
        "videoUidList": {name: who for name, who in told.items() if "Video" in name},
    }
    return {name: of_medium for name, of_medium in lists.items() if of_medium}
