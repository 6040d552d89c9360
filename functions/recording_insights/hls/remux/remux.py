"""Joins the segments of a track into one MP4. Audio is re-encoded only if it cannot be copied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av

from recording_insights.hls.remux.output_track import CannotCopy, CopiedTrack, EncodedTrack, OutputTrack
from recording_insights.hls.remux.segments import open_segment
from recording_insights.hls.timeline import TOLERANCE_MS, PlacedSegment

ReadSegment = Callable[[str], bytes | None]
"""Returns the bytes of a segment by its name, or None if the segment is missing."""


class NoAudio(Exception):
    """Raised when no segment has readable audio. The message is the reason. No file remains."""


@dataclass(frozen=True)
class Prepared:
    """The written file: its length and how much of that is inserted silence, in ms.

    `lost` names, in order, the segments that are missing or have no readable audio.
    """

    duration_ms: int
    silent_ms: int
    lost: Sequence[str]


def remux(segments: Sequence[PlacedSegment], read: ReadSegment, target: Path) -> Prepared:
    """Write the segments to `target`, an MP4 with its index at the front, each at its position.

    Gaps are filled with silence of the same format, because decoders ignore a jump between timestamps: all speech
    behind a gap would come too early. Memory holds one segment at a time, and the index of the file (12 MB per hour at
    48 kHz). If the audio cannot be copied, `read` is called again for the segments that were read before.

    Raises:
        NoAudio: no segment has readable audio.
    """
    try:
        return _write(segments, read, target, copied=True)
    except CannotCopy:
        return _write(segments, read, target, copied=False)


def _write(segments: Sequence[PlacedSegment], read: ReadSegment, target: Path, copied: bool) -> Prepared:
    with av.open(str(target), "w", format="mp4", container_options={"movflags": "faststart"}) as file:
        track: OutputTrack = CopiedTrack(file) if copied else EncodedTrack(file)
        writer = _SegmentWriter(track)
        for segment in segments:
            writer.write(segment, read(segment.name))
        has_audio = len(writer.lost) < len(segments)
        if has_audio:
            writer.finish()
    if not has_audio:
        target.unlink(missing_ok=True)
        raise NoAudio(_no_audio_reason(len(segments), writer.missing))
    return Prepared(round(track.written_ms), round(writer.silent_ms), tuple(writer.lost))


@dataclass
class _SegmentWriter:
    """Appends segments to a track and fills the gaps between them with silence. All times are in ms.

    `lost` are the segments without readable audio, `missing` is how many of these `read` did not find.
    """

    track: OutputTrack
    lost: list[str] = field(default_factory=list)
    missing: int = 0
    silent_ms: float = 0.0
    _timeline_end: int = 0
    """The end of the previous segment by the timeline."""
    _audio_end: float = 0.0
    """The earliest position of the next segment. Later than `_timeline_end` if the audio was longer than announced."""
    _least_length: float = 0.0
    """The least length of the whole track: lost segments at its end count with their full length."""

    def write(self, segment: PlacedSegment, content: bytes | None) -> None:
        follows = segment.at_ms == self._timeline_end and not segment.trim
        position = self._audio_end if follows else float(segment.at_ms)
        self._timeline_end = segment.at_ms + segment.length_ms
        is_written = content is not None and self._write_audio(segment, content, position)
        self._audio_end = max(self.track.written_ms, position + segment.length_ms)
        if not is_written:
            self.lost.append(segment.name)
            self.missing += content is None
            self._least_length = self._audio_end

    def finish(self) -> None:
        self._write_silence(self._least_length - self.track.written_ms)
        self.track.finish()

    def _write_audio(self, segment: PlacedSegment, content: bytes, position: float) -> bool:
        """Returns False if nothing of the segment can be written."""
        with open_segment(content, segment.length_ms) as audio:
            if audio is None:
                return False
            self.track.begin(audio)
            is_written = False
            for run in audio.runs:
                packets = run.packets
                gap = position + run.at_ms - self.track.written_ms
                if gap > TOLERANCE_MS:
                    self._write_silence(gap)
                elif segment.trim and gap < 0 and run.packet_ms:
                    packets = packets[round(-gap / run.packet_ms) :]
                before = self.track.written_ms
                self.track.write(packets)
                # Nothing to write is no failure: an earlier recorder's segments hold all of the run.
                is_written = is_written or not packets or self.track.written_ms > before
            return is_written

    def _write_silence(self, length_ms: float) -> None:
        if length_ms > 0:
            before = self.track.written_ms
            self.track.write_silence(length_ms)
            self.silent_ms += self.track.written_ms - before


def _no_audio_reason(segments: int, missing: int) -> str:
    if not segments:
        return "The playlist names no segments."
    if missing == segments:
        return f"All {segments} segments are missing."
    unreadable = segments - missing
    return f"None of the {segments} segments has readable audio ({missing} missing, {unreadable} without audio)."
