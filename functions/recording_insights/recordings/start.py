"""Start a recording: a channel has one recorder at most, whatever callers repeat and whatever crashes or gets lost.

The recording and the claim on its channel are written before Agora is called, and its watch is started before, too.
After a crash there is always a row, a claim that lapses soon, and a watch. The next start then asks Agora, which
refuses a second recorder of the same uid, and returns the recording of the start that crashed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from recording_insights.agora.recorder import Recorder
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraChannelBusy,
    AgoraOutcomeUnknown,
    ChannelTaken,
    Conflict,
    InvalidRequest,
    RecordingInsightsError,
)
from recording_insights.model.moments import utc_text
from recording_insights.model.reasons import because_of_recorder
from recording_insights.model.status import ERASING, RECORDING_STATUSES
from recording_insights.recordings.channel_claim import (
    ID_LOST,
    HeldChannel,
    WatchStarter,
    adopt_recorder,
    await_recorder_id,
    close_interrupted_start,
    end_replaced_recorder,
    is_held,
    running_recording,
)
from recording_insights.recordings.derivation import DerivationOf, without_model
from recording_insights.recordings.request import RecordingRequest
from recording_insights.store.claims import Claim
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import Derivation, RecordingChanges, RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

FOLDER = "recordings"
"""The recorder writes to `recordings/<recording id>/`; the folder's name leads from a file to its row."""
LEASE_MARGIN_SECONDS = 60
"""How much longer than the function the claim of a start in flight lasts."""
RETRY_SECONDS = 0.1
"""Between two tries to claim the channel."""
_EARLIER_KEYS = timedelta(hours=24)
"""How long a key leads to a recording of an earlier version: callers repeat a request within hours."""


@dataclass(frozen=True)
class Started:
    """The recording of the channel; `new` if this call started it."""

    recording: RecordingRow
    new: bool


def start_recording(
    request: RecordingRequest,
    *,
    store: RecordingStore,
    agora: "AgoraClient",
    deadline: Deadline,
    watch: WatchStarter = lambda recording: None,
    derivation_of: DerivationOf = without_model,
    idempotency_key: str | None = None,
    caller: str = "",
    who: str | None = None,
) -> Started:
    """Start a recording, or return the one that is under way in the channel.

    The same idempotency key of the same `caller` leads to the same recording, unless its start failed. `watch` starts
    the watch over the new recording before Agora is called. `derivation_of` says what is to be derived, for the row.
    `who` is the caller's name, for the row.

    Raises:
        InvalidRequest: the idempotency key is malformed, a recording in `apart_from` has no recorder, or insights are
            wanted that the stack does not derive.
        Conflict: the key was used for another request. Or a recorder of this uid that was not started here is in the
            channel. Or other starts of the channel kept winning.
        WatchUnavailable, SecretUnusable, SecretUnavailable, AgoraError: the recording was not started; the row has
            the reason.
    """
    derivation = derivation_of(request.insights)
    recording_id = recording_id_for(idempotency_key, caller)
    if idempotency_key:
        recording_id = unerased_id(recording_id, idempotency_key, store)
    while True:
        earlier = store.find(recording_id) if idempotency_key else None
        before = store.claims.find(request.claimed)
        existing = _existing(request, earlier, before, store=store, agora=agora, deadline=deadline)
        if existing:
            return Started(existing, new=False)
        apart_from = _resource_ids(request.apart_from or (), store)
        row = _row(request, recording_id, derivation, keyed=idempotency_key is not None, who=who)
        lease = int(deadline.seconds_left) + LEASE_MARGIN_SECONDS
        claim = Claim(request.claimed, recording_id, store.seconds + lease)
        try:
            recording = store.open(row, claim, over=before, replacing=earlier)
        except ChannelTaken as taken:
            if not deadline.pause(RETRY_SECONDS):
                raise Conflict("other starts of this channel are under way; try again") from taken
        else:
            held = HeldChannel(request.claimed, recording_id, before, store)
            return _start_recorder(request, recording, held, apart_from, agora=agora, deadline=deadline, watch=watch)


def recording_id_for(idempotency_key: str | None, caller: str = "") -> str:
    """Return the recording id (32 hex digits) of a caller's idempotency key, or a new one if there is no key.

    Raises:
        InvalidRequest: the key is not 1 to 255 visible ASCII characters.
    """
    if idempotency_key is None:
        return uuid4().hex
    if not 1 <= len(idempotency_key) <= 255 or not all("!" <= character <= "~" for character in idempotency_key):
        raise InvalidRequest("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return _digest("Idempotency-Key of", caller, idempotency_key)


def unerased_id(recording_id: str, idempotency_key: str, store: RecordingStore) -> str:
    """Return the id that an idempotency key leads to: each erase of its recording lets it lead to another one."""
    while True:
        recording = store.find(recording_id)
        if recording is None:
            receipt = store.erasures.find_receipt(recording_id)
            if receipt is None:
                return _id_of_earlier_version(idempotency_key, store) or recording_id
            recording_id = _digest("After the erase", recording_id, receipt["receipt_id"])
        elif recording["status"] == ERASING:
            recording_id = _digest("After the erase", recording_id, recording["receipt_id"])
        else:
            return recording_id


def _id_of_earlier_version(idempotency_key: str, store: RecordingStore) -> str | None:
    """Return the id of a recording of the last 24 hours that an earlier version started under the key, or None.

    Earlier versions left out the caller.
    """
    earlier = store.find(_digest("Idempotency-Key", idempotency_key))
    if earlier is None or "prefix" not in earlier:
        return None
    is_recent = earlier["status"] != ERASING and earlier["created_at"] > utc_text(store.now() - _EARLIER_KEYS)
    return earlier["recording_id"] if is_recent else None


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _existing(
    request: RecordingRequest,
    earlier: RecordingRow | None,
    before: Claim | None,
    *,
    store: RecordingStore,
    agora: "AgoraClient",
    deadline: Deadline,
) -> RecordingRow | None:
    """Return the recording that answers the request; None if a recorder has to be started.

    `earlier` is the recording of the same idempotency key, `before` the present claim on the channel.
    """
    if earlier and earlier.get("fingerprint") != request.fingerprint:
        raise Conflict("the Idempotency-Key was used for another request")
    if (
        earlier
        and not _may_start_again(earlier, before, store)
        and (joined := await_recorder_id(earlier, store=store, deadline=deadline))
    ):
        return joined
    return running_recording(before, store=store, agora=agora, deadline=deadline) if before else None


def _may_start_again(earlier: RecordingRow, claim: Claim | None, store: RecordingStore) -> bool:
    """Return whether a recording's start failed, or was interrupted before Agora reported the recorder's id."""
    if earlier["status"] == "failed":
        return not earlier.keys() & {"stopped_at", "media"}  # with these it failed after its start
    is_unnamed = earlier["status"] == "starting" and "sid" not in earlier
    return is_unnamed and not is_held(claim, earlier["recording_id"], store)


def _resource_ids(recording_ids: Sequence[str], store: RecordingStore) -> list[str]:
    """Return Agora's resource ids of the recorders that the new one must not share a server with."""
    found: list[str] = []
    for index, recording_id in enumerate(recording_ids):
        recording = store.find(recording_id)
        if recording is None or "resource_id" not in recording or "stopped_at" in recording:
            raise InvalidRequest(f"apart_from[{index}]", "has no recorder that was started here and still runs")
        found.append(recording["resource_id"])
    return found


def _row(
    request: RecordingRequest, recording_id: str, derivation: Derivation | None, *, keyed: bool, who: str | None
) -> RecordingRow:
    own: RecordingRow = {"prefix": f"{FOLDER}/{recording_id}/"}
    if derivation is not None:
        own["derivation"] = derivation
    if keyed:
        own["fingerprint"] = request.fingerprint
    if who:
        own["started_by"] = who
    # The names of a request's fields are those of the row.
    return {**cast(RecordingRow, request.attributes), **own}


def _start_recorder(
    request: RecordingRequest,
    recording: RecordingRow,
    held: HeldChannel,
    apart_from: Sequence[str],
    *,
    agora: "AgoraClient",
    deadline: Deadline,
    watch: WatchStarter,
) -> Started:
    recording_id, store = held.recording_id, held.store
    try:
        watch(recording)
        recorder = agora.start(request.order, (FOLDER, recording_id), deadline, apart_from)
    except AgoraChannelBusy as busy:
        if held.was_own:
            recorder = Recorder(None, None)  # of an earlier try of this start, whose response was lost
        elif adopted := adopt_recorder(held, request.max_hours, watch=watch):
            return Started(adopted, new=False)
        else:
            raise Conflict(
                f"a recorder with the uid {request.uid} is in the channel already; either it was not started here, or "
                "it is still leaving after a stop: try again in a few seconds, or with another uid"
            ) from busy
    except AgoraOutcomeUnknown as error:
        store.update(recording_id, because_of_recorder("start_unconfirmed", str(error)), only_in=("starting",))
        held.lapse()
        raise
    except Exception as error:
        # Whatever broke, no recorder runs: the next start must neither join this one nor wait for it.
        try:
            failed: RecordingChanges = {**because_of_recorder("start_failed", _reason(error)), "status": "failed"}
            store.update(recording_id, failed, only_in=("starting",))
        finally:
            held.give_back()
        raise
    return Started(_write_recorder(recorder, request, held), new=True)


def _reason(error: Exception) -> str:
    # The text of an error that is not ours may hold a secret. The log has its name.
    ours = isinstance(error, RecordingInsightsError)
    return str(error) if ours else "the start broke off before Agora recorded"


def _write_recorder(recorder: Recorder, request: RecordingRequest, held: HeldChannel) -> RecordingRow:
    """Write what Agora reported of the recorder, and hold its channel; returns the row."""
    recording_id, store = held.recording_id, held.store
    why = because_of_recorder("start_unconfirmed", ID_LOST)
    if recorder.sid:
        why = {"stage": None, "reason_code": None, "reason": None}
    changes: RecordingChanges = {**why, "resource_id": recorder.resource_id, "sid": recorder.sid}
    # Also if it is being erased meanwhile: without the id, nobody can stop the recorder.
    recording = store.update(recording_id, changes, only_in=RECORDING_STATUSES) or store.get(recording_id)
    held.extend(request.max_hours)
    if recorder.sid:
        store.recorders.name(recorder.sid, recording_id)
        end_replaced_recorder(held, request.uid)
    close_interrupted_start(held, request.uid)
    return recording
