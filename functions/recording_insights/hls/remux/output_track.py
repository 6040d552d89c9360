"""The audio track of the written MP4: `CopiedTrack` copies packets, `EncodedTrack` re-encodes them."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

import av
from av.rational import AVRational

from recording_insights.hls.remux.segments import ADTS_HEADER, ADTS_SAMPLES, AudioFormat, SegmentAudio

RATE = 48_000
BIT_RATE = 48_000
"""The format in which Agora records the audio of a uid: LC-AAC, 48 kHz, mono, 48 kbit/s."""


class CannotCopy(Exception):
    """Raised when the audio has a format that cannot be copied, or more than one format."""


class OutputTrack(Protocol):
    """A track to which audio and silence are appended."""

    @property
    def written_ms(self) -> float:
        """Return the length of the track so far."""

    def begin(self, audio: SegmentAudio) -> None:
        """Prepare for the packets of an open segment. Must precede `write` and `write_silence`.

        Raises:
            CannotCopy: the segment's audio cannot be copied into this track.
        """

    def write(self, packets: Sequence[Any]) -> None:
        """Append packets of the segment that has begun."""

    def write_silence(self, length_ms: float) -> None:
        """Append silence, rounded to whole frames if the track is copied."""

    def finish(self) -> None:
        """Write the audio that the encoder still holds."""


class CopiedTrack:
    """Copies packets unchanged.

    Timestamps are counted from 0: whether Agora's timestamps continue from segment to segment is not documented.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._format: AudioFormat | None = None
        self._frames = 0

    @property
    def written_ms(self) -> float:
        return self._frames * ADTS_SAMPLES * 1000 / self._format.rate if self._format else 0.0

    def begin(self, audio: SegmentAudio) -> None:
        if not audio.format.is_copyable or self._format not in (None, audio.format):
            raise CannotCopy
        if self._format is None:
            self._format = audio.format
            self._stream = self._file.add_stream_from_template(audio.stream)
            self._time_base = Fraction(1, audio.format.rate)
            self._silence = silent_packet(audio.format)
            self._silence.stream = self._stream
            self._silence.time_base = self._time_base
            self._silence.duration = ADTS_SAMPLES

    def write(self, packets: Sequence[Any]) -> None:
        # PyAV converts each Fraction to an AVRational. Six hours are a million packets.
        stream, time_base, mux = self._stream, AVRational(self._time_base), self._file.mux_one
        at = self._frames * ADTS_SAMPLES
        for packet in packets:
            packet.stream = stream
            packet.time_base = time_base
            packet.duration = ADTS_SAMPLES
            packet.pts = packet.dts = at
            try:
                mux(packet)
            except (av.error.InvalidDataError, av.error.PatchWelcomeError):
                self._mux_silence(at)
            at += ADTS_SAMPLES
        self._frames = at // ADTS_SAMPLES

    def write_silence(self, length_ms: float) -> None:
        until = self._frames + round(length_ms / 1000 / ADTS_SAMPLES / self._time_base)
        for frame in range(self._frames, until):
            self._mux_silence(frame * ADTS_SAMPLES)
        self._frames = until

    def finish(self) -> None:
        return

    def _mux_silence(self, at: int) -> None:
        self._silence.pts = self._silence.dts = at
        self._file.mux_one(self._silence)


class EncodedTrack:
    """Decodes packets, resamples them and encodes them as LC-AAC, one segment at a time.

    `rate` is in samples a second, `layout` is mono or stereo, `bit_rate` in bits a second. `coder` is FFmpeg's search
    for the best quantisers: twoloop is better, fast takes half as long.
    """

    def __init__(
        self, file: Any, *, rate: int = RATE, layout: str = "mono", bit_rate: int = BIT_RATE, coder: str = "twoloop"
    ) -> None:
        self._file = file
        self._rate = rate
        self._layout = layout
        self._bit_rate = bit_rate
        self._options = {"aac_coder": coder}
        self._time_base = Fraction(1, rate)
        self._encoder: Any = None
        self._format: AudioFormat | None = None
        self._resampled_format: tuple[str, str, int] | None = None
        self._resampler: Any = None
        self._queue = av.AudioFifo()
        self._samples = 0
        self._muxed = -1
        """Frames in the file. The encoder's first frame is its lead-in and is left out, so that audio begins at 0."""

    @property
    def written_ms(self) -> float:
        return self._samples * 1000 / self._rate

    def begin(self, audio: SegmentAudio) -> None:
        if self._encoder is None:
            self._encoder = self._file.add_stream(
                "aac", rate=self._rate, layout=self._layout, bit_rate=self._bit_rate, options=self._options
            )
        if audio.format != self._format:
            # The decoder is kept while the format stays the same: a new decoder fades in.
            self._format = audio.format
            self._decoder = audio.stream.codec_context

    def write(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            try:
                frames = self._decoder.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                self._resample(frame)
        self._encode()

    def write_silence(self, length_ms: float) -> None:
        left = round(length_ms / 1000 * self._rate)
        while left > 0:
            frame = _silent_frame(min(left, self._rate), self._rate, self._layout)
            left -= frame.samples
            self._enqueue(frame)
            self._encode()

    def finish(self) -> None:
        if self._encoder is None:
            return
        if self._resampler:
            self._enqueue(*self._resampler.resample(None))
        self._encode()
        if rest := self._queue.read(0, partial=True):
            self._mux(rest)
        self._mux(None)

    def _resample(self, frame: Any) -> None:
        frame_format = (frame.format.name, frame.layout.name, frame.sample_rate)
        if frame_format != self._resampled_format:
            if self._resampler:
                self._enqueue(*self._resampler.resample(None))
            self._resampled_format = frame_format
            self._resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
        frame.pts = None
        self._enqueue(*self._resampler.resample(frame))

    def _enqueue(self, *frames: Any) -> None:
        for frame in frames:
            # The queue accepts one time base only, and each format of segment has its own.
            frame.pts, frame.time_base = None, self._time_base
            self._samples += frame.samples
            self._queue.write(frame)

    def _encode(self) -> None:
        while frame := self._queue.read(ADTS_SAMPLES):
            self._mux(frame)

    def _mux(self, frame: Any) -> None:
        for packet in self._encoder.encode(frame):
            if self._muxed >= 0:
                packet.pts = packet.dts = self._muxed * ADTS_SAMPLES
                self._file.mux_one(packet)
            self._muxed += 1


def silent_packet(audio_format: AudioFormat) -> Any:
    """Return an ADTS frame of silence in the given format."""
    encoder: Any = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = audio_format.rate, audio_format.layout, "fltp"
    # The first frames contain the encoder's lead-in.
    for _ in range(4):
        packets = encoder.encode(_silent_frame(ADTS_SAMPLES, audio_format.rate, audio_format.layout))
    payload = bytes(packets[-1])
    length = ADTS_HEADER + len(payload)
    varying = bytes((audio_format.adts[1] | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC))
    return av.Packet(b"\xff\xf1" + audio_format.adts[:1] + varying + payload)


def _silent_frame(samples: int, rate: int, layout: str) -> Any:
    frame: Any = av.AudioFrame(format="fltp", layout=layout, samples=samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = rate
    return frame
