"""Recognises the words and the pitch of one utterance. Runs in the speech engine's worker processes."""

import functools
import operator
import signal
import statistics
from array import array

from pocketsphinx import Decoder

SAMPLE_RATE = 16_000

_DECIMATION = 4
_PITCH_RATE = SAMPLE_RATE // _DECIMATION
_FRAME = _PITCH_RATE // 20
_LAGS = range(_PITCH_RATE // 330, _PITCH_RATE // 70 + 1)
_PITCH_FRAMES = 24
_VOICED = 0.6


def leave_signals_to_parent() -> None:
    """Ignore Ctrl-C, which reaches the whole process group: the parent ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def recognise(pcm: bytes) -> tuple[str, float | None]:
    """Return words and median pitch in Hz of 16 kHz mono 16-bit sound.

    The words are lower case without punctuation, empty if none was recognised. The pitch is None without a voice.
    """
    decoder = _decoder()
    decoder.reinit_feat()  # otherwise the estimate of an earlier channel affects this one
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return (found.hypstr if found else ""), pitch_of(pcm)


def pitch_of(pcm: bytes) -> float | None:
    """Return the median fundamental frequency in Hz (70 to 330) of the loudest voiced frames, by autocorrelation."""
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    low = [sum(samples[i : i + _DECIMATION]) / _DECIMATION for i in range(0, len(samples), _DECIMATION)]
    frames = [low[i : i + 2 * _FRAME] for i in range(0, len(low) - 2 * _FRAME, _FRAME)]
    frames.sort(key=lambda frame: sum(map(operator.mul, frame, frame)), reverse=True)
    pitches = [pitch for frame in frames[:_PITCH_FRAMES] if (pitch := _frame_pitch(frame))]
    return statistics.median(pitches) if pitches else None


@functools.cache
def _decoder() -> Decoder:
    # The narrow beams halve the time, and lose no accuracy on clear speech.
    return Decoder(loglevel="FATAL", samprate=SAMPLE_RATE, cmn="batch", topn=2, ds=2, maxhmmpf=3000, maxwpf=10)


def _frame_pitch(frame: list[float]) -> float | None:
    mean = sum(frame) / len(frame)
    frame = [sample - mean for sample in frame]
    head = frame[:_FRAME]
    energy = sum(map(operator.mul, head, head))
    if not energy:
        return None
    likeness = []
    for lag in _LAGS:
        shifted = frame[lag : lag + _FRAME]
        norm = (energy * sum(map(operator.mul, shifted, shifted))) ** 0.5
        likeness.append(sum(map(operator.mul, head, shifted)) / norm if norm else 0.0)
    best = max(likeness)
    if best < _VOICED:
        return None
    # Multiples of the period correlate as well as the period: the first peak near the best is the pitch.
    first = next(i for i, value in enumerate(likeness) if value >= 0.92 * best and value >= max(likeness[i : i + 2]))
    return _PITCH_RATE / _LAGS[first]
