"""What travels from state to state: ids and the loop's own bookkeeping, never a link or a secret."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

Outcome = Literal["prepare", "empty", "submit", "awaiting", "running", "succeeded", "failed"]
"""What the choices branch on.

"Media prepared?": look (again) for files, wait for them, nothing was recorded, report, or submit. "Job finished?":
submit (again), await the callback, wait and poll, save, or report.
"""


@dataclass(frozen=True)
class Progress:
    """One media object's way through the workflow.

    `attempt` and `waited_seconds` count since the last change of phase (arrival, the last file that came of a track,
    acceptance by the provider).
    """

    recording_id: str
    media_id: str
    key: str
    outcome: Outcome = "submit"
    wait_seconds: int = 0
    attempt: int = 0
    waited_seconds: int = 0
    reason: str = ""

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From a state's input, the execution's own one included."""
        return cls(**{name: state[name] for name in cls.__dataclass_fields__ if name in state})

    def to_state(self) -> dict[str, Any]:
        """A state's output."""
        return asdict(self)

    def wait(self, seconds: int) -> Self:
        """Look or poll again after `seconds`; without a job a poll leads back to "Submit recording"."""
        return replace(
            self,
            outcome="running",
            wait_seconds=seconds,
            attempt=self.attempt + 1,
            waited_seconds=self.waited_seconds + seconds,
        )

    def restart(self, outcome: Outcome) -> Self:
        """Begin a new phase: the loop counts from zero."""
        return replace(self, outcome=outcome, wait_seconds=0, attempt=0, waited_seconds=0)

    def await_callback(self) -> Self:
        """Begin a new phase with the provider's callback, if it comes in time; then poll."""
        return self.restart("awaiting")

    def end(self, outcome: Outcome, reason: str = "") -> Self:
        """Leave the loop."""
        return replace(self, outcome=outcome, wait_seconds=0, reason=reason)

    def elapsed_seconds(self, since: str, now: datetime) -> float:
        """Seconds in the present phase: by the clock, or by the waits where those are run faster than the clock."""
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.waited_seconds))
