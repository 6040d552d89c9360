"""The one audio track of the file that is written: packets copied, or everything encoded anew."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

import av
from av.rational import AVRational

from recording_insights.hls.remux.segments import ADTS_HEADER, ADTS_SAMPLES, Kind, Sound

RATE = 48_000
BIT_RATE = 48_000
"""What Agora itself makes of a uid's sound: LC-AAC, 48 kHz, mono, 48 kbit/s."""

_TIME_BASE = Fraction(1, RATE)


class CannotCopy(Exception):
    """The sound is of a kind, or of several kinds, that only decoding brings into one track."""


class Track(Protocol):
    """Sound behind sound, and silence where it is asked for."""

    @property
    def written_ms(self) -> float:
        """How long the track is by now."""

    def begin(self, sound: Sound) -> None:
        """Gets ready for what follows of an open slice.

        Raises:
            CannotCopy: it does not go with what is there.
        """

    def sound(self, packets: Sequence[Any]) -> None:
        """Adds packets of the slice that has begun."""

    def silence(self, length_ms: float) -> None:
        """Adds silence, as exactly as frames allow; a slice has to have begun."""

    def finish(self) -> None:
        """Adds what is held back."""


class CopiedTrack:
    """Packets as they are. Timestamps are counted, not taken over: no slice's clock is known to go with the next's."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._kind: Kind | None = None
        self._frames = 0

    @property
    def written_ms(self) -> float:
        return self._frames * ADTS_SAMPLES * 1000 / self._kind.rate if self._kind else 0.0

    def begin(self, sound: Sound) -> None:
        if not sound.kind.copyable or self._kind not in (None, sound.kind):
            raise CannotCopy
        if self._kind is None:
            self._kind = sound.kind
            self._stream = self._file.add_stream_from_template(sound.stream)
            self._time_base = Fraction(1, sound.kind.rate)
            self._silence = silent_packet(sound.kind)
            self._own(self._silence)

    def sound(self, packets: Sequence[Any]) -> None:
        # Packets take FFmpeg's own kind of number faster than a Fraction.
        stream, time_base, mux = self._stream, AVRational(self._time_base), self._file.mux_one
        at = self._frames * ADTS_SAMPLES
        # A million rounds for six hours: what `_own` does is written out here.
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

    def silence(self, length_ms: float) -> None:
        until = self._frames + round(length_ms / 1000 / ADTS_SAMPLES / self._time_base)
        for frame in range(self._frames, until):
            self._mux_silence(frame * ADTS_SAMPLES)
        self._frames = until

    def finish(self) -> None:
        return

    def _mux_silence(self, at: int) -> None:
        self._silence.pts = self._silence.dts = at
        self._file.mux_one(self._silence)

    def _own(self, packet: Any) -> None:
        packet.stream = self._stream
        packet.time_base = self._time_base
        packet.duration = ADTS_SAMPLES


class EncodedTrack:
    """Everything decoded, brought to 48 kHz mono and encoded, a slice at a time."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._encoder: Any = None
        self._kind: Kind | None = None
        self._heard: tuple[str, str, int] | None = None
        self._resampler: Any = None
        self._queue = av.AudioFifo()
        self._samples = 0
        self._muxed = -1
        """Frames in the file. The encoder's first frame is its lead-in: without it, sound begins at 0."""

    @property
    def written_ms(self) -> float:
        return self._samples * 1000 / RATE

    def begin(self, sound: Sound) -> None:
        if self._encoder is None:
            self._encoder = self._file.add_stream("aac", rate=RATE, layout="mono", bit_rate=BIT_RATE)
        if sound.kind != self._kind:
            # Kept from slice to slice: a decoder that starts anew fades in.
            self._kind = sound.kind
            self._decoder = sound.stream.codec_context

    def sound(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            try:
                frames = self._decoder.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                self._resample(frame)
        self._encode()

    def silence(self, length_ms: float) -> None:
        left = round(length_ms / 1000 * RATE)
        while left > 0:
            frame = _silent_frame(min(left, RATE), RATE, "mono")
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
        heard = (frame.format.name, frame.layout.name, frame.sample_rate)
        if heard != self._heard:
            if self._resampler:
                self._enqueue(*self._resampler.resample(None))
            self._heard, self._resampler = heard, av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        frame.pts = None
        self._enqueue(*self._resampler.resample(frame))

    def _enqueue(self, *frames: Any) -> None:
        for frame in frames:
            # The queue takes no two clocks, and each kind of slice has one of its own.
            frame.pts, frame.time_base = None, _TIME_BASE
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


def silent_packet(kind: Kind) -> Any:
    """An ADTS frame of silence, of the kind of the frames around it."""
    encoder: Any = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = kind.rate, kind.layout, "fltp"
    # The first frames hold the encoder's lead-in.
    for _ in range(4):
        packets = encoder.encode(_silent_frame(ADTS_SAMPLES, kind.rate, kind.layout))
    payload = bytes(packets[-1])
    length = ADTS_HEADER + len(payload)
    varying = bytes((kind.frame[1] | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC))
    return av.Packet(b"\xff\xf1" + kind.frame[:1] + varying + payload)


def _silent_frame(samples: int, rate: int, layout: str) -> Any:
    frame: Any = av.AudioFrame(format="fltp", layout=layout, samples=samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = rate
    return frame
