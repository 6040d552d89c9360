"""The end of a recording, noted once, whoever learns of it first: a stop, another start, the watch, a notification."""

from collections.abc import Mapping
from typing import Any, Literal

from recording_insights.recordings.request import claimed_name
from recording_insights.store.recordings import Item, RecordingStore

UNDER_WAY = ("starting", "recording")


def end_stopped(recording_id: str, *, store: RecordingStore, empty: str | None) -> Item | None:
    """Note that the recorder was told to leave; `empty` says why no file will ever come.

    Returns the recording as it is then, None if its end was noted before.
    """
    if empty is None:
        return _end(recording_id, {"status": "stopping"}, by="stop", store=store)
    ending = {"status": "empty", "reason": empty, "complete_at": store.timestamp}
    return _end(recording_id, ending, by="stop", store=store)


def end_left(recording_id: str, *, store: RecordingStore, why: str) -> Item | None:
    """Note that the recorder has left without having been told by us; returns as `end_stopped`."""
    ending = {"status": "stopping", "reason": f"the recorder left by itself ({why})"}
    return _end(recording_id, ending, by="recorder", store=store)


def free_channel(recording: Item, *, store: RecordingStore) -> None:
    """Give the recording's channel up, if it still belongs to it."""
    channel = claimed_name(str(recording["channel"]), str(recording.get("mode", "mix")))
    store.release(channel, str(recording["recording_id"]))


def _end(
    recording_id: str, ending: Mapping[str, Any], *, by: Literal["stop", "recorder"], store: RecordingStore
) -> Item | None:
    ended = {"stopped_at": store.timestamp, "ended_by": by}
    # Its first files may be here already; then its status follows from them.
    return store.update(
        recording_id, {**ended, **ending}, only_in=UNDER_WAY, only_without="stopped_at"
    ) or store.update(recording_id, ended, only_without="stopped_at")
