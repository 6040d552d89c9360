"""The watch over a recording: its ids and counts, as the state machine carries them from state to state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

from recording_insights.recordings.end import LOST_SECONDS
from recording_insights.store.rows import RecordingRow

FIRST_CHECK_SECONDS = 7
"""Agora accepts queries from 5 s after its response to a start; the start itself takes about 2 s."""

Phase = Literal["unnamed", "starting", "recording", "lost", "stopping", "ended"]
"""What the watch waits for.

"unnamed": the recorder's id. "starting": the recorder to join its channel. "recording": its end. "lost": Agora to find
the recorder again. "stopping": the same, after a stop that found no recorder. "ended": its files.
"""


@dataclass(frozen=True)
class Watch:
    """The watch over one recording, until its `outcome` is "over".

    "watching": wait, then check the recorder. "ended": wait for files, then complete the recording. "recover": complete
    it at once, with what is lost.

    `opened_at` is the recording's `created_at`: a repeated start of the same id has another one. `since` (ISO 8601),
    `attempt` and `waited_seconds` count from the beginning of the phase. `names_files` is whether Agora has named a
    file of this recording. `credential_seconds` are the waits since the recorder got its credentials.
    `looked_at_slices` is whether lost parts have been recovered. `stop_lost` is whether a stop in this phase found no
    recorder. `stops_only` is whether the watch ends as soon as no stop waits for proof.
    """

    recording_id: str
    opened_at: str
    since: str
    outcome: Literal["watching", "ended", "recover", "over"] = "watching"
    phase: Phase = "unnamed"
    attempt: int = 0
    wait_seconds: int = FIRST_CHECK_SECONDS
    waited_seconds: int = FIRST_CHECK_SECONDS
    names_files: bool = False
    credential_seconds: int = FIRST_CHECK_SECONDS
    looked_at_slices: bool = False
    stop_lost: bool = False
    stops_only: bool = False

    @classmethod
    def begin(cls, recording: RecordingRow) -> Self:
        """Return the watch over a recording that was just opened."""
        opened_at = recording["created_at"]
        return cls(recording["recording_id"], opened_at, opened_at)

    @classmethod
    def begin_stop(cls, recording: RecordingRow) -> Self:
        """Return the watch over a stop that found no recorder, beside the watch over the recording."""
        return cls(
            recording["recording_id"],
            recording["created_at"],
            recording["stop_requested_at"],
            phase="stopping",
            wait_seconds=LOST_SECONDS,
            waited_seconds=LOST_SECONDS,
            stops_only=True,
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read the watch from a state's input, or from the execution's own input."""
        return cls(**{name: state[name] for name in cls.__dataclass_fields__ if name in state})

    def to_state(self) -> dict[str, Any]:
        """Return the watch as a state's output."""
        return asdict(self)

    def enter(self, phase: Phase, since: str) -> Self:
        """Begin a phase, with its counts at zero."""
        return replace(self, phase=phase, since=since, attempt=0, waited_seconds=0, stop_lost=False)

    def wait(self, seconds: int) -> Self:
        """Check again after `seconds`."""
        return replace(
            self,
            outcome="watching",
            wait_seconds=seconds,
            attempt=self.attempt + 1,
            waited_seconds=self.waited_seconds + seconds,
            credential_seconds=self.credential_seconds + seconds,
        )

    def await_files(self, seconds: int) -> Self:
        """Complete the recording after `seconds`, unless files arrive until then."""
        return replace(self.wait(seconds), outcome="ended")

    def recover(self) -> Self:
        """Recover lost parts at once."""
        return replace(self, outcome="recover", wait_seconds=0)

    def recovered(self) -> Self:
        """Go on after lost parts were recovered."""
        return replace(self, looked_at_slices=True)

    def end(self) -> Self:
        """End the watch."""
        return replace(self, outcome="over", wait_seconds=0)

    def elapsed_seconds(self, since: str, now: datetime) -> float:
        """Return the seconds since a moment: by the clock or by the phase's waits, whichever is longer.

        The sandbox runs waits faster than the clock.
        """
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.waited_seconds))

    def credential_age(self, since: str, now: datetime) -> float:
        """Return the seconds since the recorder got its credentials, over all phases; measured as elapsed seconds."""
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.credential_seconds))


def execution_name(recording: RecordingRow) -> str:
    """Return the name of the watch's execution; each start of a recording has its own, and a retry has the same."""
    return f"{recording['recording_id']}-{recording['version']}"


def stop_execution_name(recording: RecordingRow) -> str:
    """Return the name of the execution that watches a stop; a repeated stop has the same, until the stop is over."""
    moment = "".join(filter(str.isdigit, recording["stop_requested_at"]))
    return f"{recording['recording_id']}-stop-{moment}"
