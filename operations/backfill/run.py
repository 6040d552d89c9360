"""Admit what is new, no more at once than the providers have slots for, and follow it to its end.

Whatever the stage has accepted is in its rows. So a run that is killed at any point and started again finds there what
is under way or done, and admits the rest.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.backfill.estimate import WITHOUT_SLOTS, lasting
from operations.backfill.intake import Erased, Failing, Intake, Patience, Refused
from operations.backfill.plan import Item, Plan, Skipped, row_of
from operations.deployed_stack import Report
from recording_insights.model.status import FINAL

LOOKS_AT_ONCE = 50
"""Media objects that are looked at between two pauses: the API allows 50 calls a second."""
LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
MOST_FAILING = 3
"""Objects in a row whose admission fails by a fault of the stage. One alone does not keep the others."""
ERASED = "its recording was erased meanwhile"
QUEUED = "queued"
"""The code of the usual wait: for a turn at the provider."""


@dataclass(frozen=True)
class Failed:
    """A media object that failed in this run."""

    key: str
    recording_id: str
    media_id: str
    code: str | None
    reason: str | None


@dataclass
class Outcome:
    """What a run did. `left` was not admitted, and `under_way` not followed to its end: the next run goes on."""

    admitted: int = 0
    retried: int = 0
    done: int = 0
    failed: list[Failed] = field(default_factory=list)
    under_way: int = 0
    left: int = 0
    skipped: Skipped = field(default_factory=Skipped)
    seconds: float = 0.0


@dataclass
class _Followed:
    item: Item
    media_id: str
    looks: int = 0
    is_submitted: bool = False
    waits_for: str | None = None


@dataclass
class Run:
    """One run of a backfill.

    `provider` gets all of it, None leaves that to the stage. `at_once` is the number of media objects under way, None
    lets the providers' slots decide. `clock` returns seconds. `show` gets a line on how far it is, again and again.
    """

    intake: Intake
    patience: Patience
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    report: Report
    show: Report
    provider: str | None = None
    at_once: int | None = None
    outcome: Outcome = field(default_factory=Outcome)
    _left: dict[str, Item] = field(default_factory=dict)
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _began: float = 0.0
    _held_back: str = ""
    _failing: int = 0

    def go(self, plan: Plan, *, waits: bool = True) -> Outcome:
        """Admit and follow until nothing is left. Without `waits`, admit what may be under way now.

        Raises:
            KeyboardInterrupt: somebody ended it. What is under way goes on, and the report says so.
            Exception: the API's own error if it stays away.
        """
        self._began = self.clock()
        self.outcome.skipped = plan.skipped
        self._left = {item.key: item for item in plan.new}
        self._followed = {item.key: _Followed(item, item.media.media_id) for item in plan.under_way}
        try:
            self._admit()
            if waits:
                self._until_the_end()
        except BaseException as error:
            if self._followed or self._left:
                why = "" if isinstance(error, KeyboardInterrupt) else "The backfill ends early. "
                numbers = f"{len(self._followed)} are under way and go on, {len(self._left)} were not admitted"
                self.report(f"{why}{numbers}: the same command goes on from here.")
            raise
        finally:
            self._count()
        return self.outcome

    def _count(self) -> None:
        self.outcome.under_way, self.outcome.left = len(self._followed), len(self._left)
        self.outcome.seconds = round(self.clock() - self._began, 3)

    def _until_the_end(self) -> None:
        pause = LEAST_PAUSE_SECONDS
        while self._followed or self._left:
            self.show(self._progress())
            self.sleep(pause)
            before = len(self._followed), len(self._left)
            self._look()
            self._admit()
            changed = before != (len(self._followed), len(self._left))
            pause = LEAST_PAUSE_SECONDS if changed else min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def _look(self) -> None:
        """Look at those that were looked at least often."""
        turn = sorted(self._followed.values(), key=lambda each: each.looks)[:LOOKS_AT_ONCE]
        for followed in turn:
            followed.looks += 1
            row = self._row(followed.item, followed.media_id)
            if row is None or row["status"] in FINAL:
                del self._followed[followed.item.key]
                self._end(followed.item, row)
            else:
                followed.is_submitted = row["status"] == "submitted"
                followed.waits_for = row.get("reason_code")

    def _row(self, item: Item, media_id: str) -> Mapping[str, Any] | None:
        """Return the row of a media object; None without one, or if the recording was erased."""
        try:
            return row_of(item.media, media_id, self.patience(lambda: self.intake.find(item.recording_id)))
        except Erased:
            return None

    def _end(self, item: Item, row: Mapping[str, Any] | None) -> None:
        if row is None:
            self.outcome.skipped.add("erased", ERASED, item.key)
        elif row["status"] == "done":
            self.outcome.done += 1
        else:
            failed = Failed(item.key, item.recording_id, row["media_id"], row.get("reason_code"), row.get("reason"))
            self.outcome.failed.append(failed)

    def _admit(self) -> None:
        """Admit what is left in its order, as long as its provider has room for it."""
        if not self._left:
            return
        room = self._room()
        for item in [*self._left.values()]:
            if not any(room.values()) or (self.at_once is not None and len(self._followed) >= self.at_once):
                return
            if room[item.provider]:
                room[item.provider] -= 1
                self._begin(item)
                del self._left[item.key]

    def _room(self) -> dict[str, int]:
        """Return how many media objects each provider may get now."""
        standings = self.patience(self.intake.providers).standings
        names = {item.provider for item in self._left.values()}
        held_back = [said for name in sorted(names) if (said := _why_held_back(standings.get(name, {})))]
        said = " ".join(held_back)
        if said and said != self._held_back:
            self.report(said)
        self._held_back = said
        return {name: self._room_at(name, standings.get(name, {})) for name in names}

    def _room_at(self, provider: str, standing: Mapping[str, Any]) -> int:
        own = [each for each in self._followed.values() if each.item.provider == provider]
        if standing.get("paused"):
            return 0
        if _is_away(standing):
            # Somebody has to try the provider: without one that waits, it would count as away for ever.
            return 0 if own else 1
        if self.at_once is not None:
            return self.at_once
        slots: int | None = standing.get("slots")
        if slots is None:
            return max(WITHOUT_SLOTS - len(own), 0)
        # Those that are not submitted yet will take a slot too.
        coming = sum(not each.is_submitted for each in own)
        free: int = slots - standing.get("slots_used", 0) - standing.get("queued", 0) - coming
        return max(min(slots - len(own), free), 0 if own else 1)

    def _begin(self, item: Item) -> None:
        """Admit or retry one, and follow it."""
        begin = self._take if item.failed_with is None else self._retry
        try:
            media_id = begin(item)
        except Refused as refused:
            self.outcome.skipped.add("refused", str(refused), item.key)
        except Erased:
            self.outcome.skipped.add("erased", ERASED, item.key)
        except Failing as failing:
            self._failing += 1
            if self._failing == MOST_FAILING:
                raise failing.why from None
            self.outcome.skipped.add("not_admitted", str(failing), item.key)
        else:
            self._failing = 0
            self._followed[item.key] = _Followed(item, media_id)

    def _take(self, item: Item) -> str:
        """Admit one and return its media id. Raises Refused, Erased."""
        media_id = item.media.media_id
        try:
            media_id = str(self.patience(lambda: self.intake.take(item.key, self.provider))["media_id"])
        except Refused:
            # An attempt whose answer was lost, or another run, may have admitted it.
            if self._row(item, media_id) is None:
                raise
        self.outcome.admitted += 1
        return media_id

    def _retry(self, item: Item) -> str:
        """Retry one and return its media id. Raises Refused, Erased.

        An attempt whose answer was lost may have begun the try: it is not begun twice.
        """
        attempts, media_id = 0, item.media.media_id

        def has_begun() -> bool:
            row = self._row(item, media_id)
            return row is not None and (row["status"] != "failed" or len(row.get("tries", ())) > item.tries)

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 1 or not has_begun():
                self.intake.retry(item.recording_id, media_id, self.provider)

        try:
            self.patience(attempt)
        except Refused:
            if not has_begun():
                raise
        self.outcome.retried += 1
        return media_id

    def _progress(self) -> str:
        ended = self.outcome.done + len(self.outcome.failed)
        rest = len(self._followed) + len(self._left)
        minutes = (self.clock() - self._began) / 60
        parts = [f"{self.outcome.done} done", f"{len(self.outcome.failed)} failed"]
        parts += [f"{len(self._followed)} under way", f"{len(self._left)} left"]
        if ended and minutes > 0:
            rate = ended / minutes
            parts += [f"{rate:.1f} a minute", f"about {lasting(60 * rest / rate)} to go"]
        waits = Counter(each.waits_for for each in self._followed.values() if each.waits_for not in (None, QUEUED))
        parts += [f"{number} wait ({code})" for code, number in waits.most_common()]
        return ", ".join(parts)


def codes_of(outcome: Outcome) -> dict[str, int]:
    """Return how many failed with each reason code."""
    return dict(Counter(str(failed.code) for failed in outcome.failed).most_common())


def _is_away(standing: Mapping[str, Any]) -> bool:
    return bool(standing.get("health", "closed") != "closed")


def _why_held_back(standing: Mapping[str, Any]) -> str:
    if standing.get("paused"):
        return f"Provider {standing['provider']} is paused: the backfill waits until somebody ends that."
    if _is_away(standing):
        return f"Provider {standing['provider']} takes no jobs ({standing.get('reason_code')}): one at a time tries it."
    return ""
