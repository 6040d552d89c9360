"""Callbacks: messages that a job has ended. Only a message from the vendor ends a wait.

A callback is a POST to our webhook, an object that the vendor wrote to our bucket, or an event of AWS. It may arrive
early, twice, late or never. The first callback of a job is noted in the row and ends the wait. Others change nothing.
A result in a callback is kept whenever it arrives, also after the end of its job's media object.

If a POST is the only way to a result, `keep_result` receives it and the event of the kept object leads here.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, cast

from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, ReplyStore, kept_result_key
from recording_insights.errors import CallbackUnusable, InvalidRequest, NotFound
from recording_insights.media.executions import ExecutionStarter, begin
from recording_insights.model.reasons import CANCELLED
from recording_insights.model.status import ERASING, FINAL
from recording_insights.processing.job_name import JobName
from recording_insights.processing.reopen import HAS_NO_RESULT, reopen_with
from recording_insights.providers.port import CallbackRequest, CallsBack, Job
from recording_insights.providers.registry import read_result, sends_result
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow, TryRow
from recording_insights.store.turns import TurnStore

KEY, PREVIOUS_KEY = "key", "previousKey"
"""The keys of the stack's webhook secret. `make webhook-key` makes the former the latter."""

CallbackOutcome = Literal["noted", "known already", "over already", "of a job that was given up", "erased"]
"""The effect of a callback. "noted": the row has stored it. All others change nothing in the row. "erased": so
was the recording, and the result is deleted."""


@dataclass(frozen=True)
class Callbacks:
    """Receives callbacks.

    `end_wait` ends the waiting task of a task token, and ignores a task that has ended. `start` starts the execution of
    a failed media object whose result comes late. `erase_late` deletes a result, by its key, that came for a recording
    which was erased.
    """

    store: MediaStore
    replies: ReplyStore
    end_wait: Callable[[str], None]
    start: ExecutionStarter
    erase_late: Callable[[str], None] = lambda key: None

    def receive_webhook(
        self,
        provider: str,
        adapter: CallsBack,
        request: CallbackRequest,
        *,
        name: str,
    ) -> CallbackOutcome | Literal["nothing to do"]:
        """Receive a POST for the job of this name.

        Raises:
            CallbackForged: the request does not prove that the vendor sent it; nothing was changed.
            InvalidRequest: the request is authentic, but malformed. The row of the present job says so.
            NotFound: the callback belongs to no media object here, or its body alone proves it. Such a callback names
                its job by a key, and comes to an address without a job: on this path it may be a replay.
        """
        try:
            callback = adapter.read_callback(request)
        except InvalidRequest as refusal:
            self._note_refusal(self._row_of_job(name), provider, refusal)
            raise
        if callback is None:
            return "nothing to do"
        if callback.key is not None:
            raise NotFound(f"the callbacks of {provider} have an address without a job")
        delivery = self._keep(provider, name, request.body) if callback.is_result else None
        return self._receive_named(provider, name, job=callback.job, delivery=delivery)

    def receive_kept_result(self, key: str) -> CallbackOutcome | Literal["nothing to do", "refused"]:
        """Receive a result that a webhook brought and that is stored, by its key in the replies bucket.

        "refused": the content is not usable. If it names a job, the row of that job says so.

        Raises:
            NotFound: the callback belongs to no media object here, or not yet.
        """
        provider, _, _ = key.removeprefix(CALLBACKS).partition("/")
        if not sends_result(provider):
            return self._receive_named(provider, key, delivery=key)
        try:
            callback = read_result(provider, self.replies.read(key))
        except CallbackUnusable as refusal:
            self._note_refusal(self._row_of_key(provider, refusal.key), provider, refusal)
            return "refused"
        if callback is None:
            return "nothing to do"
        found = self.store.jobs.find(provider, callback.key) if callback.key else None
        if found is None:
            if callback.key and self.store.recordings.erasures.is_marked(provider, callback.key):
                self.erase_late(key)
                return "erased"
            raise NotFound(f"the callback of {provider} belongs to no job here")
        row = self._row(*found)
        if row.get("job", {}).get("callback_key") == callback.key:
            return self._receive(provider, row, job=callback.job, delivery=key)
        tries = self.store.tries.of(*found)
        earlier = next((each for each in tries if each.get("job", {}).get("callback_key") == callback.key), None)
        return self._receive_of_earlier_try(provider, row, earlier, job=callback.job, delivery=key)

    def receive_delivery(self, key: str) -> CallbackOutcome:
        """Receive a result that a vendor wrote to the replies bucket, by its key there."""
        provider, _, name = key.removeprefix(DELIVERIES).partition("/")
        return self._receive_named(provider, name, delivery=key)

    def receive_state_change(self, provider: str, job_name: str) -> CallbackOutcome:
        """Receive an event of AWS that a job has ended; the event holds the name that we gave to the job."""
        return self._receive_named(provider, job_name)

    def _receive_named(
        self,
        provider: str,
        text: str,
        *,
        job: Job | None = None,
        delivery: str | None = None,
    ) -> CallbackOutcome:
        """Receive a callback of the job whose name is at the end of a text."""
        name = JobName.read(text)
        if name is None:
            raise NotFound(f"no job here has the name {text}")
        row = self.store.find(name.recording_id, name.media_id)
        if row is None and self._is_erased(name.recording_id):
            if delivery is not None:
                self.erase_late(delivery)
            return "erased"
        row = row or self._row(name.recording_id, name.media_id)
        if name != JobName.of(row):
            earlier = self.store.tries.find(name.recording_id, name.media_id, name.number)
            return self._receive_of_earlier_try(provider, row, earlier, job=job or {}, delivery=delivery)
        return self._receive(provider, row, job=job or {}, delivery=delivery)

    def _receive(
        self,
        provider: str,
        row: MediaRow,
        *,
        job: Job,
        delivery: str | None,
    ) -> CallbackOutcome:
        """Note a callback in the row of its media object, and end the wait.

        `delivery` is the key of the result, if the callback brought it. A result that comes after the media object has
        failed begins a new try with it.
        """
        present = row.get("job", {})
        # The path, or a key that the row has, proves the job. So the row need not have all its ids yet.
        if row["provider"] != provider or any(present.get(name, value) != value for name, value in job.items()):
            return "of a job that was given up"
        if row["status"] == "done":
            return "over already"
        if row["status"] == "failed":
            return self._finish_failed(row, row, job=job, delivery=delivery)
        if "callback_at" in row:
            # The function that noted the callback may have failed before it ended the wait or started the execution.
            self._end_wait_of(row)
            if "began_from" in row:
                begin(row, store=self.store, start_execution=self.start)
            return "known already"
        recording_id, media_id = row["recording_id"], row["media_id"]
        calls = 2 if sends_result(provider) else 1  # `keep_result` was called before
        first = self.store.note_callback(
            recording_id, media_id, provider=provider, job=job, delivery=delivery, calls=calls
        )
        self._end_wait_of(self._row(recording_id, media_id))
        return "noted" if first else "known already"

    def _receive_of_earlier_try(
        self, provider: str, row: MediaRow, earlier: TryRow | None, *, job: Job, delivery: str | None
    ) -> CallbackOutcome:
        """Note the result of a job that was given up; if the media object has failed since, process it with this."""
        if earlier is None or earlier["provider"] != provider:
            return "of a job that was given up"
        if row["status"] == "failed":
            return self._finish_failed(row, earlier, job=job, delivery=delivery)
        if delivery is not None:
            self.store.tries.note_delivery(earlier, delivery)
        return "of a job that was given up"

    def _finish_failed(
        self, row: MediaRow, earlier: MediaRow | TryRow, *, job: Job, delivery: str | None
    ) -> CallbackOutcome:
        """Process a failed media object again with the late result of a job.

        Nothing follows if the reply of the job is kept already, if the provider had ended the job without a result, or
        if a poll has read this delivery before: what it holds was no result. After a cancellation the result is only
        noted, so that a retry finds it.
        """
        if row.get("reason_code") == CANCELLED:
            return self._note_of_cancelled(row, earlier, job=job, delivery=delivery)
        if "reply" in earlier or (delivery is None and row.get("reason_code") in HAS_NO_RESULT):
            return "over already"
        if delivery is not None and _was_read(row, earlier, delivery):
            return "over already"
        reopened = reopen_with(row, earlier, store=self.store, delivery=delivery, job=job)
        begin(reopened or self._row(row["recording_id"], row["media_id"]), store=self.store, start_execution=self.start)
        if delivery is not None and earlier is not row:
            self.store.tries.note_delivery(cast(TryRow, earlier), delivery, callback_at=self.store.timestamp)
        return "noted"

    def _note_of_cancelled(
        self, row: MediaRow, earlier: MediaRow | TryRow, *, job: Job, delivery: str | None
    ) -> CallbackOutcome:
        if earlier is not row:
            if delivery is not None:
                self.store.tries.note_delivery(cast(TryRow, earlier), delivery)
        elif "callback_at" not in row:
            # With this moment, a retry does not wait for the callback again.
            now = self.store.timestamp
            self.store.keep_of_cancelled(row, callback_at=now, callback_job=dict(job), delivery=delivery)
        return "over already"

    def _keep(self, provider: str, name: str, body: bytes) -> str | None:
        """Store a result and return its key; None if no job of ours can have the name.

        It is stored before the response, because no vendor sends a result again after a 200. It is stored whatever the
        row says, because it is paid for.
        """
        job_name = JobName.read(name)
        if job_name is None:
            return None
        key = kept_result_key(provider, body, str(job_name))
        self.replies.put(key, body)
        return key

    def _note_refusal(self, row: MediaRow | None, provider: str, refusal: InvalidRequest) -> None:
        """Note in the row of the present job that its callback was refused, and why."""
        if row and row["provider"] == provider:
            said = f"a callback was refused at {self.store.timestamp}: {refusal}"
            self.store.note(row["recording_id"], row["media_id"], callback_refusal=said)

    def _row_of_job(self, text: str) -> MediaRow | None:
        """Return the row whose present job the text names at its end."""
        name = JobName.read(text)
        row = self.store.find(name.recording_id, name.media_id) if name else None
        return row if row and name == JobName.of(row) else None

    def _row_of_key(self, provider: str, key: str) -> MediaRow | None:
        """Return the row whose present job has this `callback_key`."""
        found = self.store.jobs.find(provider, key) if key else None
        row = self.store.find(*found) if found else None
        return row if row and row.get("job", {}).get("callback_key") == key else None

    def _end_wait_of(self, row: MediaRow) -> None:
        """End the wait for the callback, or the one for a turn if the callback confirms a submission."""
        if row["status"] in FINAL:
            return
        if "task_token" in row:
            self.end_wait(row["task_token"])
        if "queue_place" in row and "unconfirmed" in row:
            called = TurnStore(self.store.table, self.store.now).call(row["provider"], row["queue_place"])
            if called and "task_token" in called:
                self.end_wait(called["task_token"])

    def _is_erased(self, recording_id: str) -> bool:
        recordings = self.store.recordings
        recording = recordings.find(recording_id)
        if recording is not None:
            return recording.get("status") == ERASING
        return recordings.erasures.find_receipt(recording_id) is not None

    def _row(self, recording_id: str, media_id: str) -> MediaRow:
        row = self.store.find(recording_id, media_id)
        if row is None:
            raise NotFound(f"recording {recording_id} has no media object {media_id}")
        return row


def _was_read(row: MediaRow, earlier: MediaRow | TryRow, delivery: str) -> bool:
    """Return whether a poll has read a delivery of a try and found no result in it: the sweep receives it again.

    The present try may have failed for another reason after its callback was noted.
    """
    is_noted = "callback_at" in earlier and earlier.get("delivery") == delivery
    return is_noted and (earlier is not row or row.get("reason_code") in HAS_NO_RESULT)


def webhook_keys(secret: Mapping[str, str]) -> list[str]:
    """Return the keys of the stack's webhook secret. The first makes tokens, all check them.

    A second one is there after a rotation, for the jobs that were submitted before.
    """
    return [secret[KEY], *([secret[PREVIOUS_KEY]] if secret.get(PREVIOUS_KEY) else [])]


def callback_token(key: str, provider: str, job_name: str) -> str:
    """Return the token that a callback of a job must carry, 64 hex characters; derived, so that none is stored."""
    return hmac.new(key.encode(), f"{provider}/{job_name}".encode(), sha256).hexdigest()
