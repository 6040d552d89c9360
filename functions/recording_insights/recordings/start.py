"""Starting a recording: at most one recorder per channel, whoever asks, however often, and whatever breaks.

The recording and its channel's claim are written before Agora is called. What a crash leaves behind is a claim
with a short lease; the next start after it asks Agora, which refuses a second recorder of the same uid, and is
given the recording that the crashed one had begun. The watch over the recording is started before Agora is called,
too: whatever becomes of the start, somebody looks after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from recording_insights.agora.recorder import Recorder
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraChannelBusy,
    AgoraOutcomeUnknown,
    AgoraUnavailable,
    ChannelTaken,
    Conflict,
    InvalidRequest,
    RecordingInsightsError,
)
from recording_insights.recordings.end import end_left
from recording_insights.recordings.request import RecordingRequest
from recording_insights.store.claims import Claim
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

FOLDER = "recordings"
"""The recorder writes to `recordings/<recording id>/`, which leads every file back to its row."""
LEASE_MARGIN_SECONDS = 60
JOIN_SECONDS = 8.0
JOIN_INTERVAL_SECONDS = 0.5
NAME_LOST = "Agora's answer was lost, the recorder runs; its id will be known from its files"


@dataclass(frozen=True)
class Started:
    """The recording of the channel; `new` if this call began it."""

    recording: RecordingRow
    new: bool


@dataclass(frozen=True)
class RecordingStart:
    """What it takes to start recordings, within the time that one call has.

    `watch` starts the watch over a recording; what it raises is an error of the tree, and fails the start.
    """

    store: RecordingStore
    agora: "AgoraClient"
    deadline: Deadline
    watch: Callable[[RecordingRow], None] = lambda recording: None

    def __call__(self, request: RecordingRequest, *, idempotency_key: str | None = None) -> Started:
        """Start recording a channel, or find the recording that is under way.

        The same idempotency key leads to the same recording, unless its start has failed.

        Raises:
            InvalidRequest: the idempotency key is malformed, or there is no recorder to be apart from.
            Conflict: the key was used for another request, or a stranger's recorder of this uid is in the channel.
            WatchUnavailable, SecretUnusable, AgoraError: it was not started; the reason is on the row too.
        """
        recording_id = recording_id_for(idempotency_key)
        while True:
            earlier = self.store.find(recording_id) if idempotency_key else None
            claim = self.store.claims.find(request.claimed)
            if earlier and earlier.get("fingerprint") != request.fingerprint:
                raise Conflict("the Idempotency-Key was used for another request")
            if earlier and not self._may_begin_again(earlier, claim):
                return Started(self._with_sid(earlier), new=False)
            if claim and (running := self._running(claim)):
                return Started(running, new=False)
            apart_from = [self._resource_of(index, other) for index, other in enumerate(request.apart_from or ())]
            try:
                recording = self._open(request, recording_id, over=claim, replacing=earlier, key=idempotency_key)
            except ChannelTaken as taken:
                if not self.deadline.pause(0.1):
                    raise Conflict("other starts of this channel are under way; try again") from taken
            else:
                return self._record(request, recording, claim, apart_from)

    def _resource_of(self, index: int, recording_id: str) -> str:
        """What Agora calls the place of a recorder."""
        found = self.store.find(recording_id) or {}
        if "resource_id" not in found or "stopped_at" in found:
            raise InvalidRequest(f"apart_from[{index}]", "has no recorder that was started here and still runs")
        return found["resource_id"]

    def _may_begin_again(self, earlier: RecordingRow, claim: Claim | None) -> bool:
        if earlier["status"] == "failed":
            return not earlier.keys() & {"stopped_at", "media"}  # it was the start that failed
        holds = claim and claim.recording_id == earlier["recording_id"] and self._lives(claim)
        return earlier["status"] == "starting" and "sid" not in earlier and not holds

    def _lives(self, claim: Claim) -> bool:
        return claim.claimed_until > self.store.seconds

    def _running(self, claim: Claim) -> RecordingRow | None:
        """The claim's recording, if it is under way."""
        holder = self.store.find(claim.recording_id)
        if not self._lives(claim) or holder is None:
            return None
        if holder["status"] == "starting":
            holder = self._with_sid(holder)
        if "stopped_at" in holder:
            return None
        if "sid" not in holder:
            return holder if holder["status"] == "starting" else None
        # Its status cannot tell: the first part of a long recording may be done while the recorder goes on, and
        # a recorder leaves an empty channel by itself.
        try:
            live = self.agora.query(holder, self.deadline, patient=True)
        except AgoraUnavailable:
            if holder["status"] in ("starting", "recording"):
                return holder
            raise
        if not live.over:
            return holder
        end_left(claim.recording_id, store=self.store, why=live.meaning)
        return None

    def _with_sid(self, recording: RecordingRow) -> RecordingRow:
        """Wait a little for a start that is in flight."""
        waited = 0.0
        while recording["status"] == "starting" and not recording.keys() & {"sid", "reason"}:
            if waited >= JOIN_SECONDS or not self.deadline.pause(JOIN_INTERVAL_SECONDS):
                break
            waited += JOIN_INTERVAL_SECONDS
            recording = self.store.get(recording["recording_id"])
        return recording

    def _open(
        self,
        request: RecordingRequest,
        recording_id: str,
        *,
        over: Claim | None,
        replacing: RecordingRow | None,
        key: str | None,
    ) -> RecordingRow:
        lease = int(self.deadline.seconds_left) + LEASE_MARGIN_SECONDS
        return self.store.open(
            cast(
                RecordingRow,
                {
                    **request.attributes,
                    "prefix": f"{FOLDER}/{recording_id}/",
                    **({"fingerprint": request.fingerprint} if key else {}),
                },
            ),
            Claim(request.claimed, recording_id, self.store.seconds + lease),
            over=over,
            replacing=replacing,
        )

    def _record(
        self, request: RecordingRequest, recording: RecordingRow, over: Claim | None, apart_from: Sequence[str]
    ) -> Started:
        recording_id = recording["recording_id"]
        try:
            self.watch(recording)
            recorder = self.agora.start(request.order, (FOLDER, recording_id), self.deadline, apart_from)
        except AgoraChannelBusy as busy:
            if over is None or over.recording_id != recording_id:
                return Started(self._earlier_of(request, recording_id, over, busy), new=False)
            recorder = Recorder(None, None)  # our own earlier try, its answer was lost
        except AgoraOutcomeUnknown as error:
            self.store.update(recording_id, {"reason": str(error)}, only_in=("starting",))
            # With the lease ended the next start asks Agora, instead of believing in this one.
            self.store.claims.hold(Claim(request.claimed, recording_id, self.store.seconds))
            raise
        except RecordingInsightsError as error:
            failed: RecordingChanges = {"status": "failed", "reason": str(error)}
            self.store.update(recording_id, failed, only_in=("starting",))
            self._give_back(request.claimed, recording_id, over)
            raise
        changes: RecordingChanges = {
            "resource_id": recorder.resource_id,
            "sid": recorder.sid,
            "reason": None if recorder.sid else NAME_LOST,
        }
        after = self.store.update(recording_id, changes) or self.store.get(recording_id)
        self._hold_for(request, recording_id)
        if recorder.sid:
            self.store.recorders.name(recorder.sid, recording_id)
        if over and over.recording_id != recording_id:
            self._close_unanswered(over.recording_id, request)
        return Started(after, new=True)

    def _earlier_of(
        self, request: RecordingRequest, recording_id: str, over: Claim | None, busy: AgoraChannelBusy
    ) -> RecordingRow:
        """Agora records this channel already: the recording that had the claim before."""
        earlier = self.store.find(over.recording_id) if over else None
        self.store.drop(recording_id)
        if (
            earlier
            and "stopped_at" not in earlier
            and ("sid" in earlier or earlier["status"] in ("starting", "failed"))
        ):
            self._hold_for(request, earlier["recording_id"], instead_of=recording_id)
            return self._revived(earlier)
        self._give_back(request.claimed, recording_id, over)
        raise Conflict(
            f"a recorder with the uid {request.uid} is in the channel already; either it was not started here, or "
            "it is still leaving after a stop: try again in a few seconds, or with another uid"
        ) from busy

    def _revived(self, earlier: RecordingRow) -> RecordingRow:
        """A start that broke off and was given up: its recorder runs after all."""
        again: RecordingChanges = {"status": "starting", "reason": NAME_LOST}
        revived = self.store.update(earlier["recording_id"], again, only_in=("failed",), only_without="sid")
        if revived:
            self.watch(revived)
        return revived or earlier

    def _hold_for(self, request: RecordingRequest, recording_id: str, *, instead_of: str | None = None) -> None:
        until = self.store.seconds + request.max_hours * 3600
        self.store.claims.hold(Claim(request.claimed, recording_id, until), instead_of=instead_of)

    def _give_back(self, channel: str, recording_id: str, over: Claim | None) -> None:
        if over:
            self.store.claims.hold(over, instead_of=recording_id)
        else:
            self.store.claims.release(channel, recording_id)

    def _close_unanswered(self, recording_id: str, request: RecordingRequest) -> None:
        """Agora took a new recorder of the same uid, so the start that was cut off has left none."""
        earlier: Mapping[str, Any] = self.store.find(recording_id) or {}
        if earlier.get("status") == "starting" and earlier.get("uid") == request.uid:
            closed: RecordingChanges = {
                "status": "failed",
                "reason": "its start was cut off, and Agora recorded nothing",
            }
            self.store.update(recording_id, closed, only_in=("starting",), only_without="sid")


def recording_id_for(idempotency_key: str | None) -> str:
    """A new recording id (32 hex digits), or the one that belongs to an idempotency key.

    Raises:
        InvalidRequest: the key is not 1 to 255 visible ASCII characters.
    """
    if idempotency_key is None:
        return uuid4().hex
    if not 1 <= len(idempotency_key) <= 255 or not all("!" <= character <= "~" for character in idempotency_key):
        raise InvalidRequest("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return sha256(f"Idempotency-Key\0{idempotency_key}".encode()).hexdigest()[:32]
