"""Media objects that lie in the recordings bucket and have no row: their events were lost, or failed for too long."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.deadline import Deadline
from recording_insights.media.without_row import media_without_row
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.store.recordings import RecordingStore
from recording_insights.sweep.step import RESERVE_SECONDS, Step

_LISTED = 1000
"""Objects that S3 lists in one call."""


def admit_media_without_row(
    files: Iterable[StoredFile],
    *,
    bucket: str,
    store: RecordingStore,
    admit: Callable[[MediaObject], Mapping[str, Any]],
    modified_since: datetime,
    sweeping_since: datetime,
    deadline: Deadline,
) -> Step:
    """Admit the media that no row is for, as their events would have, and return the key to go on after.

    `files` are in the order of their keys. Those written before `modified_since` are not looked at. Media that were
    written before `sweeping_since` are counted as `left_alone`. A fault with one object is counted, and the next sweep
    of the bucket tries the object again.
    """
    step = Step(cursor="")
    left = iter(files)
    while listed := list(islice(left, _LISTED)):
        recent = [file for file in listed if file.modified >= modified_since]
        for _, folder in groupby(recent, key=lambda file: file.key.rpartition("/")[0]):
            for media in without_row_in_folder(list(folder), bucket, store):
                if deadline.seconds_left < RESERVE_SECONDS:
                    return step
                if media.created_at < sweeping_since:
                    step.counts["left_alone"] += 1
                else:
                    step.attempt(_outcome, admit, media)
                step.cursor = media.playlist or media.key
        step.cursor = listed[-1].key
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
    return Step(step.counts)


def _outcome(admit: Callable[[MediaObject], Mapping[str, Any]], media: MediaObject) -> str:
    return "ignored" if "ignored" in admit(media) else "admitted"


def without_row_in_folder(files: Sequence[StoredFile], bucket: str, store: RecordingStore) -> Iterator[MediaObject]:
    """Yield the media of one folder that no row is for. The rows of each recording are read once."""
    arrived = [MediaObject(bucket, file.key, file.etag, file.size, file.modified).in_channel("") for file in files]
    recording = store.find_by_folder(arrived[0])
    if recording:
        rows = store.media_rows(recording["recording_id"])
        return media_without_row(files, rows, bucket=bucket, recording=recording)
    media = [each for each in arrived if why_ignored(each) is None]
    recordings = {name for each in media for name in (each.own_recording_id, *each.earlier_recording_ids)}
    rows = [row for recording_id in sorted(recordings) for row in store.media_rows(recording_id)]
    return media_without_row(files, rows, bucket=bucket)
