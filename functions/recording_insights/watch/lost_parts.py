"""What each recorder of a mix or a page has left in the recording's folder: when it began, and what no MP4 holds.

A recorder uploads slices all the time, and an MP4 after some hours and at its end. If it dies, that MP4 never comes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recording_insights.agora.file_names import AgoraName
from recording_insights.hls.playlist import begins_at_ms
from recording_insights.hls.timeline import Timeline
from recording_insights.media.track import StoredFile, Track, TrackFiles
from recording_insights.model.parts import margin_ms, newest_per_key


@dataclass(frozen=True)
class Lack:
    """What the slices of one recorder hold beyond its MP4s, known by the key of its `playlist`.

    It stands for MP4 `number` and all after it, and begins at `continues_at_ms` (unix ms; 0: with the first slice).
    `offset_ms` is the time since the recording's first sound, None if nobody can tell.
    """

    playlist: str
    number: int
    continues_at_ms: int
    offset_ms: int | None


@dataclass(frozen=True)
class _Recorder:
    """What was listed of one recorder's files; `name` is that of any of them."""

    playlist: str
    name: AgoraName
    listed: list[StoredFile] = field(default_factory=list)


def find_lacks(
    listed: Sequence[StoredFile], media: Sequence[Mapping[str, Any]], *, sid: str | None, files: TrackFiles
) -> Iterator[Lack]:
    """One for each recorder whose slices hold more than its MP4s; `media` are the rows of those that came.

    Left alone is a recorder with an MP4 of which nobody could tell the length, or that is there and has no row yet.
    """
    rows = newest_per_key(media)
    recorders = _recorders(listed, sid)
    for recorder in recorders:
        lengths = _lengths(recorder, rows)
        if None in lengths.values():
            continue
        known = {number: int(length or 0) for number, length in lengths.items()}
        number = next(number for number in range(len(known) + 1) if number not in known)
        held_ms = sum(known[before] for before in range(number))
        track = Track.among(recorder.listed, recorder.playlist, files)
        continues_at_ms = _continues_at_ms(track, held_ms, sum(known.values()))
        if continues_at_ms is not None:
            first = next((each for each in recorders if each.name.stem == recorder.name.stem), recorder)
            began_ms = _after(first.listed, recorder.listed) if first.name.recorder == 0 else None
            offset_ms = None if began_ms is None else began_ms + held_ms
            yield Lack(recorder.playlist, number, continues_at_ms, offset_ms)


def begins_after_ms(key: str, files: TrackFiles) -> int | None:
    """How long after the recording's first sound the recorder began whose first MP4 this is.

    None for other files, for the first recorder's own, and where slices do not tell.
    """
    folder, slash, last = key.rpartition("/")
    name = AgoraName.parse(last)
    if name is None or not name.recorder or name.mp4_number != 0:
        return None
    own, first = name.playlist.removesuffix(".m3u8"), name.stem
    return _after(files.list(f"{folder}{slash}{first}_"), files.list(f"{folder}{slash}{own}_"))


def _recorders(listed: Sequence[StoredFile], sid: str | None) -> list[_Recorder]:
    """Who wrote into a folder for all together, the first recorder first."""
    found: dict[str, _Recorder] = {}
    for file in listed:
        name = AgoraName.parse(file.name)
        if name and name.uid is None and name.sid == (sid or name.sid):
            playlist = file.key.removesuffix(file.name) + name.playlist
            found.setdefault(playlist, _Recorder(playlist, name)).listed.append(file)
    return sorted(found.values(), key=lambda recorder: (recorder.name.stem, recorder.name.recorder))


def _lengths(recorder: _Recorder, media: Sequence[Mapping[str, Any]]) -> dict[int, int | None]:
    """How long each MP4 of a recorder is, in ms, by its number; None if nobody knows, or not yet."""
    lengths: dict[int, int | None] = {}
    for key in (file.key for file in recorder.listed):
        lengths |= dict.fromkeys(_number(recorder, key))
    for row in media:
        length = int(row["duration_ms"]) if "duration_ms" in row else None
        lengths |= dict.fromkeys(_number(recorder, str(row["key"])), length)
    return lengths


def _number(recorder: _Recorder, key: str) -> list[int]:
    """The number of a recorder's MP4, nothing if it is none."""
    folder, slash, last = key.rpartition("/")
    name = AgoraName.parse(last)
    is_own = name is not None and f"{folder}{slash}{name.playlist}" == recorder.playlist
    return [name.mp4_number] if name and is_own and name.mp4_number is not None else []


def _continues_at_ms(track: Track, held_ms: int, all_held_ms: int) -> int | None:
    """Where what is missing begins behind so much that MP4s hold; None if nothing is, or nobody can tell.

    Measured in sound, not by the clock: while a page is on hold, neither slices nor MP4s grow.
    """
    timeline = track.timeline
    if not all_held_ms:
        return 0 if timeline.segments or track.slices else None
    lengths = [segment.length_ms for segment in timeline.segments]
    if sum(lengths) - all_held_ms <= margin_ms(all_held_ms) or sum(lengths[:-1]) < held_ms:
        return None
    if not held_ms:
        return 0
    return None if timeline.starts_at_ms is None else timeline.starts_at_ms + _moment(timeline, held_ms)


def _moment(timeline: Timeline, held_ms: int) -> int:
    """When so much was heard, in ms from the first slice on."""
    left = held_ms
    for segment in timeline.segments:
        if left < segment.length_ms:
            return segment.at_ms + left
        left -= segment.length_ms
    raise ValueError(f"the slices end {left} ms before")


def _after(first: Sequence[StoredFile], then: Sequence[StoredFile]) -> int | None:
    """How many ms one recorder began after another, by the stamps of their first slices."""
    begins, zero = _first(then), _first(first)
    return None if begins is None or zero is None else max(begins - zero, 0)


def _first(listed: Sequence[StoredFile]) -> int | None:
    """When the first of these slices begins."""
    stamps = [
        stamp
        for file in listed
        if (name := AgoraName.parse(file.name)) and name.is_slice and (stamp := begins_at_ms(file.name)) is not None
    ]
    return min(stamps, default=None)
