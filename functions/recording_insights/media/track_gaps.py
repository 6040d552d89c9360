"""Describe the gaps of a track: files that "Prepare media" waits for, and segments missing from the prepared file."""

from collections.abc import Sequence

from recording_insights.media.track import Track

LONGEST_NAME = 200
"""Upper bound on a segment's name in a sentence, in characters: a playlist may hold names that no key can have."""


def what_is_missing(track: Track) -> str | None:
    """Return what has not arrived of a track; None if the track is complete."""
    if not track.recorders:
        return "none of its playlists can be read: the first line of a playlist is #EXTM3U"
    if not track.named and track.unnamed:
        return f"segments that no playlist names: {_count(track.unnamed)}"
    if not track.closed:
        return "its playlist is not closed"
    if absent := track.absent:
        return f"{len(absent)} of {len(track.named)} segments did not arrive, such as {_short(absent[0])}"
    return None


def what_is_left_out(track: Track, lost: Sequence[str]) -> str | None:
    """Return what a prepared file lacks; None if it holds all of the track.

    `lost` are the names of the segments that were absent or without readable sound when the file was made.
    """
    gaps = []
    if not track.closed:
        gaps.append("its playlist was never closed")
        # Agora does not document that a closed playlist names every segment.
        if track.unnamed:
            gaps.append(f"segments left out because no playlist names them: {_count(track.unnamed)}")
    if lost:
        share = f"{len(lost)} of {len(track.named)} segments"
        gaps.append(f"{share} never arrived or cannot be read, such as {_short(lost[0])}")
    return "; ".join(gaps) or None


def _count(names: Sequence[str]) -> str:
    return f"{len(names)}, such as {_short(names[0])}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
