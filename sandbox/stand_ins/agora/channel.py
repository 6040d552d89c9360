"""The channel that is recorded: its participants, the audio and video they send, and accidents of the recorder."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.stand_ins.agora.cameras import Cameras
from sandbox.stand_ins.agora.checks import uid
from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.media import Cut, Media, Medium, Span, Unplayable, cut_ts, duration_of, playable
from sandbox.stand_ins.agora.subscriptions import SPELLINGS
from sandbox.stand_ins.agora.voices import Voices, without

MIXED = "0"
"""The uid of the mix of all participants."""

_TRANSCODED_RATE = 48_000
_MOST_FAIL_OVERS = 3
"""The next one ends the task. Source: docs.agora.io/en/api-reference/faq/integration/high_availability."""
_STREAM_TYPES: Sequence[tuple[Medium, ...]] = (("audio",), ("video",), ("audio", "video"))
_MIXED: Sequence[Media] = ("audio", "video", "audio_and_video")
_BOTH = 2
"""Of streamTypes, which is the place in both lists."""
_PAUSE = {"uid", "from_seconds", "to_seconds"}


class NoChannel(Exception):
    """The dials describe no channel. The message names the dial that is wrong."""


@dataclass(frozen=True)
class Stream:
    """The source of one playlist: the mix of all participants, of audio, video or both, or one medium of one uid.

    `media` returns the file to cut, and creates it at the first call. In the seconds of `gaps` nothing is recorded.
    """

    uid: str
    medium: Media
    media: Callable[[], Path]
    gaps: Sequence[Span] = ()

    @property
    def mixed(self) -> bool:
        return self.uid == MIXED

    def cut(self, start: float, end: float) -> Cut:
        return cut_ts(self.media(), start, end, media=self.medium, priming=self.mixed)


@dataclass(frozen=True)
class Channel:
    """A channel in which media is played for `seconds`, `speed` times as fast as real time.

    `streams` has all participants, subscribed or not. `idle_seconds` are seconds of real time.
    """

    seconds: float
    speed: float
    idle_seconds: float
    streams: Sequence[Stream]
    dials: AgoraDials

    @property
    def slice_seconds(self) -> float:
        return self.dials.slice_seconds or 15.0

    def mp4_seconds(self, begins: float, minutes: int) -> float:
        """Return the length at which an MP4 ends, for a recorder that begins at this second. Agora has `minutes`."""
        if self.dials.parts > 1:
            return (self.seconds - begins) / self.dials.parts
        return self.dials.mp4_seconds or minutes * 60.0

    @property
    def accidents(self) -> list[tuple[float, bool]]:
        """The seconds of media at which the recorder dies, each with whether the task ends then; in order."""
        at = self.dials.fail_over_at_seconds
        fail_overs = sorted(second for second in (at if isinstance(at, list) else [at]) if second > 0)
        planned = [(second, place >= _MOST_FAIL_OVERS) for place, second in enumerate(fail_overs)]
        return sorted(
            (at, is_end) for at, is_end in [*planned, (self.dials.exit_at_seconds, True)] if 0 < at < self.seconds
        )


@dataclass(frozen=True)
class ParticipantMedia:
    """Creates the media that each uid sends: its voice, and the video of its camera."""

    voices: Voices
    cameras: Cameras


def open_channel(
    dials: AgoraDials,
    sample: Path,
    scratch: Path,
    participants: ParticipantMedia,
    mode: str,
    config: Mapping[str, Any],
    idle: float,
) -> Channel:
    """Open the channel that a start with this recordingConfig records.

    The recorder leaves after `idle` seconds in an empty channel. Raises NoChannel.
    """
    source = Path(dials.media_path) if dials.media_path else sample
    try:
        name = hashlib.sha256(f"{source} {source.stat().st_mtime_ns}".encode()).hexdigest()
        media = playable(source, scratch / f"{name}.mp4")
        length = duration_of(media)
    except (Unplayable, OSError) as error:
        raise NoChannel(f"the dial agora.media_path cannot be played: {error}") from error
    if not dials.uids or len(set(dials.uids)) < len(dials.uids) or not all(map(uid, dials.uids)):
        raise NoChannel("the dial agora.uids must hold different uids, 1 to 4294967295")
    if dials.unsubscribe_spelling not in SPELLINGS:
        raise NoChannel(f"the dial agora.unsubscribe_spelling must be one of {', '.join(SPELLINGS)}")
    streams = _streams(dials, media, length, participants, config)
    return Channel(
        seconds=length if dials.recording_seconds is None else min(length, dials.recording_seconds),
        speed=max(dials.speed, 0.01),
        idle_seconds=idle / max(dials.idle_speed, 0.01),
        streams=streams if mode == "individual" else [_mix(media, length, participants, mode, config)],
        dials=dials,
    )


def _mix(media: Path, length: float, participants: ParticipantMedia, mode: str, config: Mapping[str, Any]) -> Stream:
    """The stream of all participants, or of a page, which always has a picture."""
    medium = _MIXED[_BOTH if mode == "web" else config.get("streamTypes", _BOTH)]
    cameras = participants.cameras
    made: Mapping[Media, Callable[[], Path]] = {
        "audio": lambda: media,
        "video": lambda: cameras.video(MIXED, length, low=False),
        "audio_and_video": lambda: cameras.beside(media, MIXED, length),
    }
    return Stream(MIXED, medium, made[medium])


def _streams(
    dials: AgoraDials, media: Path, length: float, participants: ParticipantMedia, config: Mapping[str, Any]
) -> list[Stream]:
    """Streams of each uid. A muted uid is silent in a transcoded stream, and leaves a gap in an original one."""
    mutes, dark = _pauses(dials.uids, "mutes", dials.mutes), _pauses(dials.uids, "cameras_off", dials.cameras_off)
    as_sent, low = config.get("streamMode") == "original", config.get("videoStreamType") == 1

    def said(voice: int, silent: Sequence[Span]) -> Path:
        turns = participants.voices.turns(media, len(dials.uids))
        own = turns[voice] if voice < len(turns) else []
        return participants.voices.alone(media, without(own, silent), None if as_sent else _TRANSCODED_RATE)

    def sent(voice: int, who: str, medium: Medium) -> Stream:
        if medium == "video":
            return Stream(who, medium, partial(participants.cameras.video, who, length, low=low), dark[who])
        return Stream(who, medium, partial(said, voice, () if as_sent else mutes[who]), mutes[who] if as_sent else ())

    media_types = _STREAM_TYPES[config.get("streamTypes", _BOTH)]
    return [sent(voice, who, medium) for voice, who in enumerate(dials.uids) for medium in media_types]


def _pauses(uids: Sequence[str], dial: str, given: Sequence[Mapping[str, Any]]) -> dict[str, list[Span]]:
    """When each uid is muted, or its camera is off, in order."""
    paused: dict[str, list[Span]] = {who: [] for who in uids}
    for index, pause in enumerate(given):
        where = f"the dial agora.{dial}[{index}]"
        if pause.keys() != _PAUSE:
            raise NoChannel(f"{where} must have uid, from_seconds and to_seconds")
        if pause["uid"] not in paused:
            raise NoChannel(f"{where}.uid is not one of agora.uids")
        begin, end = pause["from_seconds"], pause["to_seconds"]
        if not (_seconds(begin) and _seconds(end) and begin < end):
            raise NoChannel(f"{where} must go from seconds to later seconds")
        paused[pause["uid"]].append((float(begin), float(end)))
    return {who: sorted(spans) for who, spans in paused.items()}


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf
