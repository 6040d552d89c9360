"""The pitch of a voice."""

import itertools
import operator
import statistics
from array import array
from collections.abc import Sequence

SAMPLE_RATE = 16_000
"""Hz. All sound that is recognised or measured has this rate, mono, in 16 bits."""

_DECIMATION = 4
_PITCH_RATE = SAMPLE_RATE // _DECIMATION
_FRAME = _PITCH_RATE // 20
_LAGS = range(_PITCH_RATE // 330, _PITCH_RATE // 70 + 1)
_PITCH_FRAMES = 24
_VOICED = 0.6


def pitch_of(pcm: bytes) -> float | None:
    """Return the median fundamental frequency in Hz (70 to 330) of the loudest voiced frames, by autocorrelation."""
    samples = array("h", pcm[: len(pcm) // (2 * _DECIMATION) * 2 * _DECIMATION])
    low = [sum(group) / _DECIMATION for group in zip(*[iter(samples)] * _DECIMATION, strict=True)]
    energies = _energies(low, 2 * _FRAME, _FRAME)
    loudest = sorted(range(len(energies)), key=energies.__getitem__, reverse=True)[:_PITCH_FRAMES]
    frames = (low[i * _FRAME : (i + 2) * _FRAME] for i in loudest)
    pitches = [pitch for frame in frames if (pitch := _frame_pitch(frame))]
    return statistics.median(pitches) if pitches else None


def _energies(samples: Sequence[float], length: int, step: int) -> list[float]:
    """The energies of the pieces of this length, one beginning at each step."""
    sums = list(itertools.accumulate(map(operator.mul, samples, samples), initial=0.0))
    return [sums[at + length] - sums[at] for at in range(0, len(samples) - length, step)]


def _frame_pitch(frame: list[float]) -> float | None:
    mean = sum(frame) / len(frame)
    frame = [sample - mean for sample in frame]
    energies = _energies(frame, _FRAME, 1)
    head, energy = frame[:_FRAME], energies[0]
    if not energy:
        return None
    likeness = []
    for lag in _LAGS:
        norm = (energy * energies[lag]) ** 0.5
        likeness.append(sum(map(operator.mul, head, frame[lag : lag + _FRAME])) / norm if norm else 0.0)
    best = max(likeness)
    if best < _VOICED:
        return None
    # Multiples of the period correlate as well as the period: the first peak near the best is the pitch.
    first = next(i for i, value in enumerate(likeness) if value >= 0.92 * best and value >= max(likeness[i : i + 2]))
    return _PITCH_RATE / _LAGS[first]
