"""State "Erase page": one bounded page of an erase, and when the next one follows.

The order is what makes it safe: the mark in the row lets nobody begin anything for the recording. Then the work that
runs is stopped, and what it may still write is waited for. Then go the objects, the copies at the providers, and the
rows that lead to the recording from elsewhere. The recording's own rows go last, and the receipt takes their place in
one transaction. Each step repeats without harm, and finds what to do in the rows that are still there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Literal, Self

from recording_insights.aws.object_versions import ObjectVersions
from recording_insights.deadline import Deadline
from recording_insights.model.status import ERASING, FINAL
from recording_insights.providers.port import ProviderLoader
from recording_insights.store.derivations import DerivationStore
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.upkeep.places import Place, media_in, places_of_id, places_of_rows, segments_in
from recording_insights.upkeep.provider_copies import Copy, copies_of, delete_copy
from recording_insights.upkeep.receipt import receipt_of
from recording_insights.upkeep.rows_elsewhere import delete_rows_elsewhere, delete_rows_of
from recording_insights.upkeep.stop_work import AgoraStop, stop_derivation, stop_recorder, stop_work

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

RESERVE_SECONDS = 40.0
"""Time that a page leaves for the call that it has begun: a vendor may take 28 s."""
SHORT_QUIET_SECONDS, LONG_QUIET_SECONDS = 90, 960
"""What functions may still write that read the row before it was marked: longer than the longest of them runs.

Without unfinished work, these are routes and the intake of files. Lambda ends each function after 15 minutes.
"""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 60, 3600
"""Between the tries of a vendor that is away."""
AWAY = timedelta(days=3)
"""How long a vendor is tried that is away. The receipt then says that its copy stays."""
LATE = timedelta(days=4)
"""After the receipt: Agora's backup may upload files for three days."""

Phase = Literal["stop", "delete", "late", "file", "media", "segments", "over"]


class Copies(Enum):
    """What is known of all copies at the providers. GONE: each is deleted, or stays for good."""

    GONE = auto()
    AWAY = auto()
    NO_TIME = auto()


@dataclass(frozen=True)
class Erase:
    """An erase, as the state machine carries it from page to page.

    "stop": the recorder and the work. "delete": all that there is. "late": what came after the receipt. "file": one
    object that came for an erased recording, by its `bucket` (recordings or replies) and `key`. "media" and "segments":
    what the retention deletes of a recording that stays. `waited_seconds` counts while a vendor is away.
    """

    recording_id: str = ""
    receipt_id: str = ""
    phase: Phase = "stop"
    bucket: str = ""
    key: str = ""
    wait_seconds: int = 0
    attempt: int = 0
    waited_seconds: int = 0

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read the erase from a state's input, or from the execution's own input."""
        return cls(**{name: state[name] for name in cls.__dataclass_fields__ if name in state})

    def to_state(self) -> dict[str, Any]:
        """Return the erase as a state's output. `outcome` is "more" or "over"."""
        given = {name: value for name, value in asdict(self).items() if value != ""}
        return {**given, "outcome": "over" if self.phase == "over" else "more"}

    def enter(self, phase: Phase, wait_seconds: int = 1) -> Self:
        """Go on with another phase after so many seconds."""
        return replace(self, phase=phase, wait_seconds=wait_seconds, attempt=0, waited_seconds=0)

    def again(self) -> Self:
        """Go on at once: the time of a page was over."""
        return replace(self, wait_seconds=1)

    def wait(self) -> Self:
        """Try again after a pause that grows."""
        seconds = min(FIRST_WAIT_SECONDS * 2**self.attempt, LONGEST_WAIT_SECONDS)
        attempt = min(self.attempt + 1, 10)
        return replace(self, wait_seconds=seconds, attempt=attempt, waited_seconds=self.waited_seconds + seconds)

    def is_patient(self, since: str, now: datetime) -> bool:
        """Return whether a vendor that is away is tried again: by the clock and by the waits, which a test shortens."""
        elapsed = max((now - datetime.fromisoformat(since)).total_seconds(), float(self.waited_seconds))
        return elapsed < AWAY.total_seconds()


@dataclass(frozen=True)
class Eraser:
    """Erases recordings. Each method does what there is time for.

    `buckets` are the two buckets by their names in `places`. `providers` are all that ever wrote results. `withdraw`
    gives back the turn of a media object, `stop_execution` stops the one of a name, `stop_derivation` the one that
    derives insights, all without harm if there is none.
    """

    store: MediaStore
    buckets: Mapping[str, ObjectVersions]
    provider_for: ProviderLoader
    providers: Iterable[str]
    job_prefix: str
    withdraw: Callable[[MediaRow], None]
    end_wait: Callable[[str], None]
    stop_execution: Callable[[str], None]
    stop_derivation: Callable[[str], None]
    agora: "Callable[[], AgoraClient]"
    log_days: int

    def page(self, erase: Erase, deadline: Deadline) -> Erase:
        """Do one page of an erase, and return how it goes on."""
        if erase.phase == "file":
            return self._erase_file(erase)
        if erase.phase == "late":
            return self._erase_late(erase, deadline)
        if erase.phase in ("media", "segments"):
            return self._erase_files(erase, deadline)
        recording = self.store.recordings.find(erase.recording_id)
        if recording is None or recording.get("receipt_id") != erase.receipt_id:
            # The page before ended after it had written the receipt, or somebody has deleted the row.
            return erase.enter("late", int(LATE.total_seconds()))
        self.store.recordings.erasures.note_recording(erase.recording_id)  # the sweep sees that the erase goes on
        if erase.phase == "stop":
            return self._stop(recording, erase, deadline)
        return self._delete(recording, erase, deadline)

    def _stop(self, recording: RecordingRow, erase: Erase, deadline: Deadline) -> Erase:
        """Stop the recorder first: while it is in the channel, it writes files."""
        erasures = self.store.recordings.erasures
        stopped = stop_recorder(
            recording,
            store=self.store.recordings,
            agora=self.agora,
            deadline=deadline,
            waited_seconds=erase.waited_seconds,
        )
        if stopped is AgoraStop.AWAY:
            if erase.is_patient(recording["erasing_since"], self.store.now()):
                return erase.wait()
            erasures.note(erase.recording_id, recorder="not stopped")
        if stopped is AgoraStop.LOST:
            return replace(erase, wait_seconds=100, waited_seconds=erase.waited_seconds + 100)
        was_busy = stop_work(
            recording, store=self.store, withdraw=self.withdraw, end_wait=self.end_wait, stop=self.stop_execution
        )
        was_derived = stop_derivation(
            recording, store=DerivationStore(self.store.table), withdraw=self.withdraw, stop=self.stop_derivation
        )
        is_idle = stopped is AgoraStop.NONE and not was_busy and not was_derived
        return erase.enter("delete", SHORT_QUIET_SECONDS if is_idle else LONG_QUIET_SECONDS)

    def _delete(self, recording: RecordingRow, erase: Erase, deadline: Deadline) -> Erase:
        """Delete objects, copies and rows, in this order, and write the receipt."""
        recording_id = recording["recording_id"]
        recordings, erasures = self.store.recordings, self.store.recordings.erasures
        media, tries = recordings.media_rows(recording_id), recordings.tries.of(recording_id)
        if any(row.get("status") not in FINAL for row in media):
            return erase.enter("stop")  # a retry had read the rows before the mark
        places = [*places_of_rows(recording, media, tries), *self._places_of_id(recording_id)]
        for place, count in self._delete_objects(places):
            erasures.add(recording_id, **{place.count: count})
            if deadline.seconds_left < RESERVE_SECONDS:
                return erase.again()
        is_patient = erase.is_patient(recording["erasing_since"], self.store.now())
        copies = self._delete_copies(recording_id, copies_of(media, tries), is_patient=is_patient, deadline=deadline)
        if copies is not Copies.GONE:
            return erase.wait() if copies is Copies.AWAY else erase.again()
        delete_rows_elsewhere(recording, media, tries, store=self.store)
        for count in delete_rows_of(recording_id, table=self.store.table):
            erasures.add(recording_id, rows=count)
            if deadline.seconds_left < RESERVE_SECONDS:
                return erase.again()
        receipt = receipt_of(recording, erasures.progress(recording_id), erasures.timestamp, log_days=self.log_days)
        erasures.conclude(receipt)
        return erase.enter("late", int(LATE.total_seconds()))

    def _delete_copies(
        self, recording_id: str, copies: Iterable[Copy], *, is_patient: bool, deadline: Deadline
    ) -> Copies:
        """Delete the copies at the providers that are not known to be gone, or to stay."""
        erasures = self.store.recordings.erasures
        progress = erasures.progress(recording_id)
        settled = {
            *progress.get("deleted_jobs", ()),
            *(name.rpartition(":")[0] for name in progress.get("kept_jobs", ())),
        }
        found = Copies.GONE
        for number, copy in enumerate(copy for copy in copies if copy.name not in settled):
            if number and deadline.seconds_left < RESERVE_SECONDS:
                return Copies.NO_TIME
            with deadline.limits_calls():
                code = delete_copy(copy, self.provider_for)
            if code == "away" and is_patient:
                found = Copies.AWAY
            elif code is None:
                erasures.add(recording_id, deleted_jobs={copy.name})
            else:
                erasures.add(recording_id, kept_jobs={f"{copy.name}:{code}"})
        return found

    def _erase_late(self, erase: Erase, deadline: Deadline) -> Erase:
        """Delete what came after the receipt was written, and close the receipt."""
        recording_id = erase.recording_id
        erasures = self.store.recordings.erasures
        if erasures.find_receipt(recording_id) is None:
            return erase.enter("over")
        objects = rows = 0
        for _, count in self._delete_objects(self._places_of_id(recording_id)):
            objects += count
        for count in delete_rows_of(recording_id, table=self.store.table):
            rows += count
        erasures.close(recording_id, late_objects=objects, late_rows=rows)
        return erase.enter("over")

    def _erase_file(self, erase: Erase) -> Erase:
        for _ in self.buckets[erase.bucket].delete_object(erase.key):
            pass
        return erase.enter("over")

    def _erase_files(self, erase: Erase, deadline: Deadline) -> Erase:
        """Delete media or segments of a recording that stays.

        The mark in its row forbids new tries from media. One that had read the row before runs to its end first.
        """
        kind, recording_id = erase.phase, erase.recording_id
        recordings = self.store.recordings
        recording = recordings.find(recording_id)
        if recording is None or recording["status"] == ERASING or f"{kind}_runs" not in recording:
            return erase.enter("over")
        media = recordings.media_rows(recording_id)
        if not erase.attempt or any(row.get("status") not in FINAL for row in media):
            return erase.wait()
        begun = str(recording[f"{kind}_deleted_at"])  # type: ignore[literal-required]
        if not any(row["arrived_at"] > begun for row in media):
            tries = recordings.tries.of(recording_id)
            places = [*places_of_rows(recording, media, tries), *self._places_of_id(recording_id)]
            for _ in self._delete_objects(segments_in(places) if kind == "segments" else media_in(places)):
                if deadline.seconds_left < RESERVE_SECONDS:
                    return erase.again()
        # What came since the mark stays until it is too old itself, and what was before goes with it.
        recordings.note_deletion(recording_id, kind, runs=None)
        return erase.enter("over")

    def _places_of_id(self, recording_id: str) -> Iterator[Place]:
        return places_of_id(recording_id, providers=self.providers, job_prefix=self.job_prefix)

    def _delete_objects(self, places: Iterable[Place]) -> Iterator[tuple[Place, int]]:
        """Delete the objects of each place, page by page; yield the pages on which there was something."""
        for place in places:
            for count in self.buckets[place.bucket].delete(place.prefix, only=place.only):
                if count:
                    yield place, count
