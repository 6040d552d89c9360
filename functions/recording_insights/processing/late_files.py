"""Late files: how long the state "Prepare media" waits for what is missing of a track, and when it checks again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recording_insights.media.track import Track, TrackFiles, playlist_in
from recording_insights.model.moments import utc_text
from recording_insights.providers.pacing import GROWTH, LONGEST_WAIT, SHORTEST_WAIT
from recording_insights.store.rows import MediaRow, RecordingRow

LONGEST_SILENCE = timedelta(hours=24)
"""Agora's longest silence: after it, a recording whose end is unknown counts as ended."""
BEING_WRITTEN = timedelta(minutes=3)
"""An open playlist that was written since then is still being written."""
AWAIT_SECONDS = 900
"""Between the checks of a track that is being recorded. Only its closed playlist or the recording's end ends it.

The event of the playlist ends the wait. The check is for a lost event and for a recorder that died.
"""
NOT_AWAITED_SECONDS = 60
"""Until the next check if that wait does not begin: more of the track has just arrived, or AWS has a fault."""
LEAST_GROWTH = 0.01
"""Least wait as a share of the time in which files may be late: an execution's history has 25,000 events at most.

Segments may arrive every few seconds for days.
"""


@dataclass(frozen=True)
class LateFiles:
    """What a track still waits for; `late_minutes` is the patience after the end of the recording."""

    track: Track
    row: MediaRow
    recording: RecordingRow
    late_minutes: int

    @property
    def quiet_since(self) -> str:
        """When the newest file was written, or the recording ended if that was later; else when the track arrived."""
        ended = ended_at(self.recording)
        moments = [self.track.written_at] if self.track.written_at else []
        moments += [datetime.fromisoformat(ended)] if ended else []
        return utc_text(max(moments)) if moments else self.row["arrived_at"]

    @property
    def awaited_since(self) -> datetime:
        """When the checks for late files began: when the track arrived, or the recording ended if that was later."""
        arrived = datetime.fromisoformat(self.row["waiting_since"])
        ended = ended_at(self.recording)
        return max(arrived, datetime.fromisoformat(ended)) if ended else arrived

    @property
    def is_recorded(self) -> bool:
        """Whether the track is still being recorded, as far as that is known."""
        return bool(self.track.recorders) and not self.track.closed and not ended_at(self.recording)

    @property
    def patience(self) -> timedelta:
        """How long the wait lasts after `quiet_since`."""
        return LONGEST_SILENCE if self.is_recorded else timedelta(minutes=self.late_minutes)

    @property
    def nothing_will_follow(self) -> bool:
        """Whether Agora has declared the recording complete, and no file was written after that."""
        complete_at = self.recording.get("complete_at")
        if complete_at is None:
            return False
        return self.track.written_at is None or self.track.written_at <= datetime.fromisoformat(complete_at)


def ended_at(recording: RecordingRow) -> str | None:
    """Return when the recording ended, as far as that is known."""
    return recording.get("complete_at") or recording.get("stopped_at")


def is_being_written(key: str, files: TrackFiles, now: datetime) -> bool:
    """Return whether the first recorder still writes its playlist.

    Costs one GET, while reading the whole track costs several requests.
    """
    found = files.read(key)
    if found is None or now - found[1] > BEING_WRITTEN:
        return False
    playlist = playlist_in(found[0])
    return playlist is not None and not playlist.closed


def seconds_until_next_check(*, quiet_seconds: float, waiting_seconds: float) -> int:
    """Return the whole seconds until the next check: a share of the time since a file was written.

    `waiting_seconds` is the time in which files may be late.
    """
    seconds = max(quiet_seconds * GROWTH, waiting_seconds * LEAST_GROWTH, SHORTEST_WAIT)
    return round(min(seconds, LONGEST_WAIT))
