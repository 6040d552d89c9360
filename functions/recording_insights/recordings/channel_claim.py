"""Claims of channels: take, extend and release a claim, and find the recording that holds a channel.

A claim is a lease. While its start is in flight, the claim lasts a little longer than the function. Afterwards it lasts
for the recording's `max_hours`. A start that crashes leaves a claim that lapses soon, and the next start queries Agora.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraUnavailable, Conflict
from recording_insights.model.reasons import because_of_recorder
from recording_insights.model.status import ERASING
from recording_insights.recordings.end import UNDER_WAY, end_left, lost_since_stop, withdraw_stop
from recording_insights.store.claims import Claim
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

JOIN_SECONDS = 8.0
"""How long a start waits for another start that is in flight."""
JOIN_INTERVAL_SECONDS = 0.5
ID_LOST = "Agora's response to the start was lost; the recorder runs, and its files will show its id"

WatchStarter = Callable[[RecordingRow], None]
"""Starts the watch over a recording; an error of the tree fails the start."""


@dataclass(frozen=True)
class HeldChannel:
    """A channel that one start has claimed for its recording; `before` is the claim that it replaced."""

    channel: str
    recording_id: str
    before: Claim | None
    store: RecordingStore

    @property
    def was_own(self) -> bool:
        """Whether the claim before was of an earlier try to start the same recording."""
        return self.before is not None and self.before.recording_id == self.recording_id

    def extend(self, hours: int) -> None:
        """Hold the channel for the recording's hours."""
        self._hold(self.recording_id, hours * 3600)

    def lapse(self) -> None:
        """End the claim now, so that the next start queries Agora instead of relying on the claim."""
        self._hold(self.recording_id, 0)

    def pass_on(self, recording_id: str, hours: int) -> None:
        """Give the channel to another recording for so many hours."""
        self._hold(recording_id, hours * 3600)

    def give_back(self) -> None:
        """Restore the claim before, so that a start that crashed is still found, or release the channel."""
        if self.before:
            self.store.claims.hold(self.before, instead_of=self.recording_id)
        else:
            self.store.claims.release(self.channel, self.recording_id)

    def _hold(self, recording_id: str, seconds: int) -> None:
        claim = Claim(self.channel, recording_id, self.store.seconds + seconds)
        self.store.claims.hold(claim, instead_of=self.recording_id)


def is_held(claim: Claim | None, recording_id: str, store: RecordingStore) -> bool:
    """Return whether a recording holds its channel by this claim, which must not have lapsed."""
    return claim is not None and claim.recording_id == recording_id and claim.claimed_until > store.seconds


def running_recording(
    claim: Claim, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> RecordingRow | None:
    """Return the recording that holds a channel by this claim, or None if its recorder has left or never started.

    A recorder that Agora reports as left ends the recording. While Agora is unavailable, the row decides. A recorder
    that Agora does not find may be moving to another host, so its recording does not end: Agora accepts a new recorder
    of its uid, or reports that it is in the channel. After a stop that found no recorder, a start of the next 100 s
    withdraws the stop and returns the recording.

    Raises:
        AgoraUnavailable: the row alone cannot tell.
        Conflict: the recording that holds the channel is being erased.
        SecretUnusable, AgoraError: Agora refused the query.
    """
    holder = store.find(claim.recording_id)
    if holder is None or not is_held(claim, claim.recording_id, store):
        return None
    if holder["status"] == ERASING:
        raise Conflict("the recording of this channel is being erased; try again once its recorder has left")
    if holder["status"] == "starting":
        holder = await_recorder_id(holder, store=store, deadline=deadline)
    if holder is None or "stopped_at" in holder:
        return None
    if "sid" not in holder:
        return holder if holder["status"] == "starting" else None
    # The status cannot tell: the first part of a long recording may be done while the recorder goes on, and a recorder
    # leaves an empty channel by itself.
    is_stopping = "stop_requested_at" in holder
    try:
        live = agora.query(holder, deadline, patient=not is_stopping)
    except AgoraUnavailable:
        if is_stopping or holder["status"] in UNDER_WAY:
            return _joined(holder, store)
        raise
    is_lost, is_proven = live.status is None, lost_since_stop(holder, store=store)
    if not live.over or (is_lost and is_stopping and not is_proven):
        return _joined(holder, store)
    if is_proven or not is_lost:
        end_left(claim.recording_id, store=store, why=live.meaning)
    return None


def _joined(holder: RecordingRow, store: RecordingStore) -> RecordingRow | None:
    """Return the recording that a start joins, without the stop before; None if it has ended meanwhile."""
    return withdraw_stop(holder["recording_id"], store=store) if "stop_requested_at" in holder else holder


def await_recorder_id(recording: RecordingRow, *, store: RecordingStore, deadline: Deadline) -> RecordingRow | None:
    """Wait up to 8 s until a start that is in flight has its recorder's id or a reason; returns the row as it is then.

    Returns None if the other start met a recorder that was not started by it, and deleted its row.
    """
    waited, present = 0.0, recording
    while present["status"] == "starting" and not present.keys() & {"sid", "reason"}:
        if waited >= JOIN_SECONDS or not deadline.pause(JOIN_INTERVAL_SECONDS):
            break
        waited += JOIN_INTERVAL_SECONDS
        found = store.find(recording["recording_id"])
        if found is None:
            return None
        present = found
    return present


def adopt_recorder(held: HeldChannel, hours: int, *, watch: WatchStarter) -> RecordingRow | None:
    """Give the channel to the recording that had claimed it before, because its recorder is in the channel already.

    Returns that recording, or None if the recorder cannot be its own. In both cases the new recording is deleted.
    """
    earlier = held.store.find(held.before.recording_id) if held.before else None
    held.store.drop(held.recording_id)
    if earlier is None or not _may_have_recorder(earlier):
        held.give_back()
        return None
    held.pass_on(earlier["recording_id"], hours)
    again: RecordingChanges = {**because_of_recorder("start_unconfirmed", ID_LOST), "status": "starting"}
    revived = held.store.update(earlier["recording_id"], again, only_in=("failed",), only_without="sid")
    if revived:
        watch(revived)
    return revived or earlier


def close_interrupted_start(held: HeldChannel, uid: str) -> None:
    """Fail the start before, if it was interrupted: Agora accepted a new recorder of its uid, so it has left none."""
    if held.before is None or held.was_own:
        return
    earlier = held.store.find(held.before.recording_id)
    if earlier and earlier["status"] == "starting" and earlier.get("uid") == uid:
        why = because_of_recorder("start_interrupted", "its start was interrupted, and Agora recorded nothing")
        closed: RecordingChanges = {**why, "status": "failed"}
        held.store.update(earlier["recording_id"], closed, only_in=("starting",), only_without="sid")


def end_replaced_recorder(held: HeldChannel, uid: str) -> None:
    """End the recording before: Agora accepted a new recorder of its uid, so that of the recording has left."""
    if held.before is None or held.was_own:
        return
    earlier = held.store.find(held.before.recording_id)
    if earlier and earlier["status"] != "failed" and "sid" in earlier and earlier.get("uid") == uid:
        why = "Agora no longer found it, and accepted a new recorder of its uid"
        end_left(earlier["recording_id"], store=held.store, why=why)


def _may_have_recorder(earlier: RecordingRow) -> bool:
    """Return whether a recorder in the channel can be this recording's, even if its start was given up as failed."""
    return "stopped_at" not in earlier and ("sid" in earlier or earlier["status"] in ("starting", "failed"))
