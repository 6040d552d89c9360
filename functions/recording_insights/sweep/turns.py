"""Slots, places in queues and probers whose media object has ended, or that a broken-off function left behind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from recording_insights.deadline import Deadline
from recording_insights.model.status import FINAL
from recording_insights.processing.turns import Turns, is_stale
from recording_insights.store.rows import MediaRow, QueueRow
from recording_insights.store.turns import holder_of
from recording_insights.sweep.step import RESERVE_SECONDS, Step

Find = Callable[[str, str], MediaRow | None]
"""Returns the row of a media object by its recording id and its own, or None."""


def tidy_turns(providers: Iterable[str], *, turns: Turns, find: Find, after: str, deadline: Deadline) -> Step:
    """For each provider, take out of its queue and its slots who is no longer there, and hand free slots to who waits.

    A wake-up that got lost is made good, and a prober that does not try any more is replaced.
    """
    step = Step(cursor=after)
    for provider in sorted(providers):
        if provider <= after:
            continue
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
        left = _Left(provider, turns, find, step)
        for queued in turns.store.waiting(provider):
            if deadline.seconds_left < RESERVE_SECONDS:
                return step
            step.attempt(left.queued, queued)
        for number, slot in turns.store.read(provider).slots.items():
            if "holder" in slot:
                step.attempt(left.held, number, slot["holder"])
        step.attempt(left.tried)
        step.attempt(left.waiting)
        step.cursor = provider
    return Step(step.counts)


@dataclass(frozen=True)
class _Left:
    """What may be left behind at one provider. Each method does its part, and returns what to count."""

    provider: str
    turns: Turns
    find: Find
    step: Step

    def queued(self, queued: QueueRow) -> str | None:
        """Take a media object out of the queue that does not wait for this provider any more."""
        if self._row_of(holder_of(queued)) is not None:
            return None
        self.turns.store.leave(self.provider, queued["sk"])
        if "task_token" in queued:
            # Its execution may still wait for this turn, and ends once it sees the row.
            self.turns.end_wait(queued["task_token"])
        return "left_queue"

    def held(self, number: int, holder: str) -> str | None:
        """Free a slot whose holder has no job at this provider, or has one in another slot."""
        row = self._row_of(holder)
        if row is not None and (row.get("status") != "submitted" or row.get("slot", number) == number):
            return None
        return "freed" if self.turns.store.free_slot(self.provider, number, holder) else None

    def tried(self) -> str | None:
        """Replace a prober that is gone, or whose try is long overdue."""
        health = self.turns.store.read(self.provider).health
        if health is None:
            return None
        is_there = not health["prober"] or self._row_of(health["prober"]) is not None
        if is_there and not is_stale(health, self.turns.store.now().timestamp()):
            return None
        return "probers" if self.turns.replace_prober(self.provider, health) else None

    def waiting(self) -> str | None:
        """Hand free slots to who waits."""
        for _ in self.turns.dispatch(self.provider):
            self.step.counts["woken"] += 1
        return None

    def _row_of(self, holder: str) -> MediaRow | None:
        """Return the row of a media object, unless it has ended or went to another provider."""
        recording_id, _, media_id = holder.partition(" ")
        row = self.find(recording_id, media_id)
        return row if row and row.get("status") not in FINAL and row.get("provider") == self.provider else None
