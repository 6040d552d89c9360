"""Turns at a provider: who may submit now, who waits, and who is woken when a slot becomes free.

A media object takes a slot before it is submitted, and gives it back when its job has ended. Without a slot, or while
the provider takes nothing, it is parked: it waits in the queue with a task token, and costs nothing. Whoever frees a
slot hands it to the first in the queue and wakes that one. Nobody polls for a slot.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from recording_insights.errors import RecordingInsightsError
from recording_insights.model.moments import utc_text
from recording_insights.model.reasons import code_of_fault
from recording_insights.providers.pacing import FIRST_RETRY, LONGEST_RETRY_AFTER
from recording_insights.store.keys import AGAIN, FRESH, QUEUE
from recording_insights.store.rows import HealthRow, MediaRow, QueueRow
from recording_insights.store.turns import Standing, TurnStore, holder_of

LONGEST_PROBE_SECONDS = 900
"""Between two tries of a provider that takes nothing."""
STALE_SECONDS = 900
"""So long after its time a try that did not happen is left to the next media object."""
LEASE_MARGIN_SECONDS = 3600
"""A slot is held no longer than a job may run, and so much more for the submission and for faults."""
MOST_AT_ONCE = 25
"""Media objects that one call wakes. Each of them wakes more when it has submitted."""
A_RETRY_IN = 5
"""Of so many turns one is a retry's, as long as there are any: fresh recordings cannot hold retries up for ever."""


class _Prober(NamedTuple):
    """Who tries a provider again: a media object as holder, and its place in the queue. `NOBODY`: who comes next."""

    holder: str
    place: str


NOBODY = _Prober("", "")


class Turn(NamedTuple):
    """The answer to who wants to submit: go, with a slot if the provider has slots; or wait, with the code why.

    A media object that waits is in the queue at `place`. `probes`: it is the one that tries a provider again, or tells
    whether a doubt of it holds.
    """

    goes: bool
    slot: int | None = None
    code: str = ""
    reason: str = ""
    place: str = ""
    retry_at: float | None = None
    probes: bool = False


@dataclass(frozen=True)
class Turns:
    """The turns of all providers.

    `limits` are the slots by provider; a provider without one has no slots. `lease_seconds` is how long a slot is held
    at the longest. `end_wait` ends the wait of a task token, and ignores a task that has ended.
    """

    store: TurnStore
    limits: Mapping[str, int]
    lease_seconds: int
    end_wait: Callable[[str], None]

    @property
    def _now(self) -> float:
        return self.store.now().timestamp()

    def take(self, row: MediaRow, *, is_due: bool = False) -> Turn:
        """Let a media object submit, or put it into the queue.

        `is_due`: the wait after which it tries the provider again is over, whatever the clock says.

        It is in the queue before the slots are looked at once more: a slot that is given back meanwhile finds it there.
        """
        provider, me, place = row["provider"], holder_of(row), place_of(row)
        standing = self._with_prober(row, self.store.read(provider))
        waits = self._why_closed(standing, me, is_due)
        if waits is None:
            slot = self._slot_of(row, standing)
            if slot is not None or self.limit(provider, standing) is None:
                if "queue_place" in row:
                    self.store.leave(provider, place)
                return Turn(True, slot, probes=(standing.health or standing.doubt) is not None)
            waits = Turn(False, code="queued", reason=f"all slots of {provider} are taken")
        held = standing.held_by(me, self._now)
        if held is not None:
            self.store.free_slot(provider, held, me)
        self.store.enqueue(provider, place, row)
        if me in self.dispatch(provider):
            return self.take(row, is_due=is_due)
        return waits._replace(place=place)

    def fail(self, row: MediaRow, fault: RecordingInsightsError, retry_after: int | None = None) -> Turn:
        """Note that a provider takes nothing at present; return how the media object that met the fault waits.

        One media object tries the provider again, in growing intervals. After each failure it is the next one's turn to
        try, so that a media object which the provider cannot digest does not hold up the others.
        """
        provider, me, now = row["provider"], holder_of(row), self._now
        standing = self.store.read(provider)
        held = standing.held_by(me, now)
        if held is not None:
            self.store.free_slot(provider, held, me)
        before = standing.health
        if before is None or before["prober"] == me or is_stale(before, now):
            following = self._next_prober(row) if before else None
            self._open(row, standing, fault, following, _Prober(me, place_of(row)), retry_after)
        return self.take(row)

    def doubt(self, row: MediaRow, fault: RecordingInsightsError) -> None:
        """Note that nobody knows whether a provider has accepted a job. After the second in a row it takes nothing.

        The media object waits for the provider's callback, and keeps its slot: the provider may have its job. Hence
        the next in the queue tries the provider again, or whoever comes next.
        """
        provider, now = row["provider"], self._now
        standing = self.store.read(provider)
        health = standing.health
        if health is None and standing.doubt is None:
            self.store.open(provider, self._failed(row, fault, None), was=None)
        elif health is None or health["prober"] == holder_of(row) or is_stale(health, now):
            self._open(row, standing, fault, self._next_prober(row), NOBODY)

    def confirm(self, provider: str) -> None:
        """Note that a provider has accepted a job of which nobody knew it: whoever waits for it to recover is woken."""
        standing = self.store.read(provider)
        if standing.health or standing.doubt:
            self.store.close(provider)
        if standing.health:
            self.dispatch(provider)

    def _open(
        self,
        row: MediaRow,
        standing: Standing,
        fault: RecordingInsightsError,
        following: QueueRow | None,
        otherwise: _Prober,
        retry_after: int | None = None,
    ) -> None:
        """Let nothing be submitted but by one: by who is `following`, which is woken, or `otherwise`."""
        provider, before = row["provider"], standing.health or standing.doubt
        failed = self._failed(row, fault, before)
        prober = _Prober(holder_of(following), following["sk"]) if following else otherwise
        pause = max(pause_after(failed["failures"]), min(retry_after or 0, LONGEST_RETRY_AFTER))
        health: HealthRow = {
            **failed,
            "prober": prober.holder,
            "place": prober.place,
            "retry_at": int(self._now + pause),
        }
        if self.store.open(provider, health, was=before) and following:
            self._wake(provider, following)

    def _failed(self, row: MediaRow, fault: RecordingInsightsError, before: HealthRow | None) -> HealthRow:
        """A try that failed, after those in a row `before`."""
        failures = before["failures"] + 1 if before else 1
        return {
            "since": before["since"] if before else utc_text(self.store.now()),
            "code": _code_of(fault),
            "reason": str(fault),
            "failures": failures,
            "version": f"{holder_of(row)} {failures} {self._now}",
        }

    def _with_prober(self, row: MediaRow, standing: Standing) -> Standing:
        """Make a media object the one that tries a provider, if nobody is."""
        health, me = standing.health, holder_of(row)
        if health is None or health["prober"]:
            return standing
        mine: HealthRow = {**health, "prober": me, "place": place_of(row), "version": f"{me} {self._now}"}
        if not self.store.open(row["provider"], mine, was=health):
            return self.store.read(row["provider"])
        return replace(standing, health=mine)

    def succeed(self, row: MediaRow, turn: Turn) -> None:
        """Note that the provider has accepted a job in this turn: whoever waits for it to recover is woken."""
        if turn.probes:
            self.store.close(row["provider"])
        if turn.probes or "queue_place" in row:
            self.dispatch(row["provider"])

    def give_back(self, row: MediaRow) -> None:
        """Give the slot of a media object back, if it has one, and wake the next; take it out of the queue."""
        provider, me = row["provider"], holder_of(row)
        was_queued = "queue_place" in row
        if was_queued:
            self.store.leave(provider, row["queue_place"])
        elif provider not in self.limits and "slot" not in row:
            return
        number = row.get("slot")
        if number is None:
            number = self.store.read(provider).held_by(me, self._now)
        if number is not None:
            self.store.free_slot(provider, number, me)
        if number is not None or was_queued:
            # Also if it was free already: the call that gave it back may have broken off before it woke the next.
            # Also without slots: the last one of a wave may not be accepted, and wakes the next wave all the same.
            self.dispatch(provider, job_ended=number is not None)

    def withdraw(self, row: MediaRow) -> None:
        """Give back the turn of a media object that was cancelled, and end its wait for one.

        If it was to try a provider that takes nothing, the next one tries it.
        """
        provider = row["provider"]
        if "queue_place" in row:
            self._wake(provider, {"sk": row["queue_place"]})
        self.give_back(row)
        health = self.store.read(provider).health
        if health is not None and health["prober"] == holder_of(row):
            self.replace_prober(provider, health)

    def resume(self, provider: str) -> None:
        """Let those go on who waited while the provider was paused.

        If it took nothing before, the first in the queue tries it: the time of the one that was to try has passed.
        """
        health = self.store.read(provider).health
        if health is None:
            self.dispatch(provider)
        else:
            self.replace_prober(provider, health)

    def has_room(self, provider: str) -> bool:
        """Return whether a media object that comes to a provider now could submit at once."""
        standing = self.store.read(provider)
        if standing.health is not None or (standing.brake or {}).get("paused"):
            return False
        limit = self.limit(provider, standing)
        return limit is None or bool(standing.free(limit, self._now) and self.store.head(provider, QUEUE) is None)

    def dispatch(self, provider: str, *, job_ended: bool = False) -> list[str]:
        """Hand free slots to those who wait, oldest first, and wake them; return who got one.

        One who was called and is still in the queue: the function that called it has ended before it woke it.
        """
        woken = list[str]()
        standing = self.store.read(provider)
        if (standing.brake or {}).get("paused"):
            return woken
        limit = self.limit(provider, standing)
        if standing.health is not None:
            return self._dispatch_prober(provider, standing.health, standing, limit, job_ended)
        return self._dispatch_in_order(provider, standing, limit)

    def _dispatch_in_order(self, provider: str, standing: Standing, limit: int | None) -> list[str]:
        woken, free = list[str](), self._free(standing, limit)
        for _ in range(MOST_AT_ONCE):
            turns = standing.turns_of(free[0]) if free and free[0] is not None else len(woken)
            following = self._head(provider, turns)
            if following is None:
                break
            holder = holder_of(following)
            if "called_at" in following:
                self._finish_call(provider, following)
            elif standing.held_by(holder, self._now) is not None:
                # It came back into the queue while it was called: its slot waits for it.
                self._wake(provider, following)
            elif not free:
                break
            elif self._hand_over(provider, free[0], following, turns):
                free.pop(0)
            else:
                # Somebody else took the slot, or called this one, in this moment. Others may wait for what is left.
                standing = self.store.read(provider)
                free = self._free(standing, limit)
                continue
            woken.append(holder)
        return woken

    def _free(self, standing: Standing, limit: int | None) -> list[int | None]:
        """Return the free slots; without slots, as many turns as one call gives."""
        return [None] * MOST_AT_ONCE if limit is None else [*standing.free(limit, self._now)]

    def _dispatch_prober(
        self, provider: str, health: HealthRow, standing: Standing, limit: int | None, job_ended: bool
    ) -> list[str]:
        """Give a free slot to who tries the provider, if it is time.

        A provider that was busy is tried as soon as a job has ended: it may take another one.
        """
        is_time = self._now >= health["retry_at"] or (job_ended and health["code"] == "provider_busy")
        if not health["prober"] or not is_time or limit is None:
            return []
        recording_id, _, media_id = health["prober"].partition(" ")
        prober: QueueRow = {"sk": health["place"], "recording_id": recording_id, "media_id": media_id}
        free = standing.free(limit, self._now)
        if free and self._hand_over(provider, free[0], prober, standing.turns_of(free[0])):
            return [health["prober"]]
        return []

    def _hand_over(self, provider: str, number: int | None, following: QueueRow, turns: int) -> bool:
        """Give a turn to one who waits, with a slot if there are slots, and wake it; False if somebody was faster."""
        if number is None:
            return self._wake(provider, following)
        until = self._now + self.lease_seconds
        called = self.store.hand_over(provider, number, following, until, turns=turns)
        if called is None:
            return False
        self._finish_call(provider, called)
        return True

    def _wake(self, provider: str, following: QueueRow) -> bool:
        """Call a media object and end its wait; False if somebody else has called it."""
        called = self.store.call(provider, following["sk"])
        if called is None:
            return False
        self._finish_call(provider, called)
        return True

    def _finish_call(self, provider: str, called: QueueRow) -> None:
        """End the wait of a media object whose turn it is. Once it is out of the queue, nothing is left to repeat.

        Without a token, its execution has not begun to wait, and will not: the write of its token fails.
        """
        if "task_token" in called:
            self.end_wait(called["task_token"])
        self.store.leave_after_call(provider, called)

    def _head(self, provider: str, turns: int) -> QueueRow | None:
        """Return whose turn it is: the oldest fresh media object, and each fifth time the oldest retry."""
        is_retrys = turns % A_RETRY_IN == A_RETRY_IN - 1
        return (self.store.head(provider, AGAIN) if is_retrys else None) or self.store.head(provider, QUEUE)

    def _next_prober(self, row: MediaRow) -> QueueRow | None:
        provider, place = row["provider"], place_of(row)
        following = self.store.head(provider, QUEUE, after=place) or self.store.head(provider, QUEUE)
        return following if following and holder_of(following) != holder_of(row) else None

    def replace_prober(self, provider: str, health: HealthRow) -> bool:
        """Let the first in the queue try a provider; without a queue, whoever comes next. False if the health changed.

        `health` was read before, and its prober does not try any more.
        """
        following = self.store.head(provider, QUEUE)
        if following is None:
            self.store.close(provider)
            return True
        prober = holder_of(following)
        replaced: HealthRow = {
            **health,
            "prober": prober,
            "place": following["sk"],
            "version": f"{prober} {self._now}",
        }
        if not self.store.open(provider, replaced, was=health):
            return False
        self._wake(provider, following)
        return True

    def _why_closed(self, standing: Standing, me: str, is_due: bool) -> Turn | None:
        """Return why nobody, or only another one, may submit at present; None if `me` may."""
        if standing.brake and standing.brake.get("paused"):
            return Turn(False, code="provider_paused", reason="an operator has paused the provider")
        health, now = standing.health, self._now
        if health is None:
            return None
        if is_stale(health, now) or (health["prober"] == me and (is_due or now >= health["retry_at"])):
            return None
        if health["prober"] == me and standing.held_by(me, now) is not None:
            return None  # a slot became free
        retry_at = health["retry_at"] if health["prober"] == me else None
        return Turn(False, code=health["code"], reason=health["reason"], retry_at=retry_at)

    def _slot_of(self, row: MediaRow, standing: Standing) -> int | None:
        """Return the slot of a media object: the one that it holds, or a free one if nobody is in front of it."""
        provider, me, now = row["provider"], holder_of(row), self._now
        limit = self.limit(provider, standing)
        held = standing.held_by(me, now)
        if held is not None or limit is None:
            return held
        first = self.store.head(provider, QUEUE)
        if first is not None and holder_of(first) != me and standing.health is None:
            return None
        free = standing.free(limit, now)
        return next((n for n in free if self.store.take_slot(provider, n, me, now + self.lease_seconds)), None)

    def limit(self, provider: str, standing: Standing) -> int | None:
        """Return the number of slots: the operator's, else the stack's; None if the provider has no slots."""
        return slots_of(provider, standing, self.limits)


def slots_of(provider: str, standing: Standing, limits: Mapping[str, int]) -> int | None:
    """Return the number of slots: the operator's, else the stack's; None if the provider has no slots."""
    return (standing.brake or {}).get("slots", limits.get(provider))


def place_of(row: MediaRow) -> str:
    """Return the place of a media object in the queue of its provider: by class, and by when its try began."""
    return f"{AGAIN if 'began_from' in row else FRESH}{row['waiting_since']}#{row['media_id']}"


def pause_after(failures: int) -> int:
    """Return the seconds until a provider is tried again that has failed so often in a row."""
    return min(FIRST_RETRY << min(failures - 1, 10), LONGEST_PROBE_SECONDS)


def _code_of(fault: RecordingInsightsError) -> str:
    """Return the reason code of a provider's health: whether one job is unconfirmed is the matter of that job."""
    code = code_of_fault(type(fault).__name__)
    return "provider_unavailable" if code == "submission_unconfirmed" else code


def is_stale(health: HealthRow, now: float) -> bool:
    """Return whether the next try of a provider is so long overdue that its prober does not count any more."""
    return now > health["retry_at"] + STALE_SECONDS
