"""Callbacks: messages that a job has ended. Only a message from the vendor ends a wait.

A callback is a POST to our webhook, an object that the vendor wrote to our bucket, or an event of AWS. It may arrive
early, twice, late or never. The first callback of a job is noted in the row and ends the wait. Others change nothing.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, ReplyStore
from recording_insights.errors import CallbackUnusable, InvalidRequest, NotFound
from recording_insights.media.executions import ExecutionStarter, begin
from recording_insights.model.status import FINAL
from recording_insights.processing.job_name import JobName
from recording_insights.processing.reopen import HAS_NO_RESULT, reopen_with
from recording_insights.providers.port import CallbackRequest, CallsBack, Job
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow, TryRow

CallbackOutcome = Literal["noted", "known already", "over already", "of a job that was given up"]
"""The effect of a callback. "noted": the row has stored it. All others change nothing in the row."""


@dataclass(frozen=True)
class Callbacks:
    """Receives callbacks.

    `end_wait` ends the waiting task of a task token, and ignores a task that has ended. `start` starts the execution of
    a failed media object whose result comes late.
    """

    store: MediaStore
    replies: ReplyStore
    end_wait: Callable[[str], None]
    start: ExecutionStarter

    def receive_webhook(
        self,
        provider: str,
        adapter: CallsBack,
        request: CallbackRequest,
        *,
        name: str | None,
    ) -> CallbackOutcome | Literal["nothing to do"]:
        """Receive a POST; `name` is that of the job if the path has it.

        Raises:
            CallbackForged: the request does not prove that the vendor sent it; nothing was changed.
            InvalidRequest: the request is authentic, but malformed. If it names a job, the row says so.
            NotFound: the callback belongs to no media object here.
        """
        try:
            callback = adapter.read_callback(request)
        except InvalidRequest as refusal:
            self._note_refusal(provider, name, refusal)
            raise
        if callback is None:
            return "nothing to do"
        body = request.body if callback.is_result else None
        if name is not None:
            return self._receive_named(provider, name, job=callback.job, body=body)
        found = self.store.jobs.find(provider, callback.key) if callback.key else None
        if found is None:
            raise NotFound(f"the callback of {provider} belongs to no job here")
        return self._receive(provider, self._row(*found), job=callback.job, body=body)

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
        body: bytes | None = None,
        delivery: str | None = None,
    ) -> CallbackOutcome:
        """Receive a callback of the job whose name is at the end of a text."""
        name = JobName.read(text)
        if name is None:
            raise NotFound(f"no job here has the name {text}")
        row = self._row(name.recording_id, name.media_id)
        if name != JobName.of(row):
            return self._receive_of_earlier_try(provider, row, name, job=job or {}, body=body, delivery=delivery)
        return self._receive(provider, row, job=job or {}, body=body, delivery=delivery)

    def _receive(
        self,
        provider: str,
        row: MediaRow,
        *,
        job: Job,
        body: bytes | None = None,
        delivery: str | None = None,
    ) -> CallbackOutcome:
        """Note a callback in the row of its media object, and end the wait.

        A result that comes after the media object has failed begins a new try with it.
        """
        present = row.get("job", {})
        if row["provider"] != provider or any(present.get(name, value) != value for name, value in job.items()):
            return "of a job that was given up"
        if body is not None:
            # Stored before the response: after a 200, no vendor sends the result again.
            delivery = self._keep(provider, JobName.of(row), body)
        if row["status"] == "done":
            return "over already"
        if row["status"] == "failed":
            return self._finish_failed(row, row, job=job, delivery=delivery)
        if "callback_at" in row:
            # The function that noted the callback may have failed before it ended the wait.
            self._end_wait_of(row)
            return "known already"
        recording_id, media_id = row["recording_id"], row["media_id"]
        first = self.store.note_callback(recording_id, media_id, provider=provider, job=job, delivery=delivery)
        self._end_wait_of(self._row(recording_id, media_id))
        return "noted" if first else "known already"

    def _receive_of_earlier_try(
        self, provider: str, row: MediaRow, name: JobName, *, job: Job, body: bytes | None, delivery: str | None
    ) -> CallbackOutcome:
        """Keep the result of a job that was given up; if the media object has failed since, process it with this."""
        earlier = self.store.tries.find(name.recording_id, name.media_id, name.number)
        if earlier is None or earlier["provider"] != provider:
            return "of a job that was given up"
        if body is not None:
            delivery = self._keep(provider, name, body)
        if row["status"] == "failed":
            return self._finish_failed(row, earlier, job=job, delivery=delivery)
        if delivery is not None:
            self.store.tries.note_delivery(earlier, delivery)
        return "of a job that was given up"

    def _finish_failed(
        self, row: MediaRow, earlier: MediaRow | TryRow, *, job: Job, delivery: str | None
    ) -> CallbackOutcome:
        """Process a failed media object again with the late result of a job, unless the provider had ended the job."""
        if delivery is None and row.get("reason_code") in HAS_NO_RESULT:
            return "over already"
        reopened = reopen_with(row, earlier, store=self.store, delivery=delivery, job=job)
        begin(reopened or self._row(row["recording_id"], row["media_id"]), store=self.store, start_execution=self.start)
        return "noted"

    def _keep(self, provider: str, name: JobName, body: bytes) -> str:
        key = f"{CALLBACKS}{provider}/{name}.json"
        self.replies.put(key, body)
        return key

    def _note_refusal(self, provider: str, name: str | None, refusal: InvalidRequest) -> None:
        """Note in the row of the present job that its callback was refused, and why."""
        row = self._row_of_refused(provider, name, refusal)
        if row and row["provider"] == provider:
            said = f"a callback was refused at {self.store.timestamp}: {refusal}"
            self.store.note(row["recording_id"], row["media_id"], callback_refusal=said)

    def _row_of_refused(self, provider: str, text: str | None, refusal: InvalidRequest) -> MediaRow | None:
        """Return the row whose present job the text names at its end, or the refusal by its key if there is no text."""
        if text is not None:
            name = JobName.read(text)
            row = self.store.find(name.recording_id, name.media_id) if name else None
            return row if row and name == JobName.of(row) else None
        key = refusal.key if isinstance(refusal, CallbackUnusable) else ""
        found = self.store.jobs.find(provider, key) if key else None
        row = self.store.find(*found) if found else None
        return row if row and row.get("job", {}).get("callback_key") == key else None

    def _end_wait_of(self, row: MediaRow) -> None:
        if "task_token" in row and row["status"] not in FINAL:
            self.end_wait(row["task_token"])

    def _row(self, recording_id: str, media_id: str) -> MediaRow:
        row = self.store.find(recording_id, media_id)
        if row is None:
            raise NotFound(f"recording {recording_id} has no media object {media_id}")
        return row


def callback_token(secret: str, provider: str, job_name: str) -> str:
    """Return the token that a callback of a job must carry, 64 hex characters; derived, so that none is stored."""
    return hmac.new(secret.encode(), f"{provider}/{job_name}".encode(), sha256).hexdigest()
