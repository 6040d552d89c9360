"""Cuts media without decoding it: a recorder writes parts of the media that is played."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.video.reformatter import ColorRange

Medium = Literal["audio", "video"]
Span = tuple[float, float]
"""(start, end) in seconds of media; the end is excluded."""

_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_AAC_BIT_RATE = 48_000
_AAC_FRAME = 1024


class Unplayable(Exception):
    """The file is missing, is not media, or has no audio."""


@dataclass(frozen=True)
class Cut:
    """An MPEG transport stream with one track. `start` and `end` are seconds of the original media."""

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


def cut_ts(mp4: Path, start: float, end: float, *, medium: Medium = "audio", priming: bool = True) -> Cut:
    """Copy the frames that begin between these seconds; the clock of the stream continues from cut to cut.

    Audio has frames of 21 to 64 ms: a cut begins and ends a little later than requested. So does a cut of video, of
    which each picture must be a keyframe. `priming` keeps the frame of silence that encoders put before 0.
    """
    target = io.BytesIO()
    copied = _copy(mp4, target, "mpegts", start, end, medium=medium, priming=priming)
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


def part_mp4(mp4: Path, start: float, end: float, target: Path) -> None:
    """Write the audio from `start` to `end` seconds as an MP4 whose clock begins at 0."""
    _copy(mp4, str(target), "mp4", start, end, from_zero=True)


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
    medium: Medium = "audio",
    from_zero: bool = False,
    priming: bool = True,
) -> Span | None:
    """Return the copied span, None without one."""
    copied: Span | None = None
    with av.open(str(mp4)) as source, av.open(target, "w", format=container_format) as copy:
        track = source.streams.get({medium: 0})[0]
        stream = copy.add_stream_from_template(track)
        assert track.time_base is not None  # noqa: S101 - a demuxed stream has one
        source.seek(int(start / track.time_base), stream=track)
        zero = int(start / track.time_base) if from_zero else 0
        for packet in source.demux(track):
            if packet.pts is None:
                continue
            at = float(packet.pts * track.time_base)
            if at >= end:
                break
            if at >= start or (priming and not start):  # an encoder's priming lies before 0
                copied = (copied[0] if copied else at, at + float((packet.duration or 0) * track.time_base))
                packet.pts, packet.dts = packet.pts - zero, None if packet.dts is None else packet.dts - zero
                packet.stream = stream
                copy.mux(packet)
    return copied


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
