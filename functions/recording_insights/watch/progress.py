"""What travels from turn to turn of the watch over a recording: ids and its own bookkeeping."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

from recording_insights.store.rows import RecordingRow

FIRST_LOOK_SECONDS = 7
"""Agora wants to be asked from 5 s after its answer on, which a start takes about 2 s to get."""

Phase = Literal["unnamed", "starting", "recording", "lost", "ended"]
"""Agora has not named the recorder; it is to join the channel; it records; Agora cannot find it; its files come."""


@dataclass(frozen=True)
class Watch:
    """The watch over one recording, until its `outcome` is "over"; at "recover" its slices are to be looked at first.

    `opened_at` tells it from an earlier try of the same id. `since` (ISO 8601), `attempt` and `waited_seconds` count
    from the beginning of the phase. `names_files`: Agora has named a file of this recording. `credential_seconds` are
    the waits since the recorder was given what it writes its files with. `looked_at_slices`: what no MP4 holds is
    being processed.
    """

    recording_id: str
    opened_at: str
    since: str
    outcome: Literal["watching", "recover", "over"] = "watching"
    phase: Phase = "unnamed"
    attempt: int = 0
    wait_seconds: int = FIRST_LOOK_SECONDS
    waited_seconds: int = FIRST_LOOK_SECONDS
    names_files: bool = False
    credential_seconds: int = FIRST_LOOK_SECONDS
    looked_at_slices: bool = False

    @classmethod
    def begin(cls, recording: RecordingRow) -> Self:
        """The beginning of a watch over a recording that was just opened."""
        opened_at = recording["created_at"]
        return cls(recording["recording_id"], opened_at, opened_at)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From a state's input, the execution's own one included."""
        return cls(**{name: state[name] for name in cls.__dataclass_fields__ if name in state})

    def to_state(self) -> dict[str, Any]:
        """A state's output."""
        return asdict(self)

    def enter(self, phase: Phase, since: str) -> Self:
        """Begin a phase: its counts are from zero."""
        return replace(self, phase=phase, since=since, attempt=0, waited_seconds=0)

    def wait(self, seconds: int) -> Self:
        """Look again after `seconds`."""
        return replace(
            self,
            outcome="watching",
            wait_seconds=seconds,
            attempt=self.attempt + 1,
            waited_seconds=self.waited_seconds + seconds,
            credential_seconds=self.credential_seconds + seconds,
        )

    def recover(self) -> Self:
        """Have the slices looked at, then look again at once."""
        return replace(self, outcome="recover", wait_seconds=0)

    def recovered(self) -> Self:
        """The slices were looked at."""
        return replace(self, outcome="watching", looked_at_slices=True)

    def end(self) -> Self:
        """Look no more."""
        return replace(self, outcome="over", wait_seconds=0)

    def elapsed_seconds(self, since: str, now: datetime) -> float:
        """Seconds since a moment: by the clock, or by the phase's waits where those are run faster than the clock."""
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.waited_seconds))

    def credential_age(self, since: str, now: datetime) -> float:
        """Seconds since the recorder was given its credentials, in whatever phases; measured likewise."""
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.credential_seconds))


def execution_name(recording: RecordingRow) -> str:
    """The watch's name: the same whenever the same opening is to be watched, another one for the next try."""
    return f"{recording['recording_id']}-{recording['version']}"
