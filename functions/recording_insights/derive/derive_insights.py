"""State "Derive insights": ask the model once at most, keep its answer, and save what was found after the last call."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import ceil, inf
from typing import Any, Literal, Protocol, Self

from recording_insights.bounded import parse_bounded
from recording_insights.derive.begin_derivation import key_of, read
from recording_insights.derive.brief import Brief
from recording_insights.derive.lines import Line
from recording_insights.derive.model import Model
from recording_insights.derive.progress import Progress
from recording_insights.derive.steps import GIVEN_UP, advance, begin, give_up, result
from recording_insights.errors import (
    ModelUnusable,
    ProviderBusy,
    ProviderUnavailable,
    RecordingInsightsError,
    ReplyGone,
)
from recording_insights.model.derived import BEDROCK, Derived
from recording_insights.model.reasons import INSIGHT_REASONS, code_of_fault
from recording_insights.model.status import ERASING
from recording_insights.providers.pacing import SHORTEST_WAIT
from recording_insights.store.derivations import DerivationStore, holder_id, turn_of
from recording_insights.store.keys import provider_of_turns
from recording_insights.store.rows import DerivedRow, MediaRow

TIMEOUT_SECONDS = 420
"""Of the function: a call of the model may take 300 s, and the rest is for reading and writing."""
_CODE = re.compile(r": (\w+)")
"""The code in what is missing."""


class Turn(Protocol):
    """Who may call the model now: see `processing.turns.Turn`."""

    @property
    def goes(self) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def retry_at(self) -> float | None: ...


class Turns(Protocol):
    """The turns at the model: see `processing.turns.Turns`."""

    def take(self, row: MediaRow, *, is_due: bool = False) -> Any: ...
    def fail(self, row: MediaRow, fault: RecordingInsightsError, retry_after: int | None = None) -> Any: ...
    def succeed(self, row: MediaRow, turn: Any) -> None: ...
    def give_back(self, row: MediaRow) -> None: ...


class Objects(Protocol):
    """The objects that executions keep."""

    def put(self, key: str, reply: bytes) -> None: ...
    def read(self, key: str) -> bytes: ...


@dataclass(frozen=True)
class Patience:
    """How long the model is waited for: hours from the first turn, and days from when the transcript was ready."""

    give_up_hours: int
    queue_days: int


@dataclass(frozen=True)
class Step:
    """What the state machine carries from call to call.

    `queue` and `place` are the key of the item in the queue that gets the task token. `timed_out` tells that nobody has
    ended the wait for a turn, and `probes` that it ends when the model is to be tried again. `waited_seconds` sums up
    the waits whose length is known, since the sandbox may run them faster than the clock.
    """

    recording_id: str
    digest: str
    number: int
    outcome: Literal["more", "parked", "over"] = "more"
    wait_seconds: int = 0
    waited_seconds: int = 0
    queue: str = ""
    place: str = ""
    timed_out: bool = False
    probes: bool = False
    first_turn_at: str = ""

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read the input of a state, or of the execution. Another version may give fewer fields or more."""
        return cls(**{name: state[name] for name in cls.__dataclass_fields__ if name in state})

    def to_state(self) -> dict[str, Any]:
        """Return the output of a state."""
        return asdict(self)

    def enter(self) -> Self:
        """Go on after a wait, if there was one."""
        waited = self.waited_seconds + (self.wait_seconds if self.timed_out else 0)
        since = self.first_turn_at
        return type(self)(self.recording_id, self.digest, self.number, waited_seconds=waited, first_turn_at=since)

    def end(self) -> Self:
        """Leave the loop."""
        return replace(self, outcome="over")

    def elapsed_seconds(self, since: str, now: datetime) -> float:
        """Return the seconds since a moment, by the clock or by the waits."""
        return max((now - datetime.fromisoformat(since)).total_seconds(), float(self.waited_seconds))


def derive_insights(
    step: Step,
    *,
    store: DerivationStore,
    turns: Turns,
    objects: Objects,
    model: Model,
    patience: Patience,
    now: datetime,
) -> Step:
    """Do the next step of what is derived from a recording, with one call of the model at most.

    A call that broke off is repeated: what was kept before it decides where it goes on. A model that is busy, away or
    not enabled is waited for. Work for a transcript that is not the newest any more ends without a trace, as does that
    for a recording which is being erased.

    Raises:
        RecordingInsightsError: a fault of our own, which the state machine retries.
    """
    is_due = step.timed_out and step.probes
    step = step.enter()
    row, recording = store.find(step.recording_id), store.recordings.find(step.recording_id)
    if row is None or recording is None or recording["status"] == ERASING or row["number"] != step.number:
        turns.give_back(_holder(step))
        return step.end()
    work = _Work(step, row, store, turns, objects, patience, now)
    if row["state"] != "pending":
        store.forget_others(row)  # the call before ended after it had saved
        return work.over()
    return work.go_on(model, is_due=is_due)


def _holder(step: Step) -> MediaRow:
    """What holds a turn for work that no row describes any more."""
    return turn_of(
        {
            "recording_id": step.recording_id,
            "media_id": holder_id(step.digest, step.number),
            "provider": BEDROCK,
            "waiting_since": "",
        }
    )


@dataclass(frozen=True)
class _Work:
    """What one call of the function does, with the row as it was before."""

    step: Step
    row: DerivedRow
    store: DerivationStore
    turns: Turns
    objects: Objects
    patience: Patience
    now: datetime

    def go_on(self, model: Model, *, is_due: bool) -> Step:
        """Make the next call if the model may be called, and save the whole after the last one."""
        try:
            lines, brief = read(self._read("conversation"))
        except ReplyGone:
            missing = [f"{kind}: {GIVEN_UP}" for kind in self.row.get("kinds", ())]
            return self._save(
                Derived(missing=missing),
                "what the model was to read is not there: it was deleted, or too large to be kept",
            )
        progress = self._progress(lines, brief)
        if not progress.is_over and self._seconds_left <= 0:
            reason = f"not derived in time; last: {self.row.get('reason', 'the model was being called')}"
            return self._save(result(give_up(progress), lines, brief), reason)
        if not progress.is_over:
            turn = self.turns.take(turn_of(self.row), is_due=is_due)
            if not turn.goes:
                return self._park(turn)
            try:
                progress = self._ask(progress, lines, brief, model)
            except (ProviderBusy, ProviderUnavailable, ModelUnusable) as fault:
                return self._after_fault(fault)
            self.turns.succeed(turn_of(self.row), turn)
            self.store.go_on(self.row)
        if progress.is_over:
            return self._save(result(progress, lines, brief))
        return replace(self.step, first_turn_at=self._first_turn_at)

    def over(self) -> Step:
        """Give the slot to the next."""
        self.turns.give_back(turn_of(self.row))
        return self.step.end()

    def _ask(self, progress: Progress, lines: list[Line], brief: Brief, model: Model) -> Progress:
        """Make one call, and keep its answer before what follows from it: an answer is paid for."""
        after, answer = advance(progress, lines, brief, model)
        if answer is not None:
            self._keep(f"answer-{answer.number:04d}", answer.body)
        self._keep("progress", json.dumps(after.to_map(), ensure_ascii=False).encode())
        return after

    def _after_fault(self, fault: RecordingInsightsError) -> Step:
        """Wait until the model takes calls again. It has had its turn, from which on the hours count."""
        turn = self.turns.fail(turn_of(self.row), fault, getattr(fault, "retry_after", None))
        mine = turn._replace(code=code_of_fault(type(fault).__name__), reason=str(fault))
        return replace(self, step=replace(self.step, first_turn_at=self._first_turn_at))._park(mine)

    def _park(self, turn: Turn) -> Step:
        self.store.wait(self.row, turn.code, turn.reason, turn.place)
        until_retry = inf if turn.retry_at is None else turn.retry_at - self.now.timestamp()
        left = max(self._seconds_left, 0)
        return replace(
            self.step,
            outcome="parked",
            wait_seconds=max(ceil(min(left, until_retry)), SHORTEST_WAIT),
            queue=provider_of_turns(self.row["provider"]),
            place=turn.place,
            probes=until_retry <= left,
        )

    def _save(self, derived: Derived, reason: str | None = None) -> Step:
        """Save what there is. It is partial if anything that was wanted is missing, for the reason of the first."""
        why: dict[str, str] = {}
        if derived.missing:
            code = _CODE.split(derived.missing[0])[1]
            why = {"reason_code": code, "reason": reason or INSIGHT_REASONS[code].meaning}
        self.store.save(self.row, derived, "partial" if derived.missing else "done", **why)
        return self.over()

    def _progress(self, lines: list[Line], brief: Brief) -> Progress:
        try:
            return Progress.from_map(parse_bounded(self._read("progress")))
        except ReplyGone:
            return begin(lines, brief)

    def _read(self, name: str) -> bytes:
        return self.objects.read(key_of(self.row["recording_id"], self.row["digest"], self.row["number"], name))

    def _keep(self, name: str, content: bytes) -> None:
        self.objects.put(key_of(self.row["recording_id"], self.row["digest"], self.row["number"], name), content)

    @property
    def _first_turn_at(self) -> str:
        return self.step.first_turn_at or self.store.timestamp

    @property
    def _seconds_left(self) -> float:
        since, first = self.row["waiting_since"], self.step.first_turn_at
        left = self.patience.queue_days * 86_400 - self.step.elapsed_seconds(since, self.now)
        if not first:
            return left
        return min(left, self.patience.give_up_hours * 3600 - self.step.elapsed_seconds(first, self.now))
