"""Makes one MP4 of a track's slices, without re-encoding wherever that is possible.

The only part of the package that imports PyAV, which is native code and lies in one function's bundle alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av

from recording_insights.hls.remux.output_track import CannotCopy, CopiedTrack, EncodedTrack, Track
from recording_insights.hls.remux.segments import opened
from recording_insights.hls.timeline import TOLERANCE_MS, Piece

Read = Callable[[str], bytes | None]
"""The bytes of a slice by its name, None if it is not there."""


class NothingToHear(Exception):
    """No slice had any sound; the message says why. Nothing was written."""


@dataclass(frozen=True)
class Prepared:
    """What was written: length, and how much of it is silence that stands for nothing recorded, in ms.

    `lost`: the slices that were not there or held no readable sound, in order. `reencoded`: the sound was decoded
    and encoded anew, because its kind could not be copied or changed on the way.
    """

    duration_ms: int
    silent_ms: int
    lost: Sequence[str]
    reencoded: bool


def remux(pieces: Sequence[Piece], read: Read, target: Path) -> Prepared:
    """Writes the pieces to `target` (MP4 with its index at the front), each at its position.

    Where nothing was recorded there is silence, of the same kind as the sound: decoders pay no heed to a gap between
    timestamps, and every word behind it would be early. One slice is held in memory at a time, and of what was written
    only the index (12 MB per hour at 48 kHz). `read` is asked a second time for slices when the sound turns out to
    need encoding.

    Raises:
        NothingToHear: no slice had any sound.
    """
    try:
        return _write(pieces, read, target, copied=True)
    except CannotCopy:
        return _write(pieces, read, target, copied=False)


def _write(pieces: Sequence[Piece], read: Read, target: Path, copied: bool) -> Prepared:
    with av.open(str(target), "w", format="mp4", container_options={"movflags": "faststart"}) as file:
        track: Track = CopiedTrack(file) if copied else EncodedTrack(file)
        laid = _Layout(track)
        for piece in pieces:
            laid.lay(piece, read(piece.name))
        heard = len(laid.lost) < len(pieces)
        if heard:
            laid.close()
    if not heard:
        target.unlink(missing_ok=True)
        raise NothingToHear(_why(len(pieces), laid.missing))
    return Prepared(round(track.written_ms), round(laid.silent_ms), tuple(laid.lost), reencoded=not copied)


@dataclass
class _Layout:
    """Puts pieces where they belong in a track that only grows; all times in ms."""

    track: Track
    lost: list[str] = field(default_factory=list)
    missing: int = 0
    silent_ms: float = 0.0
    _planned: int = 0
    """Where the last piece ends by the timeline …"""
    _free: float = 0.0
    """… and from where on there is room for the next, which is later if its sound was longer."""
    _owed: float = 0.0
    """How far the track has to reach in the end: slices that were lost last have their length, too."""

    def lay(self, piece: Piece, content: bytes | None) -> None:
        begin = self._free if piece.at_ms == self._planned and not piece.trim else float(piece.at_ms)
        self._planned = piece.at_ms + piece.length_ms
        heard = content is not None and self._sound(piece, content, begin)
        self._free = max(self.track.written_ms, begin + piece.length_ms)
        if not heard:
            self.lost.append(piece.name)
            self.missing += content is None
            self._owed = self._free

    def close(self) -> None:
        self._silence(self._owed - self.track.written_ms)
        self.track.finish()

    def _sound(self, piece: Piece, content: bytes, begin: float) -> bool:
        with opened(content, piece.length_ms) as sound:
            if sound is None:
                return False
            self.track.begin(sound)
            heard = False
            for stretch in sound.stretches:
                packets = stretch.packets
                gap = begin + stretch.at_ms - self.track.written_ms
                if gap > TOLERANCE_MS:
                    self._silence(gap)
                elif piece.trim and gap < 0 and stretch.packet_ms:
                    packets = packets[round(-gap / stretch.packet_ms) :]
                before = self.track.written_ms
                self.track.sound(packets)
                heard = heard or not packets or self.track.written_ms > before
            return heard

    def _silence(self, length_ms: float) -> None:
        if length_ms > 0:
            before = self.track.written_ms
            self.track.silence(length_ms)
            self.silent_ms += self.track.written_ms - before


def _why(pieces: int, missing: int) -> str:
    if not pieces:
        return "The playlist names no slices."
    if missing == pieces:
        return f"None of the {pieces} slices is there."
    silent = pieces - missing
    return f"None of the {pieces} slices has sound that can be read ({missing} missing, {silent} without sound)."
