"""Follow a recording until it has ended."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.errors import NotReachable
from cli.timeline.histories import is_over, no_histories
from cli.timeline.recording_steps import Histories, Row, has_ended, steps_of_recording
from cli.timeline.step import Identity, Step, identified

MOST_FAILURES = 10
"""A watch of hours outlives a network that is away for a moment."""


@dataclass
class Follower:
    """Reads a recording again and again, and shows its steps.

    `read` returns the recording as the API does. `histories` reads those of its media objects. `say` gets a line if the
    API cannot be reached for a moment.
    """

    read: Callable[[], dict[str, Any]]
    show: Callable[[Sequence[Step]], None]
    say: Callable[[str], None]
    histories: Callable[[Row], Histories] = no_histories
    pause_seconds: float = 2.0
    sleep: Callable[[float], None] = field(default=time.sleep)

    def follow(self, is_enough: Callable[[Row], bool] = has_ended) -> dict[str, Any]:
        """Return the recording once it has ended, and with it the executions that are followed.

        Raises:
            CommandFailed: the API refuses to show the recording, or cannot be reached any more.
        """
        while True:
            recording = self._read()
            histories = self.histories(recording)
            self.show(steps_of_recording(recording, histories))
            if recording["status"] == "erasing":
                return recording
            if is_enough(recording) and all(is_over(events) for events in histories.values() if events):
                return recording
            self.sleep(self.pause_seconds)

    def _read(self) -> dict[str, Any]:
        for failures in range(1, MOST_FAILURES + 1):
            try:
                return self.read()
            except NotReachable as error:
                if failures == MOST_FAILURES:
                    raise
                self.say(f"{error} Trying again.")
                self.sleep(self.pause_seconds * failures)
        raise AssertionError("the last failure is raised")


@dataclass
class Changes:
    """What changed since the steps were shown before: for programs, which want each change once."""

    _states: dict[Identity, str] = field(default_factory=dict)

    def since(self, steps: Sequence[Step]) -> list[dict[str, Any]]:
        """Return each step that is new or whose state is another one than before."""
        changed = []
        for identity, step in identified(steps):
            if self._states.get(identity) != step.state:
                self._states[identity] = step.state
                named = {"of": step.of} if step.of else {}
                figures = {"state": step.state, "seconds": round(step.seconds, 1), "detail": step.detail}
                changed.append({"step": step.name, **named, **figures})
        return changed
