"""Makes a file that a provider takes of the sound of a media file: its packets are copied, or it is encoded anew.

A copy loses nothing and takes seconds. It is made if a container that the provider takes may hold the codec. Otherwise
the sound becomes AAC in an MP4, which every provider takes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import av

from recording_insights.hls.remux.output_track import EncodedTrack
from recording_insights.hls.remux.segments import AudioFormat, SegmentAudio

LONGEST_HOURS = 10
"""Upper bound on the sound that is encoded: the function has 15 minutes. See docs/decisions/media-formats.md."""
MOST_BYTES = 2 << 30
"""Upper bound on a copy. The function has 4 GiB of scratch space, and providers take no more than this."""
RATE = 16_000
"""Samples a second of encoded sound. Speech has little above 8 kHz, and the encoder is twice as fast as at 48 kHz."""
BIT_RATE = 56_000
"""Bits a second of one encoded channel, for a fast encoder. Ten hours of two channels take 504 MB."""
ENCODED = "mp4"
"""Format of the file that is encoded anew."""
ADVICE = "upload it as .mp4, .m4a, .mp3 or .wav"

_TOLERANCE_MS = 200.0
"""A shorter gap between timestamps is none: some containers round them."""
_BETWEEN_CHECKS = 256
"""Packets between two looks at the clock."""


class CannotConvert(Exception):
    """Raised when no file can be made, now or later. The message says why, and what to do."""


class _CannotCopy(Exception):
    """The packets fit into no container that is wanted, or have gaps between them."""


class MediaFile(Protocol):
    """A file that is read and seeked in."""

    def read(self, count: int = -1, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...


class Converted(NamedTuple):
    """The written file, its length in ms, and whether the sound was copied."""

    file: Path
    duration_ms: int
    is_copied: bool


@dataclass(frozen=True)
class _Container:
    """A suffix that a copy may have, and FFmpeg's name of the muxer."""

    suffix: str
    muxer: str


_COPIES: Mapping[str, tuple[_Container, ...]] = {
    "aac": (_Container("mp4", "mp4"), _Container("m4a", "ipod")),
    "mp3": (_Container("mp3", "mp3"),),
    "opus": (_Container("ogg", "ogg"), _Container("opus", "ogg")),
    "vorbis": (_Container("ogg", "ogg"),),
    "flac": (_Container("flac", "flac"),),
}
"""The containers that may hold a codec, by FFmpeg's name of the codec, the best first."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_DEMUXERS = {
    b"\x1aE\xdf\xa3": "matroska",
    b"OggS": "ogg",
    b"fLaC": "flac",
    b"FORM": "aiff",
    b"RIFF": "wav",
    b"RF64": "wav",
    b"BW64": "wav",
}
"""FFmpeg's name of the demuxer by the first bytes. FFmpeg must not detect the format: it could take a file for a
playlist and open whatever the playlist names."""
_TS_SYNC, _TS_PACKET = 0x47, 188


def convert(
    media: MediaFile,
    formats: Collection[str],
    folder: Path,
    *,
    duration_ms: int | None,
    seconds_left: Callable[[], float],
) -> Converted:
    """Write the sound of a media file to `folder`, in one of `formats` (suffixes without the dot).

    `duration_ms` is the length if it is known. Pauses between timestamps become silence. Memory holds little of the
    file at a time. `seconds_left` returns the time until the conversion must have ended.

    Raises:
        CannotConvert: the file is no media that can be read, has no sound, or is too long.
        Exception: an error of reading `media`, unchanged.
    """
    if copied := _copied(media, formats, folder, seconds_left):
        return copied
    if ENCODED not in formats:
        raise CannotConvert(f"no file in one of the formats {', '.join(sorted(formats))} can be made")
    if duration_ms is not None and duration_ms > LONGEST_HOURS * 3_600_000:
        raise _too_long(f"it is {duration_ms / 3_600_000:.1f} hours long")
    target = folder / f"sound.{ENCODED}"
    with _opened(media) as source:
        stream = _sound_of(source)
        with _written(target, "mp4") as file:
            encoded_ms = _encode(source, stream, _track(file, stream), seconds_left)
    return Converted(target, encoded_ms, is_copied=False)


def _copied(
    media: MediaFile, formats: Collection[str], folder: Path, seconds_left: Callable[[], float]
) -> Converted | None:
    with _opened(media) as source:
        stream = _sound_of(source)
        containers = _COPIES.get(stream.codec_context.codec.canonical_name, ())
        container = next((each for each in containers if each.suffix in formats), None)
        if container is None:
            return None
        target = folder / f"copy.{container.suffix}"
        try:
            with _written(target, container.muxer) as file:
                return Converted(target, _copy(source, stream, file, seconds_left), is_copied=True)
        except (_CannotCopy, av.FFmpegError):
            target.unlink(missing_ok=True)
            return None


def _copy(source: Any, stream: Any, file: Any, seconds_left: Callable[[], float]) -> int:
    """Copy the packets and return their length in ms.

    Raises:
        _CannotCopy: a packet has no time, or a gap lies before it. Decoders ignore a jump between timestamps, so that
            all speech behind it would come too early.
    """
    output = file.add_stream_from_template(stream)
    tick_ms = float(stream.time_base * 1000)
    begin, written = round(_begin_ms(source) / tick_ms), 0
    end: float | None = begin
    last = begin
    for packet in _packets(source, stream, seconds_left):
        written += packet.size
        if packet.pts is None or written > MOST_BYTES:
            raise _CannotCopy
        if end is not None and (packet.pts - end) * tick_ms > _TOLERANCE_MS:
            raise _CannotCopy
        end = packet.pts + packet.duration if packet.duration else None
        last = int(packet.pts + (packet.duration or 0))
        packet.pts = packet.dts = max(packet.pts - begin, 0)
        packet.stream = output
        file.mux_one(packet)
    if not written:
        raise _CannotCopy
    return round((last - begin) * tick_ms)


def _encode(source: Any, stream: Any, track: EncodedTrack, seconds_left: Callable[[], float]) -> int:
    """Encode the sound to the end and return its length in ms."""
    begin_ms, tick_ms = _begin_ms(source), float(stream.time_base * 1000)
    try:
        for packet in _packets(source, stream, seconds_left):
            if packet.pts is not None:
                gap_ms = packet.pts * tick_ms - begin_ms - track.written_ms
                if abs(gap_ms) > LONGEST_HOURS * 3_600_000 or gap_ms < -_TOLERANCE_MS:
                    begin_ms += gap_ms  # The clock of the file jumped.
                elif gap_ms > _TOLERANCE_MS:
                    track.write_silence(gap_ms)
            track.write([packet])
            if track.written_ms > LONGEST_HOURS * 3_600_000:
                raise _too_long(f"it is longer than {LONGEST_HOURS} hours")
    except av.FFmpegError as error:
        raise CannotConvert(
            f"its sound cannot be read beyond {track.written_ms / 1000:.0f} s ({error.strerror})"
        ) from None
    if not track.written_ms:
        raise CannotConvert("its sound cannot be decoded")
    track.finish()
    return round(track.written_ms)


def _packets(source: Any, stream: Any, seconds_left: Callable[[], float]) -> Iterator[Any]:
    """Yield the packets of the sound.

    Raises:
        CannotConvert: the time is over.
    """
    for number, packet in enumerate(source.demux(stream)):
        if number % _BETWEEN_CHECKS == 0 and not seconds_left():
            raise _too_long("it could not be converted in the time that the function has")
        if packet.size:
            yield packet


def _track(file: Any, stream: Any) -> EncodedTrack:
    codec = stream.codec_context
    layout = "stereo" if codec.layout.nb_channels > 1 else "mono"
    bit_rate = BIT_RATE * (2 if layout == "stereo" else 1)
    track = EncodedTrack(file, rate=RATE, layout=layout, bit_rate=bit_rate, coder="fast")
    track.begin(SegmentAudio(AudioFormat(codec.name, None, codec.sample_rate, codec.layout.name, b""), (), stream))
    return track


@contextmanager
def _opened(media: MediaFile) -> Iterator[Any]:
    demuxer = _demuxer(media)
    media.seek(0)
    try:
        source = av.open(media, format=demuxer, metadata_errors="replace")
    except av.FFmpegError as error:
        raise CannotConvert(f"it cannot be read as media ({error.strerror}): {ADVICE}") from None
    with source:
        yield source


@contextmanager
def _written(target: Path, muxer: str) -> Iterator[Any]:
    options = {"movflags": "faststart"} if muxer in ("mp4", "ipod") else {}
    with av.open(str(target), "w", format=muxer, container_options=options) as file:
        yield file


def _sound_of(source: Any) -> Any:
    for stream in source.streams.audio:
        if stream.codec_context and stream.codec_context.sample_rate:
            return stream
    raise CannotConvert("it has no sound that can be decoded")


def _begin_ms(source: Any) -> float:
    """Return the timestamp at which the file begins."""
    return 0.0 if source.start_time is None else float(source.start_time * 1000 / av.time_base)


def _demuxer(media: MediaFile) -> str:
    """Return FFmpeg's name of the demuxer.

    Raises:
        CannotConvert: the first bytes belong to no format that is converted.
    """
    head = _head(media, 0)
    if head[4:8] in _BOXES:
        return "mov"
    if head[:1] == head[_TS_PACKET : _TS_PACKET + 1] == bytes([_TS_SYNC]):
        return "mpegts"
    if head.startswith(b"ID3") and len(head) > 10:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        head = _head(media, 10 + size)
    if found := _DEMUXERS.get(head[:4]):
        return found
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "mp3" if head[1] & 6 else "aac"
    raise CannotConvert(f"its format is not recognised: {ADVICE}")


def _head(media: MediaFile, at: int) -> bytes:
    media.seek(at)
    return media.read(2 * _TS_PACKET)


def _too_long(fact: str) -> CannotConvert:
    return CannotConvert(f"{fact}; at most {LONGEST_HOURS} hours of sound are encoded: {ADVICE}, or in parts")
