"""Check recording: one look at a recording that was started here, until nothing more is to come of it.

Agora's answer to a start proves nothing: whether the recorder joined, and when it left, is learned by asking.
Source: https://docs.agora.io/en/cloud-recording/best-practices/integration-best-practices
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from recording_insights.agora.answers import LiveState
from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraError, Conflict, SecretUnusable, UploadCredentialsError
from recording_insights.recordings.end import UNDER_WAY, end_left, free_channel
from recording_insights.recordings.request import MOST_HOURS, claimed_name
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecordingChanges, RecordingRow
from recording_insights.watch.credentials import renew_credentials
from recording_insights.watch.progress import Watch

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

START_SECONDS = 90
"""A recorder that has not joined by then counts as failed."""
STEP_SECONDS = 5
"""Between the first queries, and by how much each wait for the recorder to join is longer than the one before."""
LOST_SECONDS = 100
"""A recorder that moves to another host cannot be found for 30 to 90 s."""
SHORTEST_INTERVAL_SECONDS = 120
"""Agora asks for no more than one query in two minutes of a recorder that runs."""
LONGEST_INTERVAL_SECONDS = 900
RENEW_SECONDS = 3600
"""Agora advises to renew the credentials of a recording that lasts for more than an hour about every hour."""
FAULT_SECONDS = 30
GRACE_SECONDS = 600
"""Beyond a recording's hours, after which Agora need not answer any more."""


def check_recording(
    watch: Watch, *, store: RecordingStore, agora: "AgoraClient", late_minutes: int, deadline: Deadline
) -> Watch:
    """One look; says how long to wait for the next, that slices are to be looked at, or that the watch is over.

    What hinders Agora from answering, even unusable credentials, is noted on the row and waited out; so is what
    hinders the renewal of the credentials that the recorder writes its files with.
    """
    found = store.find_with_media(watch.recording_id)
    if found is None or found[0]["created_at"] != watch.opened_at:
        return watch.end()
    recording, media = found
    if _is_settled(recording, media):
        return watch.recover() if "complete_at" in recording and _is_to_recover(watch, recording) else watch.end()
    if "stopped_at" in recording:
        return _Settling(store, late_minutes).look(watch, recording, media)
    look = _Look(store, agora, deadline)
    named = {"sid", "resource_id"} <= recording.keys()
    after = look.at_recorder(watch, recording) if named else look.for_name(watch, recording)
    if isinstance(after, Watch):
        return after
    end_left(watch.recording_id, store=store, why=after)
    free_channel(recording, store=store)
    return check_recording(watch, store=store, agora=agora, late_minutes=late_minutes, deadline=deadline)


def _is_settled(recording: RecordingRow, media: list[MediaRow]) -> bool:
    if recording["status"] in ("failed", "empty") and not media:
        return True
    # All may be said to be in the bucket before the first file has arrived here.
    return "complete_at" in recording and bool(media)


def _is_to_recover(watch: Watch, recording: RecordingRow) -> bool:
    """Whether slices are to be looked at that MP4s may lack: once, and not where there are slices alone."""
    return recording.get("mode", "mix") != "individual" and not watch.looked_at_slices


@dataclass(frozen=True)
class _Look:
    """At a recording that has not ended; answers when to look again, or why the recorder has left."""

    store: RecordingStore
    agora: "AgoraClient"
    deadline: Deadline

    def for_name(self, watch: Watch, recording: RecordingRow) -> Watch | str:
        """Agora's answer to the start is under way or was lost: nobody can be asked."""
        elapsed = watch.elapsed_seconds(watch.opened_at, self.store.now())
        started = recording["status"] != "starting"
        held = started or self._is_held(recording)
        if elapsed < (_most_seconds(recording) if held else START_SECONDS):
            return watch.wait(min(max(int(elapsed / 4), STEP_SECONDS), LONGEST_INTERVAL_SECONDS))
        if started:
            return "its time is over, and Agora never named it"
        # The claim stays as it is: it has lapsed, and leads the next start to a recorder that runs all the same.
        known = f"{recording['reason']}; " if "reason" in recording else ""
        reason = f"{known}the start broke off; files that come all the same will be processed"
        failed: RecordingChanges = {"status": "failed", "reason": reason}
        if self.store.update(watch.recording_id, failed, only_in=("starting",), only_without="sid"):
            return watch.end()
        return watch.wait(STEP_SECONDS)

    def at_recorder(self, watch: Watch, recording: RecordingRow) -> Watch | str:
        """Ask Agora."""
        starting = recording["status"] == "starting"
        if starting != (watch.phase == "starting") or watch.phase == "unnamed":
            watch = watch.enter("starting" if starting else "recording", self.store.timestamp)
        too_long = watch.elapsed_seconds(watch.opened_at, self.store.now()) > _most_seconds(recording) + GRACE_SECONDS
        try:
            live = self.agora.query(recording, self.deadline)
        except (AgoraError, SecretUnusable) as error:
            if too_long:
                return f"its time is over, and Agora's last word was: {error}"
            self._note_fault(recording, str(error))
            return self._wait_out(watch, starting)
        fault = None
        if live.records and not (starting or too_long):
            watch, fault = self._renewed(watch, recording)
        self._note_fault(recording, fault)
        watch = replace(watch, names_files=watch.names_files or bool(live.files))
        if live.over and live.status is not None:
            return live.meaning
        if too_long:
            return f"its time is over, and Agora's last word was: {live.meaning}"
        return (self._joining if starting else self._recording)(watch, recording, live)

    def _joining(self, watch: Watch, recording: RecordingRow, live: LiveState) -> Watch | str:
        if live.records:
            self.store.update(watch.recording_id, {"status": "recording"}, only_in=("starting",))
            return watch.enter("recording", self.store.timestamp).wait(SHORTEST_INTERVAL_SECONDS)
        left = START_SECONDS - watch.elapsed_seconds(watch.since, self.store.now())
        if left > 0:
            return watch.wait(min(STEP_SECONDS * (watch.attempt + 1), ceil(left)))
        # One that joined after all would record for nobody.
        with suppress(AgoraError, SecretUnusable):
            self.agora.stop(recording, self.deadline)
        reason = f"Agora did not report the recorder as started within {START_SECONDS} s; last: {live.meaning}"
        failed: RecordingChanges = {"status": "failed", "reason": reason}
        if not self.store.update(watch.recording_id, failed, only_in=("starting",), only_without="stopped_at"):
            return watch.wait(STEP_SECONDS)
        free_channel(recording, store=self.store)
        return watch.end()

    def _recording(self, watch: Watch, recording: RecordingRow, live: LiveState) -> Watch | str:
        now = self.store.now()
        if live.status is None:
            if watch.phase != "lost":
                # Nobody documents which credentials a recorder holds that takes over.
                watch = replace(watch.enter("lost", self.store.timestamp), credential_seconds=RENEW_SECONDS)
            if watch.elapsed_seconds(watch.since, now) >= LOST_SECONDS:
                return live.meaning
            return watch.wait(LOST_SECONDS)  # one look in between would change nothing
        watch = watch.enter("recording", self.store.timestamp) if watch.phase == "lost" else watch
        usual = int(watch.elapsed_seconds(watch.since, now) / 2)
        return watch.wait(min(max(usual, SHORTEST_INTERVAL_SECONDS), LONGEST_INTERVAL_SECONDS))

    def _renewed(self, watch: Watch, recording: RecordingRow) -> tuple[Watch, str | None]:
        """Exchange the recorder's credentials if they are old; also says what hinders that, until the next look."""
        since = recording.get("credentials_renewed_at", watch.opened_at)
        if watch.credential_age(since, self.store.now()) < RENEW_SECONDS:
            return watch, None
        try:
            renew_credentials(recording, store=self.store, agora=self.agora, deadline=self.deadline)
        except (AgoraError, Conflict, SecretUnusable, UploadCredentialsError) as error:
            return watch, f"the credentials of the upload are not renewed: {error}"
        return replace(watch, credential_seconds=0), None

    def _wait_out(self, watch: Watch, starting: bool) -> Watch:
        """What was heard before says little after a silence: a phase that has a verdict at its end begins anew."""
        if starting:
            # A day of looks every half minute would be more than an execution's history holds.
            usual = int((self.store.now() - datetime.fromisoformat(watch.opened_at)).total_seconds() / 20)
            seconds = min(max(usual, FAULT_SECONDS), LONGEST_INTERVAL_SECONDS)
            return watch.enter("starting", self.store.timestamp).wait(seconds)
        watch = watch.enter("recording", self.store.timestamp) if watch.phase == "lost" else watch
        return watch.wait(SHORTEST_INTERVAL_SECONDS)

    def _note_fault(self, recording: RecordingRow, fault: str | None) -> None:
        if recording.get("watch_reason") != fault:
            only_without = "stopped_at" if fault else None  # of one that has ended nothing is asked
            self.store.update(recording["recording_id"], {"watch_reason": fault}, only_without=only_without)

    def _is_held(self, recording: RecordingRow) -> bool:
        claim = self.store.claims.find(claimed_name(recording["channel"], recording.get("mode", "mix")))
        if claim is None or claim.recording_id != recording["recording_id"]:
            return False
        return claim.claimed_until > self.store.seconds


@dataclass(frozen=True)
class _Settling:
    """After the end: complete when nothing more has come for a time; slices are looked at before the verdict."""

    store: RecordingStore
    late_minutes: int

    def look(self, watch: Watch, recording: RecordingRow, media: list[MediaRow]) -> Watch:
        # Of a track that waits for its slices, the last one that came counts.
        came = [item.get("quiet_since") or item["arrived_at"] for item in media if "recovered" not in item]
        since = max([recording["stopped_at"], *came])
        if (watch.phase, watch.since) != ("ended", since):
            watch = replace(watch.enter("ended", since), looked_at_slices=False)
        left = self.late_minutes * 60 - watch.elapsed_seconds(since, self.store.now())
        if left > 0:
            return watch.wait(ceil(left))
        complete: RecordingChanges = {"complete_at": self.store.timestamp, "watch_reason": None}
        if media:
            self.store.update(watch.recording_id, complete, only_without="complete_at")
        if _is_to_recover(watch, recording):
            return watch.recover()
        if media:
            return watch.end()
        status, reason = self._without_files(watch, recording)
        given_up: RecordingChanges = {**complete, "status": status, "reason": reason}
        if self.store.update(watch.recording_id, given_up, only_in=(*UNDER_WAY, "stopping")):
            return watch.end()
        return watch.wait(STEP_SECONDS)  # the first file came this very moment

    def _without_files(self, watch: Watch, recording: RecordingRow) -> tuple[str, str]:
        within = f"within {self.late_minutes} minutes of the end"
        if watch.names_files or recording.get("ended_by") == "stop":
            return "failed", f"Agora recorded, but no file came {within}"
        known = recording.get("reason", "the recorder left by itself")
        return "empty", f"{known}, and no file came {within}"


def _most_seconds(recording: RecordingRow) -> int:
    return recording.get("max_hours", MOST_HOURS) * 3600
