"""Fingerprints of utterances: their loudness over time.

Encoding, resampling, and silence around an utterance change a fingerprint by less than 2 dB. Fingerprints of different
sentences differ by 20 dB or more somewhere.
"""

import itertools
import math
import operator
from array import array

from sandbox.stand_ins.hearing.pitch import SAMPLE_RATE

STEPS_PER_SECOND = 200
STEPS_PER_BIN = 4
BINS_PER_SECOND = STEPS_PER_SECOND // STEPS_PER_BIN

_STEP = SAMPLE_RATE // STEPS_PER_SECOND
_LEVELS_PER_DB = 8
_FLOOR = bytes([30 * _LEVELS_PER_DB])
_POWERS: list[float] = [10 ** (-level / _LEVELS_PER_DB / 10) for level in range(256)]
_WINDOW_BINS = 5


class Sound:
    """The sound of an utterance (16 kHz, mono, 16 bits), of which a fingerprint can be taken from any step of 5 ms."""

    def __init__(self, pcm: bytes) -> None:
        samples = array("h", pcm[: len(pcm) // (2 * _STEP) * 2 * _STEP])
        energies = itertools.accumulate(map(operator.mul, samples, samples), initial=0)
        self._sums = list(itertools.islice(energies, 0, None, _STEP))
        """The energy of the sound up to each step."""
        self._fingerprints: dict[int, bytes] = {}

    def fingerprint(self, first: int = 0) -> bytes:
        """Return how far each bin of 20 ms is below the loudest one: in eighths of a dB, at most 30 dB.

        `first` is the step at which the first bin begins, negative for one before the sound.
        """
        if first not in self._fingerprints:
            self._fingerprints[first] = self._taken_from(first)
        return self._fingerprints[first]

    def _taken_from(self, first: int) -> bytes:
        last = len(self._sums) - 1
        edges = [self._sums[min(max(at, 0), last)] for at in range(first, last + STEPS_PER_BIN, STEPS_PER_BIN)]
        bins = [after - before for before, after in itertools.pairwise(edges)]
        loudest = max(bins, default=0)
        return bytes(_level(energy, loudest) for energy in bins)


def _level(energy: int, loudest: int) -> int:
    if not energy:
        return _FLOOR[0]
    return min(round(10 * math.log10(loudest / energy) * _LEVELS_PER_DB), _FLOOR[0])


def centre_of(fingerprint: bytes) -> float:
    """Return the mean time of the energy, in steps."""
    powers = [_POWERS[level] for level in fingerprint]
    return float(STEPS_PER_BIN * sum(map(operator.mul, powers, range(len(powers)))) / sum(powers))


def difference(one: bytes, other: bytes) -> tuple[float, float]:
    """Return the mean difference of two fingerprints in dB, and the largest over a tenth of a second."""
    length = max(len(one), len(other))
    pairs = zip(one.ljust(length, _FLOOR), other.ljust(length, _FLOOR), strict=True)
    sums = list(itertools.accumulate((abs(a - b) for a, b in pairs), initial=0))
    windows = [sums[at + _WINDOW_BINS] - sums[at] for at in range(length - _WINDOW_BINS + 1)]
    return sums[-1] / length / _LEVELS_PER_DB, max(windows, default=sums[-1]) / _WINDOW_BINS / _LEVELS_PER_DB
