"""State "Check recording": check a recorder once, write the result to the row, and return the next wait.

Agora's response to a start proves nothing: only a query tells whether the recorder joined, and when it left.
Source: https://docs.agora.io/en/cloud-recording/best-practices/integration-best-practices
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from recording_insights.agora.recorder import LiveState
from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraError, Conflict, SecretUnavailable, SecretUnusable, UploadCredentialsError
from recording_insights.model.reasons import because_of_recorder
from recording_insights.model.status import ERASING
from recording_insights.recordings.channel_claim import is_held
from recording_insights.recordings.end import LOST_SECONDS, derive_after_end, end_by_stop, end_left, free_channel
from recording_insights.recordings.recorder import is_named
from recording_insights.recordings.request import MOST_HOURS, claimed_name
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow
from recording_insights.watch.completion import complete, end_waits, is_over
from recording_insights.watch.credentials import renew_credentials
from recording_insights.watch.progress import Watch

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

START_SECONDS = 90
"""A recorder that has not joined by then counts as failed."""
STEP_SECONDS = 5
"""Between the first queries; each wait for the recorder to join is longer by as much than the wait before."""
SILENCE_SECONDS = 120
"""After a query about a running recorder that Agora did not answer. Agora allows one query in two minutes for it.

Source: https://docs.agora.io/en/cloud-recording/best-practices/integration-best-practices
"""
INTERVAL_SECONDS = 900
"""Between the queries about a recorder that runs: so late at most is it noticed that the recorder has left by itself.

Nothing else follows from a query. Files are processed as they arrive, and a stop or a notification writes the end.
"""
RENEW_SECONDS = 3600
"""Agora recommends to renew the credentials about every hour, in recordings that last longer than an hour."""
FAULT_SECONDS = 30
GRACE_SECONDS = 600
"""After a recording's `max_hours`; later Agora may no longer respond to queries."""


@dataclass(frozen=True)
class Check:
    """The result of one check: `watch` says how to go on, unless `ended`: then the end is on the row."""

    watch: Watch
    ended: bool = False


def check_recording(
    watch: Watch,
    *,
    store: RecordingStore,
    media_store: MediaStore,
    agora: "AgoraClient",
    end_wait: Callable[[str], None],
    late_minutes: int,
    deadline: Deadline,
) -> Watch:
    """Check a recording once; returns the watch with its next wait, or with another outcome.

    Faults never end the watch. If Agora cannot be queried, or the credentials of the recorder cannot be renewed, the
    row gets the reason and the watch waits. Once the recording has ended, the executions of its tracks no longer wait
    for the ends of these, with their task tokens.
    """
    while found := store.find_with_media(watch.recording_id):
        recording, media = found
        is_another = recording["created_at"] != watch.opened_at or recording["status"] == ERASING
        if is_another or (watch.stops_only and not _is_stop_open(recording)):
            break
        if "stopped_at" in recording or is_over(recording, media):
            end_waits(media, store=media_store, end_wait=end_wait)
            derive_after_end(recording, store=store)
            return complete(watch, recording, media, store=store, late_minutes=late_minutes)
        recorder = _Recorder(recording, store, agora, deadline)
        check = recorder.check_any(watch)
        if not check.ended:
            return check.watch
        # The next round settles the recording by its row, from the watch as it was.
    return watch.end()


@dataclass(frozen=True)
class _Recorder:
    """The recorder of a recording whose end is not on the row."""

    recording: RecordingRow
    store: RecordingStore
    agora: "AgoraClient"
    deadline: Deadline

    @property
    def is_starting(self) -> bool:
        return self.recording["status"] == "starting"

    def check_any(self, watch: Watch) -> Check:
        """Check a recorder, by what the row says about it."""
        if not is_named(self.recording):
            return self.check_unnamed(watch)
        return self.check_stop(watch) if "stop_requested_at" in self.recording else self.check(watch)

    def check_unnamed(self, watch: Watch) -> Check:
        """Check a recorder without an id: Agora's response to the start is on its way, or was lost."""
        elapsed = watch.elapsed_seconds(watch.opened_at, self.store.now())
        may_start = not self.is_starting or self._holds_channel()
        if elapsed < (_longest_seconds(self.recording) if may_start else START_SECONDS):
            return Check(watch.wait(min(max(int(elapsed / 4), STEP_SECONDS), INTERVAL_SECONDS)))
        if not self.is_starting:
            return self._left(watch, "max_hours have passed, and Agora never reported its id")
        # The claim stays on the channel. It has lapsed, so the next start asks Agora, and finds a recorder that runs.
        known = f"{self.recording['reason']}; " if "reason" in self.recording else ""
        reason = f"{known}the start was interrupted; files that still arrive will be processed"
        failed: RecordingChanges = {"status": "failed", **because_of_recorder("start_interrupted", reason)}
        if self.store.update(watch.recording_id, failed, only_in=("starting",), only_without="sid"):
            return Check(watch.end())
        return Check(watch.wait(STEP_SECONDS))

    def check(self, watch: Watch) -> Check:
        """Query Agora, and renew the credentials if they are due."""
        if self.is_starting != (watch.phase == "starting") or watch.phase == "unnamed":
            watch = watch.enter("starting" if self.is_starting else "recording", self.store.timestamp)
        is_overdue = self._is_overdue(watch)
        try:
            live = self._query()
        except (AgoraError, SecretUnavailable, SecretUnusable) as error:
            return self._without_answer(watch, error)
        fault = None
        if live.records and not (self.is_starting or is_overdue):
            watch, fault = self._renew_if_due(watch)
        self._write_fault(fault)
        watch = replace(watch, names_files=watch.names_files or bool(live.files))
        if live.over and live.status is not None:
            return self._left(watch, live.meaning)
        if is_overdue:
            return self._left(watch, f"max_hours have passed; Agora's last status: {live.meaning}")
        return self._joining(watch, live) if self.is_starting else self._running(watch, live)

    def check_stop(self, watch: Watch) -> Check:
        """After a stop that found no recorder: query Agora once 100 s are over, and stop the recorder if it is back."""
        requested_at = self.recording["stop_requested_at"]
        if (watch.phase, watch.since) != ("stopping", requested_at):
            watch = watch.enter("stopping", requested_at)
        left = LOST_SECONDS - watch.elapsed_seconds(requested_at, self.store.now())
        if left > 0:
            return Check(watch.wait(ceil(left)))
        try:
            live = self._query()
            if live.over:
                return self._left(watch, live.meaning)
            stopped = self.agora.stop(self.recording, self.deadline)
        except (AgoraError, SecretUnavailable, SecretUnusable) as error:
            return self._without_answer(watch, error)
        self._write_fault(None)
        watch = replace(watch, names_files=watch.names_files or bool(live.files))
        if stopped.lost:  # Agora found the recorder a moment ago: the 100 s begin again
            again: RecordingChanges = {"stop_requested_at": self.store.timestamp}
            self.store.update(watch.recording_id, again, only_without="stopped_at")
            return Check(watch.wait(LOST_SECONDS))
        end_by_stop(stopped, self.recording, store=self.store)
        return Check(watch, ended=True)

    def _query(self) -> LiveState:
        """Ask Agora, and keep what it says for those who read the recording."""
        live = self.agora.query(self.recording, self.deadline)
        self.store.recorder_states.keep(self.recording, live.to_row())
        return live

    def _left(self, watch: Watch, why: str) -> Check:
        """Write that the recorder has left, and release its channel."""
        end_left(watch.recording_id, store=self.store, why=why)
        free_channel(self.recording, store=self.store)
        return Check(watch, ended=True)

    def _is_overdue(self, watch: Watch) -> bool:
        elapsed = watch.elapsed_seconds(watch.opened_at, self.store.now())
        return elapsed > _longest_seconds(self.recording) + GRACE_SECONDS

    def _without_answer(self, watch: Watch, error: Exception) -> Check:
        """Write why Agora did not answer, and wait; after `max_hours` the recorder counts as left."""
        if self._is_overdue(watch):
            return self._left(watch, f"max_hours have passed; the last query of Agora failed: {error}")
        self._write_fault(str(error))
        return Check(self._wait_for_agora(watch))

    def _joining(self, watch: Watch, live: LiveState) -> Check:
        """Check a recorder that has not joined its channel yet. After 90 s without joining, the start has failed.

        The recorder is stopped first: if it joined after all, it would record a recording that has failed. The start
        fails once Agora has confirmed the stop, or has not found the recorder for another 100 s.
        """
        if live.records:
            self.store.update(watch.recording_id, {"status": "recording"}, only_in=("starting",))
            return Check(watch.enter("recording", self.store.timestamp).wait(INTERVAL_SECONDS))
        elapsed = watch.elapsed_seconds(watch.since, self.store.now())
        if elapsed < START_SECONDS:
            return Check(watch.wait(min(STEP_SECONDS * (watch.attempt + 1), ceil(START_SECONDS - elapsed))))
        if live.status is not None or not watch.stop_lost:
            try:
                stopped = self.agora.stop(self.recording, self.deadline)
            except (AgoraError, SecretUnavailable, SecretUnusable) as error:
                return self._without_answer(watch, error)
            if stopped.lost:
                return Check(replace(watch, stop_lost=True).wait(LOST_SECONDS))
        return Check(self._fail_start(watch, live))

    def _fail_start(self, watch: Watch, live: LiveState) -> Watch:
        """Write that the recorder did not join, and release its channel."""
        reason = f"Agora did not report the recorder as started within {START_SECONDS} s; last: {live.meaning}"
        failed: RecordingChanges = {
            "status": "failed",
            "start_failed_at": self.store.timestamp,
            **because_of_recorder("recorder_not_started", reason),
        }
        if not self.store.update(watch.recording_id, failed, only_in=("starting",), only_without="stopped_at"):
            return watch.wait(STEP_SECONDS)
        free_channel(self.recording, store=self.store)
        return watch.end()

    def _running(self, watch: Watch, live: LiveState) -> Check:
        """Check a recorder that has joined. If Agora cannot find it for 100 s, it has left."""
        if live.status is None:
            if watch.phase != "lost":
                # It is not documented which credentials the recorder on the other host has.
                watch = replace(watch.enter("lost", self.store.timestamp), credential_seconds=RENEW_SECONDS)
            if watch.elapsed_seconds(watch.since, self.store.now()) >= LOST_SECONDS:
                return self._left(watch, live.meaning)
            return Check(watch.wait(LOST_SECONDS))  # a query before that could not end the phase
        return Check(self._found(watch).wait(INTERVAL_SECONDS))

    def _wait_for_agora(self, watch: Watch) -> Watch:
        """Wait after a query without a response.

        The phases "starting" and "lost" end with a conclusion. They begin again, because the time in which Agora did
        not respond says nothing about the recorder.
        """
        if self.is_starting:
            # A day of checks every 30 s would exceed the longest history of an execution.
            usual = int((self.store.now() - datetime.fromisoformat(watch.opened_at)).total_seconds() / 20)
            seconds = min(max(usual, FAULT_SECONDS), INTERVAL_SECONDS)
            return watch.enter("starting", self.store.timestamp).wait(seconds)
        return self._found(watch).wait(SILENCE_SECONDS)

    def _found(self, watch: Watch) -> Watch:
        return watch.enter("recording", self.store.timestamp) if watch.phase in ("lost", "stopping") else watch

    def _renew_if_due(self, watch: Watch) -> tuple[Watch, str | None]:
        """Renew credentials that are an hour old; returns the watch, and the fault if the renewal failed."""
        since = self.recording.get("credentials_renewed_at", watch.opened_at)
        if watch.credential_age(since, self.store.now()) < RENEW_SECONDS:
            return watch, None
        try:
            renew_credentials(self.recording, store=self.store, agora=self.agora, deadline=self.deadline)
        except (AgoraError, Conflict, SecretUnusable, UploadCredentialsError) as error:
            return watch, f"the upload credentials could not be renewed: {error}"
        return replace(watch, credential_seconds=0), None

    def _write_fault(self, fault: str | None) -> None:
        """Write why the watch waits, or remove that once the fault is over; a fault is written once."""
        if self.recording.get("watch_reason") != fault:
            only_without = "stopped_at" if fault else None  # after the end nothing is queried, so it would never go
            self.store.update(self.recording["recording_id"], {"watch_reason": fault}, only_without=only_without)

    def _holds_channel(self) -> bool:
        """Whether the start may still be in flight, or Agora may have taken it."""
        claim = self.store.claims.find(claimed_name(self.recording["channel"], self.recording.get("mode", "mix")))
        return is_held(claim, self.recording["recording_id"], self.store)


def _is_stop_open(recording: RecordingRow) -> bool:
    """Return whether a stop waits for proof that the recorder leaves."""
    return "stop_requested_at" in recording and "stopped_at" not in recording


def _longest_seconds(recording: RecordingRow) -> int:
    return recording.get("max_hours", MOST_HOURS) * 3600
