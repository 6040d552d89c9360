"""When a recorder began to record, from the start times in the names of its segments.

A recorder that takes over after a failure numbers its MP4s from 0 again. Its segments tell when its first MP4 begins.
"""

from collections.abc import Sequence

from recording_insights.agora.file_names import AgoraName
from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.hls.playlist import begins_at_ms
from recording_insights.media.track import TrackFiles


def begins_after_ms(key: str, files: TrackFiles, *, channel: str = "") -> int | None:
    """Return the time in ms from the recording's first sound to the first MP4 of a recorder that took over.

    Returns None for every other file, including the first MP4 of the first recorder. Returns None too if the segments
    of one of both recorders are missing. `channel` is the channel's name if the recording's row has it.
    """
    folder, slash, last = key.rpartition("/")
    name = AgoraName.parse(last, channel=channel)
    if name is None or not name.recorder or name.mp4_number != 0:
        return None
    own, first = name.playlist.removesuffix(".m3u8"), name.stem
    listed = [files.list(f"{folder}{slash}{begin}_") for begin in (first, own)]
    # A list of `a` holds the files of `a_b` too.
    first_files, own_files = [[file for file in each if _is_of(name, file)] for each in listed]
    return delay_ms(first_files, own_files)


def delay_ms(first: Sequence[StoredFile], later: Sequence[StoredFile]) -> int | None:
    """Return how many ms after one recorder another one began, 0 if the clocks say that it began before.

    Both arguments are files of one recorder, in any order. Returns None if either has no segment with a start time.
    """
    zero, begins = _first_segment_ms(first), _first_segment_ms(later)
    return None if begins is None or zero is None else max(begins - zero, 0)


def _is_of(name: AgoraName, file: StoredFile) -> bool:
    other = AgoraName.parse(file.name, channel=name.channel)
    return other is not None and other.stem == name.stem


def _first_segment_ms(listed: Sequence[StoredFile]) -> int | None:
    """Return the earliest start time (unix ms) of the segments among these files."""
    starts = [
        start
        for file in listed
        if (name := AgoraName.parse(file.name)) and name.is_segment and (start := begins_at_ms(file.name)) is not None
    ]
    return min(starts, default=None)
