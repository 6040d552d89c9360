"""State "Poll job": poll the provider once. Store the reply of a finished job, or wait and poll again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    CredentialsRefused,
    JobNotFound,
    MediaLinkExpired,
    OutOfCredit,
    PartsUnavailable,
    ProviderBusy,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
    RecordingInsightsError,
    ReplyGone,
    ReplyTooLarge,
    SecretUnavailable,
    SecretUnusable,
)
from recording_insights.model.malformed import why_malformed
from recording_insights.model.reasons import NO_REASON, because, code_of_fault
from recording_insights.model.status import stage_of
from recording_insights.model.tries import confirmed_job, number_of_try
from recording_insights.processing.expected_end import estimate_of, learn, seconds_until_poll
from recording_insights.processing.progress import Progress
from recording_insights.processing.renewals import renew_link, repeat_job
from recording_insights.processing.turns import Turns
from recording_insights.providers.pacing import SHORTEST_WAIT, next_try
from recording_insights.providers.port import JobState, Provider, ProviderLoader
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow

NOT_FOUND_SECONDS = 180
"""So long a provider must not know a job before this is believed: a single 404 for an existing job happens."""
REPAIR_SECONDS = 900
"""Between two polls of a job whose provider the stack does not have."""
CALLS_SECONDS = 240
"""For the provider's calls of one poll. Symbl needs 13 for a finished job, each of up to 28 s."""
SECRET_FAULTS = (SecretUnavailable, SecretUnusable)
TIMEOUT_SECONDS = CALLS_SECONDS + 30
"""Of the function: time is left to store the reply, or to note that the provider was too slow."""


def poll_job(
    progress: Progress,
    *,
    store: MediaStore,
    provider_for: ProviderLoader,
    replies: ReplyStore,
    turns: Turns,
    ceiling_minutes: int,
    now: Callable[[], datetime],
    deadline: Deadline | None = None,
) -> Progress:
    """Poll once. After the provider accepts a job, only the provider's result or `ceiling_minutes` ends the wait.

    The job is paid for, and is polled at the host that it was submitted to, whatever the stack's residency is now. A
    fault of the provider, of the network or of the credentials is written to the row, and the state machine polls
    again. An operator can replace unusable credentials meanwhile. So it is if AWS does not return the secret, and if
    the calls are not over at the deadline, which is `CALLS_SECONDS` from now if none is given. Any other fault of AWS
    is raised, and the state machine retries. When the job has ended, its slot is given back.

    Without a job of this execution, the row tells the state that is next. Executions that cannot tell it come here.
    """
    row = store.get(progress.recording_id, progress.media_id)
    if fault := why_malformed(row):
        return progress.end("failed", fault, "row_malformed")
    row = _confirmed(row, store, turns)
    # The job of another execution is that one's: this one was cancelled, and the media object retried since.
    # Executions and rows of earlier versions do not name each other.
    mine = progress.execution_name
    is_other = bool(mine) and row.get("execution", mine) != mine
    if row["status"] != "submitted" or is_other:
        return progress.end("prepare" if stage_of(row) == "preparation" else "submit")
    try:
        provider = provider_for(row["provider"], row.get("residency"))
    except ProviderNotConfigured as error:
        # The job is paid for. It stays open until the provider is back.
        if progress.elapsed_seconds(row["submitted_at"], now()) > ceiling_minutes * 60:
            return progress.end("failed", str(error), "provider_not_configured")
        store.wait(row, **because("result", "provider_not_configured", str(error)), **progress.counted)
        return progress.wait(REPAIR_SECONDS)
    with (deadline or Deadline.after(CALLS_SECONDS)).limits_calls():
        polled = _Poll(progress, store, row, provider, replies, ceiling_minutes, now).run()
    if polled.outcome != "running":
        turns.give_back(row)
    return polled


@dataclass(frozen=True)
class _Poll:
    """One poll of the job in `row`."""

    progress: Progress
    store: MediaStore
    row: MediaRow
    provider: Provider
    replies: ReplyStore
    ceiling_minutes: int
    now: Callable[[], datetime]

    def run(self) -> Progress:
        """Poll the provider, fetch the reply of a finished job, and return the next step of the loop."""
        try:
            delivered = self._delivered()
            state = self.provider.poll(self.row["job"], delivered)
            if state.phase == "succeeded":
                reply = self.provider.fetch(self.row["job"], delivered) if state.reply is None else state.reply
                return self._succeeded(reply, state.missing)
        except MediaLinkExpired as error:
            return renew_link(self.progress, store=self.store, reason=str(error))
        except JobNotFound as error:
            return self._believe_twice(error)
        except ReplyTooLarge as error:
            return self.progress.end("failed", str(error), "reply_too_large")
        except ProviderRejected as error:
            return self.progress.end("failed", str(error), "job_failed")
        except (ProviderBusy, ProviderUnavailable, CredentialsRefused, OutOfCredit, *SECRET_FAULTS) as error:
            return self._poll_again(str(error), fault=error)
        if state.phase == "failed":
            return self._failed(state)
        refusal = self.row.get("callback_refusal")
        return self._poll_again(f"{state.word}; {refusal}" if refusal else state.word)

    def _delivered(self) -> bytes | None:
        """Return the result that the provider has sent; a deleted one counts as not sent."""
        try:
            return self.replies.read(self.row["delivery"]) if "delivery" in self.row else None
        except ReplyGone:
            return None

    def _failed(self, state: JobState) -> Progress:
        """End the job as failed, or submit the media object again if the provider names a fault of its own."""
        reason = state.reason or state.word
        if state.is_providers_fault:
            return repeat_job(self.progress, store=self.store, reason=reason)
        return self.progress.end("failed", reason, "job_failed")

    def _succeeded(self, reply: bytes, missing: Sequence[str]) -> Progress:
        progress = self._store_reply(reply, missing)
        learn(self.progress, self.row, self.provider.capabilities.pace, store=self.store, now=self.now())
        return progress

    def _store_reply(self, reply: bytes, missing: Sequence[str]) -> Progress:
        recording_id, media_id = self.progress.recording_id, self.progress.media_id
        key = self.replies.keep(recording_id, media_id, number_of_try(self.row), reply)
        counted = self.progress.counted
        self.store.note(recording_id, media_id, reply=key, missing=list(missing) or None, **NO_REASON, **counted)
        return self.progress.end("succeeded")

    def _believe_twice(self, error: JobNotFound) -> Progress:
        """End the job as failed if the provider did not know it minutes ago either; otherwise poll again."""
        since = self.row.get("not_found_at")
        if since and (self.now() - datetime.fromisoformat(since)).total_seconds() >= NOT_FOUND_SECONDS:
            return self.progress.end("failed", str(error), "job_unknown")
        return self._poll_again(str(error), fault=error)

    def _poll_again(self, last: str, *, fault: RecordingInsightsError | None = None) -> Progress:
        """Wait for the next poll, or end as failed at the ceiling; `last` is the provider's state or the fault."""
        elapsed = self.progress.elapsed_seconds(self.row["submitted_at"], self.now())
        if elapsed > self.ceiling_minutes * 60:
            if isinstance(fault, PartsUnavailable):
                # The job is paid for: a part of its result is better than none.
                return self._store_reply(fault.reply, ())
            reason = f"no result within {self.ceiling_minutes} minutes; last: {last}"
            is_delivered_only = self.provider.capabilities.callback == "required"
            return self.progress.end("failed", reason, "result_not_delivered" if is_delivered_only else "no_result")
        estimate = estimate_of(self.row, self.provider.capabilities.pace)
        seconds = seconds_until_poll(self.progress, estimate, elapsed)
        if fault:
            seconds = max(seconds, next_try(attempt=0, retry_after=getattr(fault, "retry_after", None)))
        # A fault says nothing about the job: only a state of the job takes "not found" back.
        not_found_at = self.row.get("not_found_at") if fault else None
        if isinstance(fault, JobNotFound):
            seconds, not_found_at = max(seconds, NOT_FOUND_SECONDS), not_found_at or self.store.timestamp
        seconds = min(seconds, max(ceil(self.ceiling_minutes * 60 - elapsed), SHORTEST_WAIT))
        why = because("result", code_of_fault(type(fault).__name__), str(fault)) if fault else NO_REASON
        polls, counted = self.progress.attempt, self.progress.counted
        self.store.wait(self.row, last_word=last, polls=polls, not_found_at=not_found_at, **why, **counted)
        return self.progress.wait(seconds)


def _confirmed(row: MediaRow, store: MediaStore, turns: Turns) -> MediaRow:
    """Return the row as submitted if a callback confirms a submission that got no response.

    The callback names the job. Without such a callback the row stays as it is, and the job is submitted again.
    """
    if row["status"] != "waiting" or "unconfirmed" not in row:
        return row
    recording_id, media_id = row["recording_id"], row["media_id"]
    job = confirmed_job(row)
    if job is None:
        store.note(recording_id, media_id, asking=None)
        return row
    store.submitted(recording_id, media_id, job=job, queue_place=None, unconfirmed=None, asking=None, **NO_REASON)
    if "queue_place" in row:
        turns.store.leave(row["provider"], row["queue_place"])
    turns.confirm(row["provider"])
    return store.get(recording_id, media_id)
