"""Media with several voices made into media with one each: what each person in a call has said."""

import hashlib
import itertools
import math
import threading
from collections.abc import Sequence
from pathlib import Path

from sandbox.stand_ins.agora.media import Span, heard_only
from sandbox.stand_ins.hearing.recogniser import pitch_of
from sandbox.stand_ins.hearing.speakers import tell_apart
from sandbox.stand_ins.hearing.speech import utterances


class Voices:
    """Remembers what it found, and in `scratch` the media it made: a recording of the same media starts quickly."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._turns: dict[tuple[str, int], Sequence[Sequence[Span]]] = {}
        self._lock = threading.Lock()

    def turns(self, media: Path, most: int) -> Sequence[Sequence[Span]]:
        """When each voice has its say, by order of first appearance: `most` voices at most, told apart by pitch.

        Every moment is somebody's turn; turns change in the middle of the silence between two utterances. Where
        nothing is said at all, it is the turn of the one first voice. Raises UndecodableMedia.
        """
        with self._lock:
            known = (_identity(media), most)
            if known not in self._turns:
                self._turns[known] = _turns(media, most)
            return self._turns[known]

    def alone(self, media: Path, spans: Sequence[Span], rate: int | None) -> Path:
        """The media with silence outside these spans, as an MP4 with mono AAC at `rate` Hz (None: at its own)."""
        wanted = hashlib.sha256(f"{_identity(media)} {spans} {rate}".encode()).hexdigest()
        made = self._scratch / f"{wanted}.mp4"
        with self._lock:
            if not made.exists():
                partial = made.with_suffix(".partial")
                heard_only(media, spans, partial, rate)
                partial.replace(made)
        return made


def without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """What is left of the spans where the holes are taken out."""
    left = list(spans)
    for hole_start, hole_end in holes:
        cut = [((start, min(end, hole_start)), (max(start, hole_end), end)) for start, end in left]
        left = [(start, end) for start, end in itertools.chain.from_iterable(cut) if start < end]
    return left


def _identity(media: Path) -> str:
    return f"{media} {media.stat().st_mtime_ns}"


def _turns(media: Path, most: int) -> Sequence[Sequence[Span]]:
    said = [(start, end, pitch_of(sound)) for start, end, sound in utterances(media)]
    if not said:
        return [[(0.0, math.inf)]]
    pitches = [pitch for _, _, pitch in said]
    told = tell_apart(pitches, None)
    if len(set(told)) > most:
        told = tell_apart(pitches, most)
    changes = [(before[1] + after[0]) / 2 for before, after in itertools.pairwise(said)]
    turns = list(zip(told, itertools.pairwise([0.0, *changes, math.inf]), strict=True))
    return [[span for who, span in turns if who == voice] for voice in dict.fromkeys(told)]
