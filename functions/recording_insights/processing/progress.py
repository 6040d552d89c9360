"""Progress: the data that the states hand to each other. It holds ids and counters, never a link or a secret."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self, TypedDict

Outcome = Literal["prepare", "empty", "submit", "parked", "awaiting", "running", "succeeded", "failed", "over"]
"""What the choice states branch on.

`over` ends in both: the media object is done, or another execution works on it.

- "Media prepared?": `prepare` and `running` check the files again, now or after a wait; `awaiting` waits for the end of
  the playlist and checks; `empty` ends, since nothing was recorded; `failed` reports; `submit` submits.
- "Job finished?": `submit` submits (again); `parked` waits for a turn at the provider and submits; `prepare` converts
  the file to a format that the provider takes; `awaiting` waits for the callback; `running` waits and polls;
  `succeeded` saves; `failed` reports.

Any other outcome waits and polls: executions of earlier versions meet new ones there. docs/decisions/upgrades.md has
the rules for a new one.
"""
_AT_ONCE = frozenset({"prepare", "empty", "submit", "succeeded", "failed", "over"})
"""The outcomes that lead to the next function without a state that waits."""
AFTER_A_FAULT = 4
"""Transitions after "Report fault": "Fault passes?", "Wait for repair", "Go on where?" and the state that failed."""


class Counted(TypedDict):
    """The attributes of a media object that count what its execution has taken so far."""

    transitions: int | None
    calls: int | None


@dataclass(frozen=True)
class Progress:
    """The progress of one media object through the workflow.

    `attempt` and `waited_seconds` count since the present phase began: with the arrival, with the newest file of a
    track, or with the provider's acceptance. `execution` is the ARN of the execution; executions of earlier versions
    do not name it. `queue` and `place` are the key of the item in a provider's queue that gets the task token.
    `timed_out` tells that nobody has ended the wait for a turn, and `probes` that it ends when the provider is to be
    tried again. `faults` are the faults of AWS or of our own in a row. `transitions` and `calls` are the state
    transitions and the calls of functions that the execution has taken so far.
    """

    recording_id: str
    media_id: str
    key: str
    outcome: Outcome = "submit"
    wait_seconds: int = 0
    attempt: int = 0
    waited_seconds: int = 0
    reason: str = ""
    reason_code: str = ""
    execution: str = ""
    queue: str = ""
    place: str = ""
    timed_out: bool = False
    probes: bool = False
    faults: int = 0
    transitions: int = 0
    calls: int = 0

    @classmethod
    def enter(cls, state: Mapping[str, Any]) -> Self:
        """Read the input of a state, and count the call of its function and the transitions since the one before.

        The outcome of the function before says which states those were. A repeated call has the same input, so it
        counts once.
        """
        progress = cls.from_state(state)
        since = AFTER_A_FAULT if progress.faults else 2 + (progress.outcome not in _AT_ONCE)
        return progress.count(transitions=since, calls=1)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read the input of a state, or of the execution. Another version may give fewer fields or more."""
        return cls(**{name: state[name] for name in cls.__dataclass_fields__ if name in state})

    def to_state(self) -> dict[str, Any]:
        """Return the output of a state."""
        return asdict(self)

    def count(self, *, transitions: int, calls: int) -> Self:
        """Add to the counts."""
        return replace(self, transitions=self.transitions + transitions, calls=self.calls + calls)

    @property
    def counted(self) -> Counted:
        """The counts, as changes of the row: they come with a write that is made anyway."""
        return {"transitions": self.transitions, "calls": self.calls}

    @property
    def execution_name(self) -> str:
        """The name of the execution; empty if it is not known."""
        return self.execution.rpartition(":")[2]

    def other_execution(self, name: str) -> str:
        """Return the ARN of another execution of the same state machine."""
        return f"{self.execution.rpartition(':')[0]}:{name}"

    def wait(self, seconds: int) -> Self:
        """Check or poll again after `seconds`. Where there is no job, a poll leads back to "Submit recording"."""
        return replace(
            self,
            outcome="running",
            wait_seconds=seconds,
            attempt=self.attempt + 1,
            waited_seconds=self.waited_seconds + seconds,
            faults=0,
        )

    def await_end(self, seconds: int) -> Self:
        """Check again once the playlist of the track is closed; after `seconds` if the task token cannot be written."""
        return replace(self, outcome="awaiting", wait_seconds=seconds, attempt=self.attempt + 1, faults=0)

    def park(self, seconds: int, *, queue: str, place: str, probes: bool = False) -> Self:
        """Wait for a turn at a place in a provider's queue, `seconds` at the longest."""
        return replace(
            self,
            outcome="parked",
            wait_seconds=seconds,
            attempt=self.attempt + 1,
            queue=queue,
            place=place,
            probes=probes,
            faults=0,
        )

    def unpark(self) -> Self:
        """Go on after the wait for a turn. Only a wait that nobody has ended counts as waited: its length is known."""
        waited = self.waited_seconds + (self.wait_seconds if self.timed_out else 0)
        return replace(self, wait_seconds=0, waited_seconds=waited, queue="", place="", timed_out=False, probes=False)

    def restart(self, outcome: Outcome) -> Self:
        """Begin a new phase, whose waits count from zero."""
        return replace(self, outcome=outcome, wait_seconds=0, attempt=0, waited_seconds=0, faults=0)

    def await_callback(self) -> Self:
        """Begin a new phase: wait for the provider's callback, then poll, also if no callback arrives in time."""
        return self.restart("awaiting")

    def end(self, outcome: Outcome, reason: str = "", code: str = "") -> Self:
        """Leave the loop. `code` is the reason code of a failure, if it has one."""
        return replace(self, outcome=outcome, wait_seconds=0, reason=reason, reason_code=code, faults=0)

    def elapsed_seconds(self, since: str, now: datetime) -> float:
        """Return the seconds since the present phase began at `since`.

        The sum of the waits counts if it is larger: the sandbox may run the waits faster than the clock.
        """
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.waited_seconds))
