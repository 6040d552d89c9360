"""Cuts media without decoding it: a recorder writes parts of the media that is played."""

import heapq
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import av
from av.video.reformatter import ColorRange

Medium = Literal["audio", "video"]
Media = Medium | Literal["audio_and_video"]
"""What a stream holds, in Agora's words for a trackType."""
Span = tuple[float, float]
"""(start, end) in seconds of media; the end is excluded."""

_TRACKS: Mapping[Media, Sequence[Medium]] = {
    "audio": ("audio",),
    "video": ("video",),
    "audio_and_video": ("audio", "video"),
}
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_AAC_BIT_RATE = 48_000
_AAC_FRAME = 1024


class Unplayable(Exception):
    """The file is missing, is not media, or has no audio."""


@dataclass(frozen=True)
class Cut:
    """An MPEG transport stream. `start` and `end` are seconds of the original media."""

    content: bytes
    start: float
    end: float


def duration_of(mp4: Path) -> float:
    """Return the length of the audio track in seconds."""
    with av.open(str(mp4)) as container:
        track = container.streams.audio[0]
        if track.duration is None or track.time_base is None:
            raise Unplayable("the media has no length in its header")
        return float(track.duration * track.time_base)


def playable(source: Path, converted: Path) -> Path:
    """Return the source if it is an MP4 with AAC audio, else convert it once to `converted`. Raises Unplayable."""
    try:
        with av.open(str(source)) as container:
            if not container.streams.audio:
                raise Unplayable("the media has no audio stream")
            if container.format.name == _MP4 and container.streams.audio[0].codec_context.name == "aac":
                return source
            if not converted.exists():
                partial = converted.with_suffix(".partial")
                _transcode(container, partial)
                partial.replace(converted)
            return converted
    except (av.FFmpegError, OSError) as error:
        raise Unplayable(f"the media cannot be read: {error.strerror}") from error


def cut_ts(mp4: Path, start: float, end: float, *, media: Media = "audio", priming: bool = True) -> Cut:
    """Copy the frames that begin between these seconds; the clock of the stream continues from cut to cut.

    Audio has frames of 21 to 64 ms: a cut begins and ends a little later than requested. So does a cut of video, of
    which each picture must be a keyframe. `priming` keeps the frame of silence that encoders put before 0.
    """
    target = io.BytesIO()
    copied = _copy(mp4, target, "mpegts", start, end, media=media, priming=priming)
    return Cut(target.getvalue(), *copied) if copied else Cut(b"", start, start)


def still_jpeg(mp4: Path, at: float) -> bytes:
    """Return the picture at this second as a JPEG of the same size. Each picture must be a keyframe."""
    with av.open(str(mp4)) as source:
        track = source.streams.video[0]
        assert track.time_base is not None  # noqa: S101 - a demuxed stream has one
        source.seek(int(at / track.time_base), stream=track)
        picture = next(source.decode(track)).reformat(format="yuv420p", dst_color_range=ColorRange.JPEG)
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, picture.format.name
        encoder.time_base, encoder.color_range = track.time_base, ColorRange.JPEG
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])


def beginning_mp4(mp4: Path, end: float, target: Path) -> None:
    """Write the first `end` seconds of audio as an MP4."""
    part_mp4(mp4, 0.0, end, target)


def part_mp4(mp4: Path, start: float, end: float, target: Path, *, media: Media = "audio") -> None:
    """Write an MP4 from `start` to `end` seconds whose clock begins at 0. Each picture must be a keyframe."""
    _copy(mp4, str(target), "mp4", start, end, media=media, from_zero=True)


def joined_mp4(audio: Path, video: Path, target: Path) -> None:
    """Write an MP4 with the audio of one MP4 and the video of another one."""
    with av.open(str(audio)) as sound, av.open(str(video)) as picture, av.open(str(target), "w", format="mp4") as mp4:
        tracks = sound.streams.audio[0], picture.streams.video[0]
        streams = [mp4.add_stream_from_template(track) for track in tracks]
        packets = [source.demux(track) for source, track in zip((sound, picture), tracks, strict=True)]
        for packet in heapq.merge(*packets, key=_seconds_of):
            if packet.pts is not None:
                packet.stream = streams[packet.stream.type == "video"]
                mp4.mux(packet)


def silence_outside(source: Path, spans: Sequence[Span], target: Path, rate: int | None = None) -> None:
    """Write an MP4 with mono AAC that is silent outside these spans. `rate` is in Hz (None: as the source)."""
    with av.open(str(source)) as media:
        _transcode(media, target, rate, spans)


def _copy(
    mp4: Path,
    target: io.BytesIO | str,
    container_format: str,
    start: float,
    end: float,
    *,
    media: Media = "audio",
    from_zero: bool = False,
    priming: bool = True,
) -> Span | None:
    """Return the copied span, None without one."""
    spans: list[Span] = []
    with av.open(str(mp4)) as source, av.open(target, "w", format=container_format) as copy:
        tracks = [source.streams.get({medium: 0})[0] for medium in _TRACKS[media]]
        streams = {track.index: copy.add_stream_from_template(track) for track in tracks}
        left = set(streams)
        source.seek(_ticks(start, tracks[0]), stream=tracks[0])
        for packet in source.demux(tracks):
            if packet.pts is None:
                continue
            track, at = packet.stream, _seconds_of(packet)
            if at >= end:
                left.discard(track.index)
                if not left:
                    break
            elif at >= start or (priming and not start):  # an encoder's priming lies before 0
                spans.append((at, at + float((packet.duration or 0) * packet.time_base)))
                zero = _ticks(start, track) if from_zero else 0
                packet.pts, packet.dts = packet.pts - zero, None if packet.dts is None else packet.dts - zero
                packet.stream = streams[track.index]
                copy.mux(packet)
    return (min(begin for begin, _ in spans), max(stop for _, stop in spans)) if spans else None


def _ticks(seconds: float, track: av.stream.Stream) -> int:
    assert track.time_base is not None  # noqa: S101 - a demuxed stream has one
    return int(seconds / track.time_base)


def _seconds_of(packet: "av.Packet[Any]") -> float:
    return math.inf if packet.pts is None else float(packet.pts * packet.time_base)


def _transcode(
    source: av.container.InputContainer, target: Path, rate: int | None = None, spans: Sequence[Span] | None = None
) -> None:
    with av.open(str(target), "w", format="mp4") as mp4:
        rate = rate or source.streams.audio[0].codec_context.sample_rate
        stream = mp4.add_stream("aac", rate=rate, layout="mono", bit_rate=_AAC_BIT_RATE)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate, frame_size=_AAC_FRAME)
        at = 0.0

        def encode(frames: Sequence[av.AudioFrame]) -> None:
            nonlocal at
            for frame in frames:
                if spans is not None and not any(start <= at < end for start, end in spans):
                    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
                at += frame.samples / rate
                mp4.mux(stream.encode(frame))

        for frame in source.decode(source.streams.audio[0]):
            encode(resampler.resample(frame))
        encode(resampler.resample(None))
        mp4.mux(stream.encode(None))
