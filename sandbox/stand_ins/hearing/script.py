"""The script: words of known utterances by the fingerprint of their sound, as the recogniser really found them.

`python -m sandbox.stand_ins.make_script` makes `script.json` from the sample conversation.
"""

import base64
import functools
import json
from dataclasses import dataclass
from pathlib import Path

from sandbox.stand_ins.hearing.fingerprint import BINS_PER_SECOND, Sound, centre_of, difference

SCRIPT = Path(__file__).with_name("script.json")

_SHORTEST_BINS = BINS_PER_SECOND
_LONGER_BINS = 30
_SHIFTS = range(-4, 5)
_LARGEST_SHIFT = 60
_LARGEST_MEAN_DB, _LARGEST_DB = 1.0, 2.5
_HOPELESS_MEAN_DB = 4.0
_SAME_ENCODING = 0.05
_DB_PER_STEP = 0.01
"""Cost of a shift: the recogniser may find other words in the same sound after other silence."""


@dataclass(frozen=True)
class Line:
    """The words of an utterance, and its fingerprint."""

    words: str
    fingerprint: bytes

    @functools.cached_property
    def centre(self) -> float:
        return centre_of(self.fingerprint)

    def distance(self, sound: Sound) -> float | None:
        """Return how different the sound is, 0.0 for the very same; None if it is another utterance."""
        shift = round(centre_of(sound.fingerprint()) - self.centre)
        if difference(sound.fingerprint(shift), self.fingerprint)[0] > _HOPELESS_MEAN_DB:
            return None
        fits = []
        for first in (shift + nearby for nearby in _SHIFTS):
            mean, largest = difference(sound.fingerprint(first), self.fingerprint)
            if mean <= _LARGEST_MEAN_DB and largest <= _LARGEST_DB and abs(first) <= _LARGEST_SHIFT:
                fits.append(mean + abs(first) * _DB_PER_STEP)
        return min(fits, default=None)


@dataclass(frozen=True)
class Script:
    """Lines of the script. Several may have the same sentence: the recogniser's words depend on the encoding."""

    lines: tuple[Line, ...] = ()

    @classmethod
    @functools.cache
    def load(cls) -> "Script":
        """Read `script.json`."""
        lines = json.loads(SCRIPT.read_text())
        return cls(tuple(Line(line["words"], base64.b64decode(line["fingerprint"])) for line in lines))

    def save(self) -> None:
        """Write `script.json`."""
        lines = [
            {"words": line.words, "fingerprint": base64.b64encode(line.fingerprint).decode()} for line in self.lines
        ]
        SCRIPT.write_text(json.dumps(lines, indent=1) + "\n")

    def with_line(self, words: str, pcm: bytes) -> "Script":
        """Return the script with one more line. It has no lines of less than a second."""
        fingerprint = Sound(pcm).fingerprint()
        return self if len(fingerprint) < _SHORTEST_BINS else Script((*self.lines, Line(words, fingerprint)))

    def words_of(self, pcm: bytes) -> str | None:
        """Return the words of the utterance, None if the script does not have it.

        A sound that has lines of its sentence, but none in this very encoding, gets the words of the first one.
        """
        sound = Sound(pcm)
        length = len(sound.fingerprint())
        if length < _SHORTEST_BINS:
            return None
        near = [line for line in self.lines if abs(len(line.fingerprint) - length) <= _LONGER_BINS]
        same = [(distance, line.words) for line in near if (distance := line.distance(sound)) is not None]
        if not same:
            return None
        nearest = min(same)
        return (nearest if nearest[0] <= _SAME_ENCODING else same[0])[1]
