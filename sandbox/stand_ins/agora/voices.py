"""Separates the voices of media: each participant gets media with one voice."""

import hashlib
import itertools
import math
import threading
from collections.abc import Sequence
from pathlib import Path

from sandbox.stand_ins.agora.media import Span, silence_outside
from sandbox.stand_ins.hearing.pitch import pitch_of
from sandbox.stand_ins.hearing.speakers import label_speakers
from sandbox.stand_ins.hearing.speech import utterances


class Voices:
    """Separates voices. Results are kept, media in `scratch`, so that the same media starts quickly again."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._turns: dict[tuple[str, int], Sequence[Sequence[Span]]] = {}
        self._lock = threading.Lock()

    def turns(self, media: Path, most: int) -> Sequence[Sequence[Span]]:
        """Return the turns of each voice, in order of first appearance: at most `most` voices, separated by pitch.

        Turns cover all of the media and change in the middle of the silence between two utterances. Media without
        speech is one turn of one voice. Raises UndecodableMedia.
        """
        with self._lock:
            known = (_identity(media), most)
            if known not in self._turns:
                self._turns[known] = _turns(media, most)
            return self._turns[known]

    def alone(self, media: Path, spans: Sequence[Span], rate: int | None) -> Path:
        """Return the media with silence outside these spans: an MP4 with mono AAC at `rate` Hz (None: its own)."""
        digest = hashlib.sha256(f"{_identity(media)} {spans} {rate}".encode()).hexdigest()
        made = self._scratch / f"{digest}.mp4"
        with self._lock:
            if not made.exists():
                partial = made.with_suffix(".partial")
                silence_outside(media, spans, partial, rate)
                partial.replace(made)
        return made


def without(spans: Sequence[Span], gaps: Sequence[Span]) -> list[Span]:
    """Return the spans without the gaps."""
    left = list(spans)
    for gap_start, gap_end in gaps:
        cut = [((start, min(end, gap_start)), (max(start, gap_end), end)) for start, end in left]
        left = [(start, end) for start, end in itertools.chain.from_iterable(cut) if start < end]
    return left


def _identity(media: Path) -> str:
    return f"{media} {media.stat().st_mtime_ns}"


def _turns(media: Path, most: int) -> Sequence[Sequence[Span]]:
    said = [(start, end, pitch_of(sound)) for start, end, sound in utterances(media)]
    if not said:
        return [[(0.0, math.inf)]]
    pitches = [pitch for _, _, pitch in said]
    labels = label_speakers(pitches, None)
    if len(set(labels)) > most:
        labels = label_speakers(pitches, most)
    changes = [(before[1] + after[0]) / 2 for before, after in itertools.pairwise(said)]
    turns = list(zip(labels, itertools.pairwise([0.0, *changes, math.inf]), strict=True))
    return [[span for who, span in turns if who == voice] for voice in dict.fromkeys(labels)]
