"""Assigns utterances to speakers by the pitch of their voices."""

import itertools
import math
from collections.abc import Sequence

_MOST_SPEAKERS = 4
_APART_SEMITONES = 3.0


def label_speakers(pitches: Sequence[float | None], speakers: int | None) -> list[str]:
    """Return a speaker for each utterance's pitch in Hz: "1", "2", … in order of appearance.

    With `speakers` None there are as many as are three semitones apart. An utterance without a pitch belongs to the
    speaker before it.
    """
    heights = [None if pitch is None else 12 * math.log2(pitch) for pitch in pitches]
    known = [height for height in heights if height is not None]
    centres = _centres(known, speakers)
    names: dict[int, str] = {}
    labels, last = [], 0
    for height in heights:
        if height is not None and centres:
            last = min(range(len(centres)), key=lambda i: abs(centres[i] - height))
        labels.append(names.setdefault(last, str(len(names) + 1)))
    return labels


def _centres(heights: Sequence[float], speakers: int | None) -> list[float]:
    if not heights:
        return []
    if speakers is not None:
        return _cluster(heights, min(speakers, len(set(heights))))
    for count in range(min(_MOST_SPEAKERS, len(set(heights))), 1, -1):
        centres = _cluster(heights, count)
        if all(high - low >= _APART_SEMITONES for low, high in itertools.pairwise(centres)):
            return centres
    return _cluster(heights, 1)


def _cluster(heights: Sequence[float], count: int) -> list[float]:
    """Return the sorted centres of `count` clusters: Lloyd's algorithm in one dimension, started evenly."""
    low, high = min(heights), max(heights)
    centres = [low + (high - low) * (i + 0.5) / count for i in range(count)]
    for _ in range(20):
        groups: list[list[float]] = [[] for _ in centres]
        for height in heights:
            groups[min(range(count), key=lambda i: abs(centres[i] - height))].append(height)
        moved = [sum(group) / len(group) if group else centre for group, centre in zip(groups, centres, strict=True)]
        if moved == centres:
            break
        centres = moved
    return sorted(centres)
