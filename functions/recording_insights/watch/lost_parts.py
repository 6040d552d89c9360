"""The parts that recorders of a mix or a web page recorded, but never uploaded as MP4s.

A recorder uploads segments all the time, and an MP4 after some hours and at its end. If the recorder dies, its last
MP4 never arrives, but the segments hold the same sound.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recording_insights.agora.file_names import AgoraName
from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.hls.timeline import Timeline
from recording_insights.media.begins import delay_ms
from recording_insights.media.track import Track, TrackFiles
from recording_insights.model.parts import margin_ms, newest_per_key
from recording_insights.store.rows import MediaRow


@dataclass(frozen=True)
class LostParts:
    """The parts of one recorder that only its segments hold.

    `playlist` is the key of the recorder's playlist. `number` is the number of the first lost part; every later part
    counts as lost too. `continues_at_ms` is when the lost parts begin (unix ms), or 0 if they begin with the first
    segment. `offset_ms` is the time from the recording's first sound to the first lost part, or None if unknown.
    """

    playlist: str
    number: int
    continues_at_ms: int
    offset_ms: int | None


@dataclass(frozen=True)
class _RecorderFiles:
    """The files of one recorder; `playlist` is the key of its playlist, `name` is the name of any of the files."""

    playlist: str
    name: AgoraName
    listed: list[StoredFile] = field(default_factory=list)


def find_lost_parts(
    listed: Sequence[StoredFile], media: Sequence[MediaRow], *, sid: str | None, channel: str, files: TrackFiles
) -> Iterator[LostParts]:
    """Yield the lost parts of each recorder whose segments hold more than its MP4s.

    `listed` are the files of the recording's folder, `media` the rows of the recording's media objects. `channel` is
    the channel's name in the recording's row, empty if unknown. A recorder is skipped if one of its MP4s has an unknown
    length, or is in the folder and has no row yet.
    """
    rows = newest_per_key(media)
    recorders = _recorders(listed, sid, channel)
    for recorder in recorders:
        lengths = _lengths(recorder, rows)
        known = {number: length for number, length in lengths.items() if length is not None}
        if len(known) < len(lengths):
            continue
        number = next(number for number in range(len(known) + 1) if number not in known)
        before_ms = sum(known[earlier] for earlier in range(number))
        track = Track.of_listed(recorder.listed, recorder.playlist, files)
        continues_at_ms = _continues_at_ms(track, known, before_ms)
        if continues_at_ms is not None:
            began_ms = _began_ms(recorder, recorders)
            offset_ms = None if began_ms is None else began_ms + before_ms
            yield LostParts(recorder.playlist, number, continues_at_ms, offset_ms)


def _recorders(listed: Sequence[StoredFile], sid: str | None, channel: str) -> list[_RecorderFiles]:
    """Group the files of mixes and web pages by recorder, the first recorder first."""
    found: dict[str, _RecorderFiles] = {}
    for file in listed:
        name = AgoraName.parse(file.name, channel=channel)
        if name and name.uid is None and name.sid == (sid or name.sid):
            playlist = file.key.removesuffix(file.name) + name.playlist
            found.setdefault(playlist, _RecorderFiles(playlist, name)).listed.append(file)
    return sorted(found.values(), key=lambda recorder: (recorder.name.stem, recorder.name.recorder))


def _began_ms(recorder: _RecorderFiles, recorders: Sequence[_RecorderFiles]) -> int | None:
    """Return how many ms after the first recorder this one began; None if the first one left no file."""
    first = next((each for each in recorders if each.name.stem == recorder.name.stem), recorder)
    return delay_ms(first.listed, recorder.listed) if first.name.recorder == 0 else None


def _lengths(recorder: _RecorderFiles, media: Sequence[MediaRow]) -> dict[int, int | None]:
    """Return the length in ms of each MP4 of a recorder by its number; None if it is unknown, or has no row yet."""
    lengths: dict[int, int | None] = {}
    for file in recorder.listed:
        number = _mp4_number(recorder, file.key)
        if number is not None:
            lengths[number] = None
    for row in media:
        number = _mp4_number(recorder, row["key"])
        if number is not None:
            lengths[number] = row.get("duration_ms")
    return lengths


def _mp4_number(recorder: _RecorderFiles, key: str) -> int | None:
    """Return the number of an MP4 of this recorder; None for any other file."""
    folder, slash, last = key.rpartition("/")
    name = AgoraName.parse(last, channel=recorder.name.channel)
    is_own = name is not None and f"{folder}{slash}{name.playlist}" == recorder.playlist
    return name.mp4_number if name and is_own else None


def _continues_at_ms(track: Track, mp4_lengths: Mapping[int, int], before_ms: int) -> int | None:
    """Return when the lost parts begin (unix ms, 0: with the first segment); None if none is lost, or it is unknown.

    `before_ms` is the length of the MP4s before the first lost part. Lengths of sound are compared, not times: while a
    web page is on hold, neither segments nor MP4s grow.
    """
    timeline = track.timeline
    mp4s_ms = sum(mp4_lengths.values())
    if not mp4s_ms:
        return 0 if timeline.segments or track.segment_keys else None
    lengths = [segment.length_ms for segment in timeline.segments]
    if sum(lengths) - mp4s_ms <= margin_ms(mp4s_ms) or sum(lengths[:-1]) < before_ms:
        return None
    if not before_ms:
        return 0
    return None if timeline.starts_at_ms is None else timeline.starts_at_ms + _position_ms(timeline, before_ms)


def _position_ms(timeline: Timeline, sound_ms: int) -> int:
    """Return the time in ms from the first segment's start until so much sound has passed."""
    left = sound_ms
    for segment in timeline.segments:
        if left < segment.length_ms:
            return segment.at_ms + left
        left -= segment.length_ms
    raise ValueError(f"the segments end {left} ms before the MP4s do")
